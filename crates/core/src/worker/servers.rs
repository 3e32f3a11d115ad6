//! A worker's listeners, from the question to the close.

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
    /// The primary is not asked before it has answered a question for the same key that was given up: it would
    /// refuse the second listener of one key.
    Waiting,
    /// The primary was asked.
    Asking { seq: Seq, closed: bool },
    /// The primary hands connections over.
    Open { key: Key, listener: ListenerId, proof: Proof },
    /// The socket is here and is being set up.
    SettingUp { key: Key },
    /// The socket is here; the kernel hands connections over.
    Shared { key: Key },
}

impl Worker {
    pub(super) fn listen(&mut self, server: ServerId, query: Query, out: &mut Vec<Action>) {
        if self.life != Life::Serving {
            // The primary would not answer: a worker that leaves gets no listener.
            out.push(Action::ListenFailed { server, errno: Errno::NOT_CONNECTED });
            return;
        }
        self.servers.insert(server, Server { query, state: State::Waiting });
        self.ask(server, out);
    }

    fn ask(&mut self, server: ServerId, out: &mut Vec<Action>) {
        let Some(it) = self.servers.get(&server) else {
            return;
        };
        let mut query = it.query.clone();
        query.index = self.free_index(server, &query);
        let key = query.key();
        let given_up = |it: &Server| matches!(it.state, State::Asking { closed: true, .. });
        if self.servers.values().any(|it| given_up(it) && it.query.key() == key) {
            return;
        }
        let seq = self.take_seq();
        let message = FromWorker::Query { seq, query: query.clone() };
        self.servers.insert(server, Server { query, state: State::Asking { seq, closed: false } });
        out.push(Action::Send { seq, message });
    }

    /// A question that was given up is answered: others may have waited for that.
    fn ask_waiting(&mut self, out: &mut Vec<Action>) {
        let waiting = self.servers.iter().filter(|(_, it)| matches!(it.state, State::Waiting));
        for server in waiting.map(|(server, _)| *server).collect::<Vec<_>>() {
            self.ask(server, out);
        }
    }

    /// The lowest index that no other open listener of the same place has.
    fn free_index(&self, server: ServerId, query: &Query) -> u32 {
        // Two queries are for one place when their keys say so, in which options have no part.
        let place = |query: &Query| {
            let address = query.address.clone();
            Query { address, index: 0, backlog: None, data: None }.key()
        };
        let wanted = place(query);
        let others = self.servers.iter().filter(|(id, it)| {
            **id != server && !matches!(it.state, State::Waiting) && place(&it.query) == wanted
        });
        let taken: Vec<u32> = others.map(|(_, it)| it.query.index).collect();
        (0..).find(|index| !taken.contains(index)).unwrap_or(0)
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
                self.servers.remove(&id);
                out.push(Action::Closed { server: id });
            }
            (Reply::Failed(errno), false) => {
                self.servers.remove(&id);
                out.push(Action::ListenFailed { server: id, errno });
            }
            // The user closed it before the answer came: give back at once what was just got.
            (Reply::Handover { .. } | Reply::Shared, true) => {
                self.servers.remove(&id);
                self.send(FromWorker::Close { key }, out);
                out.push(Action::Closed { server: id });
            }
            // Datagrams cannot be handed over, so this is no answer to the question.
            (Reply::Handover { .. }, false) if it.query.address.is_udp() => {
                self.servers.remove(&id);
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
                it.state = State::SettingUp { key };
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
        let State::SettingUp { key } = &it.state else {
            return;
        };
        let key = key.clone();
        match outcome {
            Ok(port) => {
                let query = it.query.clone();
                it.state = State::Shared { key };
                self.send(FromWorker::Listening { query, port }, out);
            }
            Err(errno) => {
                self.servers.remove(&id);
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
            // The key is not known yet: remember the wish until the answer brings it. To a worker that
            // leaves no answer may come any more, so whoever waits for one is told now.
            State::Asking { closed, .. } => {
                let first = !std::mem::replace(closed, true);
                if is_leaving && first {
                    out.push(Action::ListenFailed { server: id, errno: Errno::NOT_CONNECTED });
                }
            }
            // Nobody else knows of it.
            State::Waiting => {
                self.servers.remove(&id);
                out.push(match is_leaving {
                    false => Action::Closed { server: id },
                    true => Action::ListenFailed { server: id, errno: Errno::NOT_CONNECTED },
                });
            }
            State::Open { key, .. } | State::SettingUp { key } | State::Shared { key } => {
                let message = FromWorker::Close { key: key.clone() };
                self.servers.remove(&id);
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
            // What comes by the channel is answered first in any case. A worker that holds the key as a
            // shared socket takes hand-overs for it too.
            (State::Open { key, .. } | State::Shared { key }, Carrier::Channel(name)) => {
                (key == name).then_some(Proof::None)
            }
            (State::Shared { .. }, Carrier::Lane(_)) => None,
            (State::Waiting | State::Asking { .. } | State::SettingUp { .. }, _) => None,
        };
        self.servers.iter().find_map(|(id, it)| Some((*id, meant(it)?)))
    }
}
