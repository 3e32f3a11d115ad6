//! The worker, one rule at a time: events in, actions out.

mod leaving;
mod listening;
mod offers;
mod telling;

use super::{Action, Carrier, Event, Verdict, Worker};
use crate::{
    Address, ConnId, Errno, Family, FromWorker, Key, ListenerId, Query, Reply, Seq, ServerId,
    SockName, ToWorker,
};

const S0: ServerId = ServerId(0);
const S1: ServerId = ServerId(1);
const L0: ListenerId = ListenerId(0);
const LANE: Carrier = Carrier::Lane(L0);

fn tcp(port: u16) -> Query {
    query(Address::Tcp { host: None, port, family: Family::V4, ipv6_only: false })
}

fn unix() -> Query {
    query(Address::Unix { path: "/s".into(), readable_all: false, writable_all: false })
}

fn udp() -> Query {
    query(Address::Udp { host: None, port: 53, family: Family::V4, flags: 0, fd: None })
}

const fn query(address: Address) -> Query {
    Query { address, index: 0, backlog: None, data: None }
}

/// A worker, and its last question.
struct World {
    worker: Worker,
    asked: Option<(Seq, Query)>,
}

impl World {
    fn started(lane: bool) -> Self {
        let mut world = Self { worker: Worker::new(), asked: None };
        world.on(Event::Started { lane });
        world
    }

    /// A worker that holds this listener, as number 0 on both sides.
    fn serving(query: Query) -> Self {
        let mut world = Self::started(true);
        world.listens(S0, query);
        world.gets(L0);
        world
    }

    fn on(&mut self, event: Event) -> Vec<Action> {
        let mut actions = Vec::new();
        self.worker.handle(event, &mut actions);
        for action in &actions {
            if let Action::Send { message: FromWorker::Query { seq, query }, .. } = action {
                self.asked = Some((*seq, query.clone()));
            }
        }
        actions
    }

    fn listens(&mut self, server: ServerId, query: Query) -> Vec<Action> {
        self.on(Event::Listen { server, query })
    }

    /// The primary hands over for what was asked last.
    fn gets(&mut self, listener: ListenerId) -> Vec<Action> {
        let sockname = Some(SockName { address: "127.0.0.1".into(), family: Family::V4, port: 80 });
        self.replied(listener, Reply::Handover { sockname })
    }

    fn replied(&mut self, listener: ListenerId, reply: Reply) -> Vec<Action> {
        let (ack, query) = self.asked.clone().expect("it asked");
        self.hears(ToWorker::Reply { ack, key: query.key(), listener, data: None, reply })
    }

    fn hears(&mut self, message: ToWorker) -> Vec<Action> {
        self.on(Event::Message { message })
    }

    fn offered(&mut self, seq: u64, carrier: Carrier) -> Vec<Action> {
        let conn = Some(ConnId(seq));
        let seq = Seq(seq);
        self.on(Event::Offered { seq, carrier, conn })
    }
}

/// What these actions say on the channel.
fn said(actions: &[Action]) -> Vec<FromWorker> {
    let words = actions.iter().filter_map(|it| match it {
        Action::Send { message, .. } => Some(message.clone()),
        _ => None,
    });
    words.collect()
}

fn by_channel(query: &Query) -> Carrier {
    Carrier::Channel(query.key())
}

const fn lane_answer(seq: u64, verdict: Verdict) -> Action {
    Action::AnswerLane { seq: Seq(seq), verdict }
}

const fn answer(ack: u64, accepted: bool) -> FromWorker {
    let ack = Seq(ack);
    FromWorker::Answer { ack, accepted }
}

const fn dropped(conn: u64) -> Action {
    Action::Drop { conn: ConnId(conn) }
}

const fn delivered(conn: u64) -> Action {
    let conn = ConnId(conn);
    Action::Deliver { server: S0, conn }
}
