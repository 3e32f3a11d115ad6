//! A model of Node's `cluster` child, as far as the primary can tell.

use portcrew_core::{ConnId, FromWorker, Key, Query, Reply, Seq, ServerId, ToWorker};

use super::process::Todo;
use crate::sim::link::Up;
use crate::sim::plan::port_of;

/// What such a worker remembers.
#[derive(Debug, Default)]
pub(super) struct Node {
    next_seq: u64,
    asked: Vec<(Seq, ServerId, Query)>,
    open: Vec<(Key, ServerId)>,
    leaving: Leaving,
    farewell: Option<Seq>,
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

    pub(super) fn start(&mut self) -> Vec<Todo> {
        self.seq();
        vec![Todo::Say(FromWorker::Online { lane: false })]
    }

    pub(super) fn listen(&mut self, server: ServerId, query: Query) -> Vec<Todo> {
        let held = |it: &(Key, ServerId)| it.0 == query.key();
        let asked = |it: &(Seq, ServerId, Query)| it.2.key() == query.key();
        // It would die of an assertion, and its users do not do that.
        if self.leaving != Leaving::No || self.open.iter().any(held) || self.asked.iter().any(asked)
        {
            return vec![Todo::Closed(server)];
        }
        let seq = self.seq();
        self.asked.push((seq, server, query.clone()));
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
        let Some(at) = self.asked.iter().position(|it| it.0 == ack) else {
            return Vec::new();
        };
        let (_, server, query) = self.asked.remove(at);
        if matches!(reply, Reply::Failed(_)) {
            return vec![Todo::Closed(server)];
        }
        if self.leaving != Leaving::No {
            return vec![Todo::Say(FromWorker::Close { key }), Todo::Closed(server)];
        }
        self.open.push((key, server));
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
        let server = self.open.iter().find(|it| it.0 == *key).map(|it| it.1);
        let answer = |accepted| Todo::Say(FromWorker::Answer { ack: seq, accepted });
        match server {
            Some(server) => {
                vec![Todo::Utter(Up::HandleAck), answer(true), Todo::Deliver(server, conn)]
            }
            None => vec![Todo::Utter(Up::HandleAck), answer(false), Todo::Drop],
        }
    }

    pub(super) fn close_server(&mut self, server: ServerId) -> Vec<Todo> {
        let Some(at) = self.open.iter().position(|it| it.1 == server) else {
            return Vec::new();
        };
        let (key, _) = self.open.remove(at);
        vec![Todo::Say(FromWorker::Close { key }), Todo::Closed(server)]
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
        let servers: Vec<_> = self.open.iter().map(|it| it.1).collect();
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
