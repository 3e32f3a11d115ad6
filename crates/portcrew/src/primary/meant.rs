//! From a user's settings to what they mean to the crew's machine.

use portcrew_core::supervise::{Drain as MachineDrain, Readiness, Settings as Machine};

use crate::{Drain, Liveness, Ready, Settings};

/// The settings of a crew of so many workers. What they say of how workers are started is the launcher's.
pub(super) fn machine(ours: &Settings, workers: usize) -> Machine {
    let mut machine = Machine::default();
    machine.workers = workers;
    machine.seed = u64::from(std::process::id());
    machine.readiness = readiness(&ours.ready);
    machine.start_deadline = ours.start_deadline;
    machine.reload_deadline = ours.start_deadline;
    machine.stable_for = ours.stable_for;
    (machine.surge, machine.max_unavailable) = (ours.surge, ours.max_unavailable);
    machine.overlap = ours.overlap || ours.ready != Ready::Alive;
    machine.drain = drain(&ours.drain);
    (machine.grace, machine.term_grace) = (ours.grace, ours.kill_after);
    (machine.max_age, machine.max_memory) = (ours.max_age, ours.max_memory);
    machine.max_connections = ours.max_connections;
    machine.stop_exit_codes.clone_from(&ours.stop_exit_codes);
    watch(&mut machine, &ours.ready, &ours.liveness);
    machine
}

const fn readiness(ready: &Ready) -> Readiness {
    match ready {
        Ready::Listening => Readiness::ToldIfEver,
        Ready::Message | Ready::Notify | Ready::TcpConnect(_) | Ready::HttpGet(_) => {
            Readiness::Told
        }
        Ready::Alive => Readiness::Age,
    }
}

const fn drain(drain: &Drain) -> MachineDrain {
    match drain {
        Drain::Disconnect => MachineDrain::Disconnect,
        Drain::Message(_) => MachineDrain::Text,
        Drain::Signal(_) => MachineDrain::Signal,
    }
}

/// Only what can be found out in the way by which such workers are ready.
const fn watch(machine: &mut Machine, ready: &Ready, liveness: &Liveness) {
    machine.answer_within = liveness.answer_within;
    machine.heartbeat = liveness.heartbeat;
    match ready {
        Ready::TcpConnect(_) | Ready::HttpGet(_) if liveness.every.is_some() => {
            machine.probe_failures = Some(liveness.failures);
        }
        Ready::TcpConnect(_) | Ready::HttpGet(_) => {}
        Ready::Notify => machine.watchdog = liveness.watchdog,
        Ready::Listening | Ready::Message | Ready::Alive => {}
    }
}
