//! The seeded scheduler: who moves next, and by how little.

use std::time::Duration;

use portcrew_core::primary::Origin;
use portcrew_core::scheduler::Seat;
use portcrew_core::supervise::{Generation, SlotId};
use portcrew_core::{ConnId, ListenerId};

use super::account::Status;
use super::kernel::Peer;
use super::plan::Manner;
use super::report::{Broken, Checked};
use super::worker::Run;
use super::world::World;

type Moved = Result<bool, Broken>;

/// Who moves.
#[derive(Debug, Clone, Copy)]
enum Mover {
    Client,
    Accept,
    Read,
    Worker,
    User,
    Bind,
    Prove,
    Reap,
    Look,
    Count,
    End,
    Measure,
    Crew,
    Time,
    Fault,
    Command,
    Rule,
}

const MOVERS: [(Mover, u64); 17] = [
    (Mover::Client, 20),
    (Mover::Accept, 12),
    (Mover::Read, 20),
    (Mover::Worker, 34),
    (Mover::User, 12),
    (Mover::Bind, 5),
    (Mover::Prove, 5),
    (Mover::Reap, 5),
    (Mover::Look, 6),
    (Mover::Count, 4),
    (Mover::End, 6),
    (Mover::Measure, 2),
    (Mover::Crew, 0),
    (Mover::Time, 4),
    (Mover::Fault, 3),
    (Mover::Command, 2),
    (Mover::Rule, 2),
];

/// The same where a crew's machine decides about workers: that takes time.
const LED: [(Mover, u64); 17] = [
    (Mover::Client, 20),
    (Mover::Accept, 12),
    (Mover::Read, 26),
    (Mover::Worker, 40),
    (Mover::User, 12),
    (Mover::Bind, 5),
    (Mover::Prove, 5),
    (Mover::Reap, 14),
    (Mover::Look, 6),
    (Mover::Count, 4),
    (Mover::End, 6),
    (Mover::Measure, 2),
    (Mover::Crew, 5),
    (Mover::Time, 14),
    (Mover::Fault, 3),
    (Mover::Command, 3),
    (Mover::Rule, 2),
];

/// How many movers are tried until one has something to do.
const TRIES: usize = 4;

impl World {
    /// The part with faults.
    pub(super) fn run_faulty(&mut self) -> Checked {
        self.begin()?;
        while self.step < self.plan.steps && self.rng.step() {
            self.step += 1;
            self.turns += 1;
            for _ in 0..TRIES {
                if self.one_move()? {
                    break;
                }
            }
        }
        Ok(())
    }

    fn begin(&mut self) -> Checked {
        if self.crew.is_some() {
            return self.crew_begins();
        }
        for (slot, temper) in self.plan.crew.clone().into_iter().enumerate() {
            let seat = Seat::Slot(SlotId(slot));
            self.fork(temper, Origin { seat, generation: Generation::FIRST }, false)?;
        }
        Ok(())
    }

    /// One of the processes of which something can still be heard; any, when there is none.
    pub(super) fn any_process(&mut self) -> Option<usize> {
        let many = self.processes.len();
        if many == 0 {
            return None;
        }
        let from = self.rng.index(many);
        Some((from..many).chain(0..from).find(|at| !self.is_gone(*at)).unwrap_or(from))
    }

    /// It was reaped and read to its end: nothing will be heard of it any more.
    pub(super) fn is_gone(&self, at: usize) -> bool {
        let it = &self.processes[at];
        it.run == Run::Reaped && self.shell.desks.get(&it.id).is_none_or(|it| it.drained)
    }

    fn one_move(&mut self) -> Moved {
        let movers = if self.crew.is_some() { &LED } else { &MOVERS };
        match self.rng.weighted(movers) {
            Mover::Client => Ok(self.client()),
            Mover::Accept => {
                let batch = self.rng.index(4) + 1;
                match self.any_socket() {
                    Some(listener) => self.accept_from(listener, batch),
                    None => Ok(false),
                }
            }
            Mover::Read => {
                let lane_first = self.rng.percent(50);
                match self.any_process() {
                    Some(at) => self.read_from(at, lane_first),
                    None => Ok(false),
                }
            }
            Mover::Worker => self.worker_acts(),
            Mover::User => self.user_acts(),
            Mover::Bind => self.bind_next(),
            Mover::Prove => self.prove_next(),
            Mover::Reap if self.rng.percent(40) => self.reap_all(),
            Mover::Reap => match self.any_process() {
                Some(at) => self.reap(at),
                None => Ok(false),
            },
            Mover::Look => self.look_next(),
            Mover::Count => self.count_next(),
            Mover::End => self.end_next(),
            Mover::Measure => self.measure(),
            Mover::Crew => self.crew_answers(),
            Mover::Time => self.time_passes(),
            Mover::Fault => self.fault(),
            Mover::Command => self.command(),
            Mover::Rule if self.rng.percent(30) => self.change_rules(),
            Mover::Rule => Ok(false),
        }
    }

