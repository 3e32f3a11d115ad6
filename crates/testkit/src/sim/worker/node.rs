//! A model of Node's `cluster` child, as far as the primary can tell.

use portcrew_core::{Address, ConnId, FromWorker, Key, Query, Reply, Seq, ServerId, ToWorker};

use super::process::Todo;
use crate::sim::link::Up;
use crate::sim::plan::{is_of_any_port, port_of};

/// What such a worker remembers.
#[derive(Debug, Default)]
pub(super) struct Node {
    next_seq: u64,
    asked: Vec<Asked>,
    open: Vec<Open>,
    /// Per address, the number of its next question, and its listeners and questions that are not closed.
    indexes: Vec<(Address, u32, u32)>,
    leaving: Leaving,
    farewell: Option<Seq>,
}

/// A question without an answer yet.
#[derive(Debug)]
struct Asked {
    seq: Seq,
    server: ServerId,
    query: Query,
    /// Its user has given it up, which is said when the answer is there.
    given_up: bool,
}

/// A listener.
#[derive(Debug)]
struct Open {
    key: Key,
    server: ServerId,
    address: Address,
}

#[derive(Debug, Default, PartialEq, Eq)]
enum Leaving {
    #[default]
    No,
    Told,
    Own,
}

impl Node {
    const fn seq(&mut self) -> Seq {
        let seq = Seq(self.next_seq);
        self.next_seq += 1;
        seq
    }

    pub(super) const fn is_leaving(&self) -> bool {
        !matches!(self.leaving, Leaving::No)
    }

    pub(super) fn start(&mut self) -> Vec<Todo> {
        self.seq();
        vec![Todo::Say(FromWorker::Online { lane: false })]
    }

    /// Counts up until the last listener of that address is closed. A failure closes nothing.
    fn index(&mut self, address: &Address) -> u32 {
        if !self.indexes.iter().any(|it| it.0 == *address) {
            self.indexes.push((address.clone(), 0, 0));
        }
        let its = self.indexes.iter_mut().find(|it| it.0 == *address);
        its.map_or(0, |it| {
            (it.1, it.2) = (it.1 + 1, it.2 + 1);
            it.1 - 1
        })
    }

    fn close(&mut self, address: &Address, key: Key, server: ServerId) -> Vec<Todo> {
        let its = self.indexes.iter_mut().filter(|it| it.0 == *address);
        its.for_each(|it| it.2 -= 1);
        self.indexes.retain(|it| it.2 > 0);
        vec![Todo::Say(FromWorker::Close { key }), Todo::Closed(server)]
    }

    pub(super) fn listen(&mut self, server: ServerId, mut query: Query) -> Vec<Todo> {
        if is_of_any_port(&query.address) {
            query.index = self.index(&query.address);
        }
        let held = |it: &Open| it.key == query.key();
        let asked = |it: &Asked| !it.given_up && it.query.key() == query.key();
        // Its users do not want one address twice.
        if self.leaving != Leaving::No || self.open.iter().any(held) || self.asked.iter().any(asked)
        {
            return vec![Todo::Closed(server)];
        }
        let seq = self.seq();
        self.asked.push(Asked { seq, server, query: query.clone(), given_up: false });
        vec![Todo::Say(FromWorker::Query { seq, query })]
    }

    pub(super) fn message(&mut self, message: ToWorker) -> Vec<Todo> {
        match message {
            ToWorker::Reply { ack, key, reply, .. } => self.replied(ack, key, &reply),
            ToWorker::Disconnect => self.told(),
            ToWorker::FarewellHeard { ack } if self.farewell == Some(ack) => {
                vec![Todo::CloseChannel]
            }
            ToWorker::FarewellHeard { .. } => Vec::new(),
        }
    }

    fn replied(&mut self, ack: Seq, key: Key, reply: &Reply) -> Vec<Todo> {
        let Some(at) = self.asked.iter().position(|it| it.seq == ack) else {
            return Vec::new();
        };
        let Asked { server, query, given_up, .. } = self.asked.remove(at);
        if let Reply::Failed(errno) = reply {
            return vec![Todo::Refused(server, *errno)];
        }
        if self.open.iter().any(|it| it.key == key) {
            return vec![Todo::Assert(key)];
        }
        if given_up || self.leaving != Leaving::No {
            return self.close(&query.address, key, server);
        }
        self.open.push(Open { key, server, address: query.address.clone() });
        let port = port_of(&query);
        let listening = Todo::Say(FromWorker::Listening { query, port });
        match reply {
            // The process fills in which socket came.
            Reply::Shared => {
                vec![Todo::SetUp(server, portcrew_core::ListenerId(u32::MAX)), listening]
            }
            Reply::Handover { .. } | Reply::Failed(_) => vec![Todo::Opened(server), listening],
        }
    }

    /// It answers before its user sees the connection. A lost descriptor is a NACK.
    pub(super) fn offered(&mut self, seq: Seq, key: &Key, conn: Option<ConnId>) -> Vec<Todo> {
        let Some(conn) = conn else {
            return vec![Todo::Utter(Up::HandleNack)];
        };
        let server = self.open.iter().find(|it| it.key == *key).map(|it| it.server);
        let answer = |accepted| Todo::Say(FromWorker::Answer { ack: seq, accepted });
        match server {
            Some(server) => {
                vec![Todo::Utter(Up::HandleAck), answer(true), Todo::Deliver(server, conn)]
            }
            None => vec![Todo::Utter(Up::HandleAck), answer(false), Todo::Drop(conn)],
        }
    }

    pub(super) fn close_server(&mut self, server: ServerId) -> Vec<Todo> {
        let Some(at) = self.open.iter().position(|it| it.server == server) else {
            let asked = self.asked.iter_mut().find(|it| it.server == server);
            asked.into_iter().for_each(|it| it.given_up = true);
            return Vec::new();
        };
        let Open { key, address, .. } = self.open.remove(at);
        self.close(&address, key, server)
    }

    pub(super) fn disconnect(&mut self) -> Vec<Todo> {
        self.leave(Leaving::Own)
    }

    /// With this word it waits for no answer to a farewell any more. (Where it finishes connections by its own will
    /// Node closes the channel at once and the process later; here both come when it has finished.)
    fn told(&mut self) -> Vec<Todo> {
        if self.farewell.is_some() {
            return vec![Todo::CloseChannel];
        }
        let steps = self.leave(Leaving::Told);
        self.leaving = Leaving::Told;
        steps
    }

    fn leave(&mut self, wish: Leaving) -> Vec<Todo> {
        if self.leaving != Leaving::No {
            return Vec::new();
        }
        self.leaving = wish;
        let servers: Vec<_> = self.open.iter().map(|it| it.server).collect();
        let mut steps: Vec<_> =
            servers.into_iter().flat_map(|server| self.close_server(server)).collect();
        steps.push(Todo::Drain);
        steps
    }

    pub(super) fn finished(&mut self) -> Vec<Todo> {
        if self.leaving == Leaving::Told {
            return vec![Todo::CloseChannel];
        }
        let seq = self.seq();
        self.farewell = Some(seq);
        vec![Todo::Say(FromWorker::ExitedAfterDisconnect { seq })]
    }
}
