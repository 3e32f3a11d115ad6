//! From a user's settings to what they mean to the crew's machine.

use portcrew_core::supervise::{Drain as MachineDrain, Readiness, Settings as Machine};

use crate::{Drain, Liveness, Ready, Settings};

/// The settings of a crew of so many workers. What they say of how workers are started is the launcher's.
pub(super) fn machine(ours: &Settings, workers: usize) -> Machine {
    let mut machine = Machine::default();
    machine.workers = workers;
    machine.seed = u64::from(std::process::id());
    machine.readiness = readiness(ours);
    machine.start_deadline = ours.start_deadline;
    machine.reload_deadline = ours.start_deadline;
    machine.stable_for = ours.stable_for;
    machine.head_start = ours.head_start;
    (machine.surge, machine.max_unavailable) = (ours.surge, ours.max_unavailable);
    let is_told = machine.readiness != Readiness::Age;
    // Programs that have their sockets from their start do not get into each other's way.
    machine.overlap = ours.overlap || is_told || !ours.listen.is_empty();
    machine.drain = drain(ours);
    (machine.grace, machine.term_grace) = (ours.grace, ours.kill_after);
    (machine.max_age, machine.max_memory) = (ours.max_age, ours.max_memory);
    machine.max_connections = ours.max_connections;
    machine.stop_exit_codes.clone_from(&ours.stop_exit_codes);
    watch(&mut machine, &ours.ready, &ours.liveness);
    machine
}

fn readiness(ours: &Settings) -> Readiness {
    match &ours.ready {
        // They listen before they run, and say nothing of it.
        Ready::Listening if !ours.listen.is_empty() => Readiness::Age,
        Ready::Listening => Readiness::ToldIfEver,
        Ready::Message | Ready::Notify | Ready::TcpConnect(_) | Ready::HttpGet(_) => {
            Readiness::Told
        }
        Ready::Alive => Readiness::Age,
    }
}

fn drain(ours: &Settings) -> MachineDrain {
    match &ours.drain {
        // There is no channel for it. By what they are made to leave, they are told to.
        Drain::Disconnect if !ours.listen.is_empty() => MachineDrain::Signal,
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
