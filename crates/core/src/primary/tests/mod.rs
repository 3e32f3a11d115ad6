//! The primary, one rule at a time: events in, actions out.

mod accepting;
mod announced;
mod answers;
mod confinement;
mod data;
mod deaths;
mod handover;
mod inside;
mod kernel;
mod leaving;
mod listeners;
mod live;
mod looking;
mod refusals;
mod renewed;
mod rules;
mod seconds;
mod self_bound;
mod strangers;
mod summary;
mod unasked;
mod window;

use std::time::Duration;

use super::{
    Action, BoundTo, End, Event, Exit, ListenerName, Mode, Notice, Origin, Place, Primary, Proof,
    Rule, Rules, Scheduling, Settings, View,
};
use crate::{
    Address, CloseReason, ConnId, Family, FromWorker, Limits, ListenerId, Query, Reply, Seq,
    SocketKind, Time, ToWorker, WorkerId,
};

const L0: ListenerId = ListenerId(0);
const W1: WorkerId = WorkerId(1);
const W2: WorkerId = WorkerId(2);

/// A primary, the time, and what it decided last.
struct World {
    primary: Primary,
    now: Time,
    last: Vec<Action>,
    questions: u64,
}

fn tcp(port: u16) -> Query {
    query(Address::Tcp { host: None, port, family: Family::V4, ipv6_only: false })
}

fn unix() -> Query {
    query(Address::Unix { path: "/s".into(), readable_all: false, writable_all: false })
}

fn udp(port: u16, flags: u32, index: u32) -> Query {
    let address = Address::Udp { host: None, port, family: Family::V4, flags, fd: None };
    Query { index, ..query(address) }
}

const fn query(address: Address) -> Query {
    Query { address, index: 0, backlog: None, data: None }
}

impl World {
    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = Settings::default();
        // Node's own number, so that a worker without a lane is busy with one.
        settings.limits.channel_window = 1;
        change(&mut settings);
        Self { primary: Primary::new(settings), now: Time::ZERO, last: Vec::new(), questions: 0 }
    }

    fn limited(change: impl FnOnce(&mut Limits)) -> Self {
        Self::with(|settings| change(&mut settings.limits))
    }

    fn ruled(rule: Rule) -> Self {
        Self::with(|settings| settings.rules = Rules::new(rule))
    }

    /// Workers 1 to `count`, all on port 80.
    fn crew(mut self, count: u32, lane: bool) -> Self {
        for worker in 1..=count {
            self.joins(WorkerId(worker), lane, tcp(80));
        }
        self
    }

    /// What the primary decides on this event.
    fn on(&mut self, event: Event) -> &[Action] {
        self.last.clear();
        self.primary.handle(self.now, event, &mut self.last);
        assert!(self.primary.ledger().balances());
        &self.last
    }

    fn says(&mut self, worker: WorkerId, message: FromWorker) -> &[Action] {
        self.on(Event::Message { worker, message })
    }

    fn asks(&mut self, worker: WorkerId, query: Query) -> Vec<Action> {
        let seq = Seq(self.questions);
        self.questions += 1;
        self.says(worker, FromWorker::Query { seq, query }).to_vec()
    }

    fn comes(&mut self, worker: WorkerId, lane: bool) {
        self.on(Event::Forked { worker, origin: Origin::alone(worker) });
        self.says(worker, FromWorker::Online { lane });
    }

    /// A worker comes and listens; a socket that it is the first to want is bound. What that decided.
    fn joins(&mut self, worker: WorkerId, lane: bool, query: Query) -> Vec<Action> {
        self.comes(worker, lane);
        let actions = self.asks(worker, query);
        match actions.as_slice() {
            [Action::Bind { listener, .. }] => self.bound(*listener),
            _ => actions,
        }
    }

    fn bound(&mut self, listener: ListenerId) -> Vec<Action> {
        self.bound_to(listener, SocketKind::Tcp)
    }

    fn bound_to(&mut self, listener: ListenerId, kind: SocketKind) -> Vec<Action> {
        let outcome = Ok(BoundTo { kind, sockname: None });
        self.on(Event::Bound { listener, outcome }).to_vec()
    }

    fn accepts(&mut self, conn: u64) -> &[Action] {
        self.on(Event::Accepted { listener: L0, conn: ConnId(conn), peer: None, local: None })
    }

    fn answers(&mut self, worker: WorkerId, ack: Seq, accepted: bool) -> &[Action] {
        self.says(worker, FromWorker::Answer { ack, accepted })
    }

    fn dies(&mut self, worker: WorkerId) -> Vec<Action> {
        let status = Exit::Signal(9);
        let mut actions = self.on(Event::Exited { worker, status }).to_vec();
        actions.extend_from_slice(self.on(Event::Drained { worker }));
        actions
    }

    fn proves(&mut self, conn: u64, proof: Proof) -> &[Action] {
        let conn = ConnId(conn);
        self.on(Event::Proof { conn, proof })
    }

    /// What the primary decides when a rule changes.
    fn rules(&mut self, name: Option<ListenerName>, rule: Rule) -> Vec<Action> {
        self.last.clear();
        self.primary.set_rule(self.now, name, Some(rule), &mut self.last);
        assert!(self.primary.ledger().balances());
        self.last.clone()
    }

    /// Time passes; what the time-outs decided.
    fn waits(&mut self, ms: u64) -> Vec<Action> {
        self.now = self.now + Duration::from_millis(ms);
        self.last.clear();
        self.primary.handle_timeout(self.now, &mut self.last);
        assert!(self.primary.ledger().balances());
        self.last.clone()
    }

    fn place(&self, conn: u64) -> Option<Place> {
        let mut all = self.primary.connections();
        all.find(|(it, _)| *it == ConnId(conn)).map(|it| it.1)
    }

    /// The offer under which a connection is with a worker.
    fn offer(&self, conn: u64) -> (WorkerId, Seq) {
        match self.place(conn) {
            Some(Place::Offered(worker, seq)) => (worker, seq),
            other => panic!("connection {conn} is {other:?}"),
        }
    }

    fn view(&self, listener: ListenerId) -> View<'_> {
        self.primary.listeners().find(|it| it.listener == listener).expect("the listener is there")
    }
}

/// What was told of the policies.
fn news(actions: &[Action]) -> Vec<Scheduling> {
    let news = actions.iter().filter_map(|it| match it {
        Action::Notify(Notice::Scheduling { news, .. }) => Some(news.clone()),
        _ => None,
    });
    news.collect()
}

/// Which connections these actions let go, and why.
fn released(actions: &[Action]) -> Vec<(u64, End)> {
    let ends = actions.iter().filter_map(|it| match it {
        Action::Release { conn, end } => Some((conn.0, *end)),
        _ => None,
    });
    ends.collect()
}

/// Which connections these actions offer, and to whom.
fn offered(actions: &[Action]) -> Vec<(u64, WorkerId)> {
    let offers = actions.iter().filter_map(|it| match it {
        Action::Offer { conn, worker, .. } => Some((conn.0, *worker)),
        _ => None,
    });
    offers.collect()
}

/// What these actions answer to questions.
fn replies(actions: &[Action]) -> Vec<(WorkerId, Reply)> {
    let replies = actions.iter().filter_map(|it| match it {
        Action::Send { worker, message: ToWorker::Reply { reply, .. }, .. } => {
            Some((*worker, reply.clone()))
        }
        _ => None,
    });
    replies.collect()
}

const fn closed(reason: CloseReason) -> End {
    End::Closed(reason)
}
