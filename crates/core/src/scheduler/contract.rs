//! What a scheduler is asked and what it answers.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Look, WorkerView};
use crate::{ListenerId, WorkerId};

/// Chooses a worker for each connection.
///
/// A closure `FnMut(&Incoming, &[WorkerView]) -> Pick` is a scheduler too; it is told all that can be known.
pub trait Scheduler: Send {
    /// Chooses for one connection. Naming a worker that is not [free](WorkerView::is_free) means that the
    /// connection waits for it; naming one that is not in the list is counted and round-robin decides. A
    /// scheduler that panics is not asked again: round-robin takes its place. One that panics as it is dropped is
    /// gone all the same.
    fn pick(&mut self, incoming: &Incoming, workers: &[WorkerView]) -> Pick;

    /// What it looks at that costs something to know. Asked once, when the policy is set.
    fn needs(&self) -> Needs {
        Needs::ALL
    }

    /// What it is called in counts and words.
    fn name(&self) -> &'static str {
        "custom"
    }
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
    /// Nobody now: the connection waits, and is asked about again when something about the workers changes.
    Wait,
    /// Nobody now: as [`Wait`](Self::Wait), and asked about again after this time at the latest, or, when nobody is
    /// free by then, as soon as somebody is. No sooner than [`Limits::ask_again`](crate::Limits::ask_again).
    WaitAtMost(Duration),
    /// Nobody ever: the connection is closed and counted.
    Refuse,
}

/// What is known of a connection that no worker has yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Incoming {
    /// The listener that it came to.
    pub listener: ListenerId,
    /// Who sent it: the address in its PROXY header where one was [looked for](Needs::look) and found, else
    /// [`peer`](Self::peer).
    pub source: Option<SocketAddr>,
    /// The other end of the connection: the client, or a proxy. `None` for Unix-domain sockets, and for a
    /// client that reset at once.
    pub peer: Option<SocketAddr>,
    /// The address that it came to. `None` for Unix-domain sockets, and where nobody [needs](Needs::local) it.
    pub local: Option<SocketAddr>,
    /// A number that stands for the value that was [looked for](Needs::look): equal values have equal numbers,
    /// for ever. `None` when nothing was looked for or found.
    pub key: Option<u64>,
    /// The place in the crew that the value names by itself: it ends in `.w` and the number of a slot.
    pub route: Option<u32>,
    /// How long it has waited for a worker.
    pub waited: Duration,
}

impl Incoming {
    /// A connection that came to `listener` and of which nothing more is known.
    #[must_use]
    pub const fn new(listener: ListenerId) -> Self {
        let waited = Duration::ZERO;
        Self { listener, source: None, peer: None, local: None, key: None, route: None, waited }
    }

    /// The same, from this client.
    #[must_use]
    pub const fn from(mut self, peer: Option<SocketAddr>) -> Self {
        self.peer = peer;
        self.source = peer;
        self
    }
}

/// What a scheduler looks at and what costs something to know.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Needs {
    /// How many connections each worker has open: [`WorkerView::live`]. Costs a message of the kernel for each
    /// connection that ends.
    pub live: bool,
    /// How busy each worker's process is: [`WorkerView::cpu`]. Costs a read of `/proc` for each worker, some
    /// times a second.
    pub cpu: bool,
    /// [`Incoming::local`]. Costs a system call for each connection, where the listener is for any address.
    pub local: bool,
    /// What is looked for in a connection's first bytes, before a worker is chosen.
    pub look: Option<Look>,
}

impl Needs {
    /// Nothing of it.
    pub const NONE: Self = Self { live: false, cpu: false, local: false, look: None };
    /// All but the first bytes.
    pub const ALL: Self = Self { live: true, cpu: true, local: true, look: None };
    /// The open connections.
    pub const LIVE: Self = Self { live: true, ..Self::NONE };
}
