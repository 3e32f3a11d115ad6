//! A worker's listeners, from the question to the close.

use std::collections::BTreeSet;

use super::machine::{Life, Proof, Worker};
use super::{Action, Carrier};
use crate::{Errno, FromWorker, Key, ListenerId, Query, Reply, Seq, ServerId};

/// One listener of this worker.
#[derive(Debug)]
pub(super) struct Server {
    query: Query,
    state: State,
}

/// What a reply says about a listener, whatever became of it.
#[derive(Debug)]
pub(super) struct Granted {
    pub(super) key: Key,
    pub(super) listener: ListenerId,
    pub(super) data: Option<String>,
}

#[derive(Debug)]
enum State {
    /// Another of the same address was given up before its answer came. The primary is asked when it was told
    /// to close that one: asked before, it would see one listener wanted twice.
    Waiting,
    /// The primary was asked.
    Asking { seq: Seq, closed: bool },
    /// The primary hands connections over.
    Open { key: Key, listener: ListenerId, proof: Proof },
    /// The socket is here and is being set up.
    SettingUp { key: Key, listener: ListenerId },
    /// The socket is here; the kernel hands connections over, and the primary does while it accepts for others.
    Shared { key: Key, listener: ListenerId },
}

/// What this worker makes of another listener with the same key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rival {
    /// It was given up before its answer came, and is closed when that comes.
    GivenUp,
    /// Its user wants it.
    Wanted,
}

impl Worker {
    pub(super) fn listen(&mut self, server: ServerId, query: Query, out: &mut Vec<Action>) {
        if self.life != Life::Serving {
            // The primary would not answer: a worker that leaves gets no listener.
            out.push(Action::ListenFailed { server, errno: Errno::NOT_CONNECTED });
            return;
        }
        match self.rival(&query) {
            None => self.ask(server, query, out),
            Some(Rival::GivenUp) => {
                self.servers.insert(server, Server { query, state: State::Waiting });
            }
            // Not even asked for: Node's newest primaries lose count of a key that one worker wants twice.
            Some(Rival::Wanted) => {
                out.push(Action::ListenFailed { server, errno: Errno::ADDRESS_IN_USE });
            }
        }
    }

    fn ask(&mut self, server: ServerId, mut query: Query, out: &mut Vec<Action>) {
        query.index = self.indexes.take(&query);
        let seq = self.take_seq();
        let message = FromWorker::Query { seq, query: query.clone() };
        self.servers.insert(server, Server { query, state: State::Asking { seq, closed: false } });
        out.push(Action::Send { seq, message });
    }

    /// Another listener of this worker with the same key, unless both can be had because the kernel chooses the
    /// ports.
    fn rival(&self, query: &Query) -> Option<Rival> {
        if query.index_counts() {
            return None;
        }
        let name = query.name();
        let its = self.servers.values().filter(|it| it.query.name() == name);
        let rivals = its.filter_map(|it| match it.state {
            State::Asking { closed: true, .. } => Some(Rival::GivenUp),
            // Sockets of datagrams may agree to share an address: the primary knows.
            _ if query.address.is_udp() => None,
            State::Waiting
            | State::Asking { closed: false, .. }
            | State::Open { .. }
            | State::SettingUp { .. }
            | State::Shared { .. } => Some(Rival::Wanted),
        });
        rivals.max()
    }

    /// Asks for what waited until an earlier listener was closed.
    fn ask_waiting(&mut self, out: &mut Vec<Action>) {
        let given_up: BTreeSet<_> = self
            .servers
            .values()
            .filter(|it| matches!(it.state, State::Asking { closed: true, .. }))
            .map(|it| it.query.name())
            .collect();
        let waits = |it: &Server| matches!(it.state, State::Waiting);
        let free = |it: &Server| waits(it) && !given_up.contains(&it.query.name());
        let ids: Vec<_> =
            self.servers.iter().filter(|(_, it)| free(it)).map(|(id, _)| *id).collect();
        for id in ids {
            if let Some(it) = self.servers.remove(&id) {
                self.ask(id, it.query, out);
            }
        }
    }

    /// Lets go of a listener of which the primary was asked.
    fn forget(&mut self, id: ServerId) {
        if let Some(it) = self.servers.remove(&id) {
            self.indexes.free(&it.query);
        }
    }

