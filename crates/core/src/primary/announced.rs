//! Whether a listener that a worker announces is one that it got from the primary.

use super::listener::{Listener, State};
use super::machine::Primary;
use super::worker::Worker;
use crate::{Address, Query, WorkerId};

impl Primary {
    /// Whether a worker announces what it never asked for, or was refused. It has bound the address itself: the
    /// primary has no part in its connections.
    pub(super) fn is_self_bound(&self, worker: WorkerId, query: &Query, port: u16) -> bool {
        // A worker that leaves was taken off its listeners while the word was on its way.
        let may_listen = self.workers.get(&worker).is_some_and(Worker::may_listen);
        let mut held = self.listeners.values().filter(|it| it.is_wanted_by(worker));
        may_listen && !held.any(|it| is_at(it, &query.address, port))
    }
}

/// Whether a worker that asked for this listener announces it so: Node repeats the question with the port that it got.
fn is_at(listener: &Listener, said: &Address, port: u16) -> bool {
    let got = match &listener.state {
        State::Open(bound) => bound.sockname.as_ref().map(|it| it.port),
        State::Binding { .. } => None,
    };
    let fits = |asked: u16| port == asked || asked == 0 && got.is_none_or(|got| got == port);
    match (&listener.query.address, said) {
        (
            Address::Tcp { host, port: asked, family, .. },
            Address::Tcp { host: said, family: kind, .. },
        ) => host == said && family == kind && fits(*asked),
        (
            Address::Udp { host, port: asked, family, fd, .. },
            Address::Udp { host: said, family: kind, fd: number, .. },
        ) => family == kind && fd == number && (fd.is_some() || host == said && fits(*asked)),
        (Address::Unix { path, .. }, Address::Unix { path: said, .. }) => path == said,
        (Address::Fd { fd }, Address::Fd { fd: said }) => fd == said,
        (
            Address::Tcp { .. } | Address::Udp { .. } | Address::Unix { .. } | Address::Fd { .. },
            _,
        ) => false,
    }
}
