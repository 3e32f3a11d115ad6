//! One worker and one slot, as the crew knows them.

use std::collections::VecDeque;

use crate::{Backoff, Errno, Time, WorkerId};

/// A worker's life in its crew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Its process runs; it has said nothing.
    Spawned,
    /// It speaks the protocol.
    Online,
    /// It listens.
    Ready,
    /// It is being ended.
    Draining(Step),
}

/// How far the ending of a worker has gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// It was asked.
    Asked,
    /// It got SIGTERM.
    Terminated,
    /// It got SIGKILL.
    Killed,
}

/// A worker's record.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) slot: usize,
    pub(super) life: Life,
    pub(super) was_ready: bool,
    /// It has lived long enough for its slot's delays to begin anew.
    pub(super) settled: bool,
    pub(super) cannot_listen: Option<Errno>,
}

impl Member {
    pub(super) const fn spawned(slot: usize) -> Self {
        Self { slot, life: Life::Spawned, was_ready: false, settled: false, cannot_listen: None }
    }

    pub(super) const fn is_leaving(&self) -> bool {
        matches!(self.life, Life::Draining(_))
    }
}

/// What a slot holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    /// Nobody, and nobody was asked for.
    Vacant,
    /// Nobody until the restart's delay is over.
    Waiting,
    /// A fork was asked for.
    Forking,
    /// A worker.
    Taken(WorkerId),
}

/// A slot's record.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) seat: Seat,
    /// Of the worker that is wanted here.
    pub(super) generation: u64,
    pub(super) backoff: Backoff,
    /// When workers of this slot died before they were ready, within the window.
    pub(super) deaths: VecDeque<Time>,
    pub(super) restarts: u64,
}

/// A slot, for those who watch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotView {
    /// Its worker.
    pub worker: Option<WorkerId>,
    /// How far that worker's life has come.
    pub life: Option<Life>,
    /// Of the worker that is wanted here.
    pub generation: u64,
    /// How often its worker was replaced after a death.
    pub restarts: u64,
}
