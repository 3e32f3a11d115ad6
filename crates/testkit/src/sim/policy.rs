//! The policies of the simulated primaries, without memory, so that a checker can ask them again.

use portcrew_core::WorkerId;
use portcrew_core::scheduler::{Incoming, Pick, RoundRobin, Scheduler, WorkerView};

/// Who gets the next connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Core's own.
    RoundRobin,
    /// By the client's address: it names a busy worker too, and the connection waits for that one.
    Sticky,
    /// Round robin that turns some clients away.
    Choosy,
    /// Names workers that do not exist.
    Confused,
}

impl Scheduler for Policy {
    fn pick(&mut self, incoming: &Incoming, workers: &[WorkerView]) -> Pick {
        let client = incoming.peer.map_or(0, |peer| usize::from(peer.port()));
        match self {
            Self::RoundRobin => RoundRobin.pick(incoming, workers),
            Self::Sticky if workers.is_empty() => Pick::Wait,
            Self::Sticky => Pick::Worker(workers[client % workers.len()].worker),
            Self::Choosy if client % 5 == 4 => Pick::Refuse,
            Self::Choosy => RoundRobin.pick(incoming, workers),
            Self::Confused if client % 3 == 2 => Pick::Worker(WorkerId(u32::MAX)),
            Self::Confused => RoundRobin.pick(incoming, workers),
        }
    }
}

impl Policy {
    /// Whether this connection would not wait: somebody would be given it, or it would be refused.
    #[must_use]
    pub fn would_act(mut self, incoming: &Incoming, workers: &[WorkerView]) -> bool {
        if !workers.iter().any(WorkerView::is_free) {
            return false;
        }
        match self.pick(incoming, workers) {
            Pick::Wait | Pick::WaitAtMost(_) => false,
            Pick::Refuse => true,
            // A worker that is not there: round robin decides, and somebody is free.
            Pick::Worker(named) => {
                workers.iter().find(|view| view.worker == named).is_none_or(WorkerView::is_free)
            }
        }
    }

    /// Whether it turns this client away.
    #[must_use]
    pub fn refuses(mut self, incoming: &Incoming, workers: &[WorkerView]) -> bool {
        self.pick(incoming, workers) == Pick::Refuse
    }
}
