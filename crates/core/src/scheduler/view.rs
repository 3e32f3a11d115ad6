//! A worker as a scheduler sees it.

use std::time::Duration;

use crate::supervise::{Generation, SlotId};
use crate::{Time, WorkerId};

/// A worker, for one listener. Those that are leaving are not in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerView {
    /// Who.
    pub worker: WorkerId,
    /// Its place, which a successor takes over.
    pub seat: Seat,
    /// What it was started with. A reload begins a new one.
    pub generation: Generation,
    /// It has said that it listens here. Before that connections wait in its queue.
    pub listening: bool,
    /// Connections that it has open, of all listeners whose connections are counted. `None` where nobody can
    /// tell, and while no policy [needs](super::Needs::live) it.
    pub live: Option<u32>,
    /// Connections of this listener, offered and not yet answered.
    pub in_flight: u32,
    /// It has owed an answer for longer than [`Limits::held_up`](crate::Limits::held_up): what it is given may wait.
    pub held_up: bool,
    /// The most that may be unanswered at once; follows how quickly it answers.
    pub window: u32,
    /// Connections of this listener that it was offered, refused ones included.
    pub given: u64,
    /// The same as fairness counts: a newcomer starts level with the least-given, and a lag beyond
    /// [`Limits::deficit`](crate::Limits::deficit) is forgiven.
    pub share: u64,
    /// When it was last given one, as a running number; 0 is never.
    pub last_given: u64,
    /// From an offer to its answer, as a moving average: each answer counts for an eighth. `None` before the first.
    pub latency: Option<Duration>,
    /// How busy its process is. `None` where nobody can tell, and while no policy [needs](super::Needs::cpu) it.
    pub cpu: Option<CpuShare>,
    /// It refused a connection and rests until then.
    pub resting_until: Option<Time>,
}

/// Where a worker belongs: what a successor has in common with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seat {
    /// In this slot of a crew.
    Slot(SlotId),
    /// It was forked by hand and has no successor.
    Alone(WorkerId),
}

/// Thousandths of one processor: 1000 is a thread that never sleeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct CpuShare(pub u32);

impl WorkerView {
    /// A worker of no crew that was given nothing yet. For tests of schedulers; the primary makes its own.
    #[must_use]
    pub const fn new(worker: WorkerId, window: u32) -> Self {
        Self {
            worker,
            seat: Seat::Alone(worker),
            generation: Generation::FIRST,
            listening: true,
            live: None,
            in_flight: 0,
            held_up: false,
            window,
            given: 0,
            share: 0,
            last_given: 0,
            latency: None,
            cpu: None,
            resting_until: None,
        }
    }

    /// Whether it can be given a connection now.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.in_flight < self.window && self.resting_until.is_none()
    }
}
