//! What a scheduler sees and what it answers.

use std::net::SocketAddr;

use crate::{ListenerId, Time, WorkerId};

/// Chooses a worker for each connection.
///
/// A closure `FnMut(&Incoming, &[WorkerView]) -> Pick` is a scheduler too.
pub trait Scheduler: Send {
    /// Chooses for one connection. Naming a worker that is not [free](WorkerView::is_free) means that the
    /// connection waits for it; naming one that is not in the list is counted and round-robin decides.
    fn pick(&mut self, incoming: &Incoming, workers: &[WorkerView]) -> Pick;
}

impl<F> Scheduler for F
where
    F: FnMut(&Incoming, &[WorkerView]) -> Pick + Send,
{
    fn pick(&mut self, incoming: &Incoming, workers: &[WorkerView]) -> Pick {
        self(incoming, workers)
    }
}

/// What a scheduler answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pick {
    /// This worker.
    Worker(WorkerId),
    /// Nobody now: the connection waits, and is asked about again when a worker becomes free.
    Wait,
    /// Nobody ever: the connection is closed and counted.
    Refuse,
}

/// What is known of a connection before anyone has read from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incoming {
    /// The listener that it came to.
    pub listener: ListenerId,
    /// The client's address. `None` for Unix-domain sockets, and for a client that reset at once.
    pub peer: Option<SocketAddr>,
}

impl Incoming {
    /// A connection that came to `listener` from `peer`.
    #[must_use]
    pub const fn new(listener: ListenerId, peer: Option<SocketAddr>) -> Self {
        Self { listener, peer }
    }
}

/// A worker as a scheduler sees it, for one listener.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WorkerView {
    /// Who.
    pub worker: WorkerId,
    /// Connections offered and not yet answered.
    pub in_flight: u32,
    /// The most that may be unanswered at once.
    pub window: u32,
    /// Connections given so far, as fairness counts: a newcomer starts level with the least-given, and a
    /// lag beyond [`Limits::deficit`](crate::Limits::deficit) is forgiven.
    pub share: u64,
    /// When it was last given one, as a running number; 0 is never.
    pub last_given: u64,
    /// It refused a connection and rests until then.
    pub resting_until: Option<Time>,
}

impl WorkerView {
    /// Whether it can be given a connection now.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        self.in_flight < self.window && self.resting_until.is_none()
    }
}
