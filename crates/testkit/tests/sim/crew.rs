//! A primary with workers on one listener, driven event by event, for what must hold of a policy.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use portcrew_core::primary::{
    Action, BoundTo, Counter, Event, Exit, Origin, Place, Primary, Rule, Rules, Settings, View,
};
use portcrew_core::scheduler::Seat;
use portcrew_core::supervise::{Generation, SlotId};
use portcrew_core::{
    Address, ConnId, Family, FromWorker, Limits, ListenerId, Query, Seq, SocketKind, Time, WorkerId,
};

const LISTENER: ListenerId = ListenerId(0);

/// What the machine is told in place of an event: a planted fault, or the event itself.
pub(crate) type Fault = fn(Event) -> Vec<Event>;

/// No fault.
pub(crate) fn honest(event: Event) -> Vec<Event> {
    vec![event]
}

/// The primary, its workers, and how many connections each was given.
pub(crate) struct Crew {
    pub(crate) primary: Primary,
    pub(crate) given: BTreeMap<WorkerId, u64>,
    pub(crate) now: Time,
    /// Offers that were made, in all.
    pub(crate) offers: u64,
    fault: Fault,
    next: u64,
}

impl Crew {
    /// Workers 1 to `workers` in as many slots.
    pub(crate) fn of(workers: u32, rule: Rule) -> Self {
        Self::with(workers, rule, Limits::default(), honest)
    }

    pub(crate) fn with(workers: u32, rule: Rule, limits: Limits, fault: Fault) -> Self {
        let settings = Settings { rules: Rules::new(rule), limits, ..Settings::default() };
        let primary = Primary::new(settings);
        let (given, now, offers, next) = (BTreeMap::new(), Time::ZERO, 0, 0);
        let mut crew = Self { primary, given, now, offers, fault, next };
        for worker in 1..=workers {
            crew.joins(WorkerId(worker), worker - 1);
        }
        crew
    }

    pub(crate) fn on(&mut self, event: Event) {
        let mut actions = Vec::new();
        for told in (self.fault)(event) {
            self.primary.handle(self.now, told, &mut actions);
        }
        self.perform(actions);
    }

    /// Whoever counts says so at once; everything else is left to the test.
    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            match action {
                Action::Offer { worker, .. } => {
                    self.offers += 1;
                    *self.given.entry(worker).or_default() += 1;
                }
                Action::Count { listener, on: true } => {
                    self.on(Event::Counting { listener, by: Counter::Kernel });
                }
                _ => {}
            }
        }
    }

    /// A worker comes to a slot and listens.
    pub(crate) fn joins(&mut self, worker: WorkerId, slot: u32) {
        let query = Query {
            address: Address::Tcp { host: None, port: 80, family: Family::V4, ipv6_only: false },
            index: 0,
            backlog: None,
            data: None,
        };
        self.given.insert(worker, 0);
        let seat = Seat::Slot(SlotId(slot as usize));
        self.on(Event::Forked { worker, origin: Origin { seat, generation: Generation::FIRST } });
        for message in [FromWorker::Online { lane: true }, FromWorker::Query { seq: Seq(1), query }]
        {
            self.on(Event::Message { worker, message });
        }
        let outcome = Ok(BoundTo { kind: SocketKind::Tcp, sockname: None });
        self.on(Event::Bound { listener: LISTENER, outcome });
    }

    /// A worker is killed.
    pub(crate) fn dies(&mut self, worker: WorkerId) {
        self.on(Event::Exited { worker, status: Exit::Signal(9) });
        self.on(Event::Drained { worker });
    }

    /// A client comes, from nowhere in particular. Who got it, or none while all are busy.
    pub(crate) fn accepts(&mut self) -> Option<WorkerId> {
        self.accepts_from(None);
        self.holder()
    }

    /// A client comes from this address. Its connection.
    pub(crate) fn accepts_from(&mut self, peer: Option<SocketAddr>) -> ConnId {
        let conn = ConnId(self.next);
        self.next += 1;
        self.on(Event::Accepted { listener: LISTENER, conn, peer, local: None });
        conn
    }

    /// Who was offered the last connection and has not answered.
    pub(crate) fn holder(&self) -> Option<WorkerId> {
        match self.place(ConnId(self.next - 1))? {
            Place::Offered(worker, _) => Some(worker),
            Place::Held => None,
        }
    }

    pub(crate) fn place(&self, conn: ConnId) -> Option<Place> {
        self.primary.connections().find(|it| it.0 == conn).map(|it| it.1)
    }

    /// A worker takes everything that it was given, or refuses it.
    pub(crate) fn answers(&mut self, worker: WorkerId, accepted: bool) {
        let mine = |(_, place)| match place {
            Place::Offered(who, seq) if who == worker => Some(seq),
            Place::Offered(..) | Place::Held => None,
        };
        let offers: Vec<Seq> = self.primary.connections().filter_map(mine).collect();
        for ack in offers {
            let message = FromWorker::Answer { ack, accepted };
            self.on(Event::Message { worker, message });
        }
    }

    /// A client comes, and whoever is given it takes it at once. Who that was.
    pub(crate) fn serves(&mut self) -> WorkerId {
        let worker = self.accepts().expect("somebody is free");
        self.answers(worker, true);
        worker
    }

    /// The next time-out, if there is one.
    pub(crate) fn waits(&mut self) -> bool {
        let Some(next) = self.primary.next_timeout() else {
            return false;
        };
        self.now = self.now.max(next);
        let mut actions = Vec::new();
        self.primary.handle_timeout(self.now, &mut actions);
        self.perform(actions);
        true
    }

    pub(crate) fn elapsed(&self) -> Duration {
        self.now.since_origin()
    }

    pub(crate) fn view(&self) -> View<'_> {
        self.primary.listeners().next().expect("there is one listener")
    }

    /// The difference between the most and the least given of these.
    pub(crate) fn spread(&self, among: &[u32]) -> u64 {
        let counts = || among.iter().map(|it| self.given[&WorkerId(*it)]);
        counts().max().unwrap_or(0) - counts().min().unwrap_or(0)
    }
}