    fn any_socket(&mut self) -> Option<ListenerId> {
        let at = self.rng.index(self.kernel.sockets.len());
        self.kernel.sockets.keys().nth(at).copied()
    }

    fn worker_acts(&mut self) -> Moved {
        let Some(at) = self.any_process() else {
            return Ok(false);
        };
        let slow = self.processes[at].temper.manner == Manner::Slow;
        if slow && !self.settling && self.rng.percent(80) {
            return Ok(false);
        }
        // Several small steps in one go, as often as not: processes are faster than clients.
        let steps = self.rng.between(1, 6);
        let mut moved = false;
        for _ in 0..steps {
            moved |= self.worker_steps(at)?;
        }
        Ok(moved)
    }

    pub(super) fn worker_steps(&mut self, at: usize) -> Moved {
        let lane_first = self.rng.percent(50);
        let process = &mut self.processes[at];
        let moved = process.step(&mut self.kernel, &mut self.seen, lane_first)?;
        if moved {
            let process = &self.processes[at];
            self.trace.say(|| format!("    worker {}: {}", process.id, process.next_step()));
            self.flush_some();
        }
        Ok(moved)
    }

    fn user_acts(&mut self) -> Moved {
        let Some(at) = self.any_process() else {
            return Ok(false);
        };
        // What is handed over at once may be served before its answer is out.
        let mut moved = false;
        for _ in 0..self.rng.between(1, 4) {
            moved |= self.user_serves(at)?;
        }
        Ok(moved)
    }

    pub(super) fn user_serves(&mut self, at: usize) -> Moved {
        let process = &mut self.processes[at];
        process.serve(&mut self.kernel, &mut self.rng, &mut self.seen)
    }

    fn time_passes(&mut self) -> Moved {
        if self.rng.percent(20) {
            return self.jump();
        }
        // Where workers are watched it is seconds that matter.
        let most = if self.is_watched() && self.rng.percent(30) { 900_000 } else { 30_000 };
        let wait = Duration::from_micros(self.rng.between(100, most));
        self.pass(wait)?;
        Ok(true)
    }

    fn client(&mut self) -> bool {
        if self.kernel.connections() == 0 || self.rng.percent(45) {
            return self.connect();
        }
        let back = self.rng.index(self.kernel.connections().min(24)) + 1;
        let conn = ConnId((self.kernel.connections() - back) as u64);
        let choice = self.rng.below(100);
        let status = self.account.entry(conn).map(|it| it.status);
        let it = self.kernel.conn_mut(conn);
        if it.peer != Peer::Open || it.answered {
            return false;
        }
        let did = match choice {
            0..70 => {
                it.sent += 46;
                "sends"
            }
            70..85 => {
                it.peer = Peer::Fin;
                if it.unread() > 0 && matches!(status, Some(Status::Offered(..))) {
                    self.seen.saw("client half-closed while offered, with bytes unread");
                }
                "ends"
            }
            _ => {
                it.peer = Peer::Rst;
                match status {
                    None => self.seen.saw("client reset before the accept"),
                    Some(Status::Offered(..)) => self.seen.saw("client reset while offered"),
                    Some(_) => {}
                }
                "resets"
            }
        };
        self.trace.say(|| format!("    client {conn} {did}"));
        true
    }

    fn connect(&mut self) -> bool {
        let Some(listener) = self.any_socket() else {
            return false;
        };
        match self.kernel.connect(listener) {
            Some(conn) => {
                self.trace.say(|| format!("    client {conn} connects to listener {listener}"));
                if self.rng.percent(60) {
                    self.kernel.conn_mut(conn).sent = 46;
                }
                true
            }
            None => {
                self.seen.saw("backlog full");
                false
            }
        }
    }
}