    pub(super) fn replied(
        &mut self,
        ack: Seq,
        granted: Granted,
        reply: Reply,
        out: &mut Vec<Action>,
    ) {
        let Granted { key, listener, data } = granted;
        let asked = |it: &Server| matches!(it.state, State::Asking { seq, .. } if seq == ack);
        let Some((id, it)) = self.servers.iter_mut().find(|(_, it)| asked(it)) else {
            // An answer to nothing that was asked. It carries no duty.
            return;
        };
        let id = *id;
        let given_up = matches!(it.state, State::Asking { closed: true, .. });
        match (reply, given_up) {
            // Nobody waits for it any more.
            (Reply::Failed(_), true) => {
                self.forget(id);
                out.push(Action::Closed { server: id });
            }
            (Reply::Failed(errno), false) => {
                self.forget(id);
                out.push(Action::ListenFailed { server: id, errno });
            }
            // The user closed it before the answer came: give back at once what was just got.
            (Reply::Handover { .. } | Reply::Shared, true) => {
                self.forget(id);
                self.send(FromWorker::Close { key }, out);
                out.push(Action::Closed { server: id });
            }
            // Datagrams cannot be handed over, so this is no answer to the question.
            (Reply::Handover { .. }, false) if it.query.address.is_udp() => {
                self.forget(id);
                self.send(FromWorker::Close { key }, out);
                out.push(Action::ListenFailed { server: id, errno: Errno::INVALID });
            }
            (Reply::Handover { sockname }, false) => {
                let port = sockname.as_ref().map_or(0, |it| it.port);
                let query = it.query.clone();
                it.state = State::Open { key, listener, proof: Proof::of(sockname.as_ref()) };
                out.push(Action::Listening { server: id, sockname, data });
                self.send(FromWorker::Listening { query, port }, out);
            }
            (Reply::Shared, false) => {
                it.state = State::SettingUp { key, listener };
                out.push(Action::SetUpShared { server: id, data });
            }
        }
        if given_up {
            self.ask_waiting(out);
        }
    }

    pub(super) fn shared_ready(
        &mut self,
        id: ServerId,
        outcome: Result<u16, Errno>,
        out: &mut Vec<Action>,
    ) {
        let Some(it) = self.servers.get_mut(&id) else {
            return;
        };
        let State::SettingUp { key, listener } = &it.state else {
            return;
        };
        let (key, listener) = (key.clone(), *listener);
        match outcome {
            Ok(port) => {
                let query = it.query.clone();
                it.state = State::Shared { key, listener };
                self.send(FromWorker::Listening { query, port }, out);
            }
            Err(errno) => {
                self.forget(id);
                self.send(FromWorker::Close { key }, out);
                out.push(Action::ListenFailed { server: id, errno });
            }
        }
    }

    pub(super) fn close_server(&mut self, id: ServerId, out: &mut Vec<Action>) {
        let is_leaving = self.is_leaving();
        let Some(it) = self.servers.get_mut(&id) else {
            return;
        };
        match &mut it.state {
            // Nobody was asked.
            State::Waiting => {
                self.servers.remove(&id);
                if is_leaving {
                    out.push(Action::ListenFailed { server: id, errno: Errno::NOT_CONNECTED });
                } else {
                    out.push(Action::Closed { server: id });
                }
            }
            // The key is not known yet: remember the wish until the answer brings it. To a worker that
            // leaves no answer may come any more, so whoever waits for one is told now.
            State::Asking { closed, .. } => {
                let first = !std::mem::replace(closed, true);
                if is_leaving && first {
                    out.push(Action::ListenFailed { server: id, errno: Errno::NOT_CONNECTED });
                }
            }
            State::Open { key, .. } | State::SettingUp { key, .. } | State::Shared { key, .. } => {
                let message = FromWorker::Close { key: key.clone() };
                self.forget(id);
                self.send(message, out);
                out.push(Action::Closed { server: id });
            }
        }
    }

    /// Whether a reply that names a listener is still to come.
    pub(super) fn may_still_come(&self) -> bool {
        self.life == Life::Serving
            && self
                .servers
                .values()
                .any(|it| matches!(it.state, State::Asking { closed: false, .. }))
    }

    /// Whom an offer is for.
    pub(super) fn server_of(&self, carrier: &Carrier) -> Option<(ServerId, Proof)> {
        if self.life != Life::Serving {
            return None;
        }
        let meant = |it: &Server| match (&it.state, carrier) {
            // No connection is for a UDP socket.
            _ if it.query.address.is_udp() => None,
            (State::Open { listener, proof, .. }, Carrier::Lane(number)) => {
                (listener == number).then_some(*proof)
            }
            // As long as a primary accepts for others, and for what it has when it stops, it gives to workers that
            // accept for themselves too. Their reply does not say what the socket is: answered first, it may be of any
            // kind.
            (
                State::SettingUp { listener, .. } | State::Shared { listener, .. },
                Carrier::Lane(number),
            ) => (listener == number).then_some(Proof::None),
            // What comes by the channel is answered first in any case.
            (
                State::Open { key, .. } | State::SettingUp { key, .. } | State::Shared { key, .. },
                Carrier::Channel(name),
            ) => (key == name).then_some(Proof::None),
            (State::Waiting | State::Asking { .. }, _) => None,
        };
        self.servers.iter().find_map(|(id, it)| Some((*id, meant(it)?)))
    }
}
