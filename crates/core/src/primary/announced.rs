//! What a worker announces: which of its listeners, or one that it did not get from the primary.

use super::listener::Listener;
use super::machine::Primary;
use super::worker::Worker;
use crate::{Address, ListenerId, Query, WorkerId};

impl Primary {
    /// Whether a worker announces what it never asked for, or was refused. It has bound the address itself: the
    /// primary has no part in its connections.
    pub(super) fn is_self_bound(&self, worker: WorkerId, query: &Query, port: u16) -> bool {
        // A worker that leaves was taken off its listeners while the word was on its way.
        let may_listen = self.workers.get(&worker).is_some_and(Worker::may_listen);
        let mut held = self.listeners.values().filter(|it| it.is_wanted_by(worker));
        may_listen && !held.any(|it| is_at(it, &query.address, port))
    }

    /// The listener that a worker announces, if it holds it.
    ///
    /// Node repeats its question with the port that it got. Where the kernel chose that, the question was for port 0,
    /// and its number is what tells several of them apart: no two that a worker holds have one, and a worker that gives
    /// a number to another listener has said before, on the same channel, all that there is to say about the last one.
    /// So neither that port alone, which may be another's by now, nor the number alone would do.
    pub(super) fn announced(
        &self,
        worker: WorkerId,
        query: &Query,
        port: u16,
    ) -> Option<ListenerId> {
        let held = |query: &Query| {
            let id = *self.by_key.get(&query.key())?;
            let listener = self.listeners.get(&id)?;
            listener.is_held_by(worker).then_some((id, listener))
        };
        if let Some((id, _)) = held(query) {
            return Some(id);
        }
        let (id, _) = held(&of_any_port(query)?).filter(|it| it.1.port() == Some(port))?;
        Some(id)
    }
}

/// The question as it was, were it for whatever port is free.
fn of_any_port(said: &Query) -> Option<Query> {
    let mut asked = said.clone();
    match &mut asked.address {
        Address::Tcp { port, .. } | Address::Udp { port, fd: None, .. } => *port = 0,
        Address::Udp { fd: Some(_), .. } | Address::Unix { .. } | Address::Fd { .. } => {
            return None;
        }
    }
    Some(asked)
}

/// Whether a worker that asked for this listener announces it so: Node repeats the question with the port that it got.
fn is_at(listener: &Listener, said: &Address, port: u16) -> bool {
    let got = listener.port();
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
