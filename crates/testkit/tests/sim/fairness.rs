//! C8: workers that are always free are given the same number of connections.

use std::collections::BTreeMap;

use portcrew_core::primary::{Action, BoundTo, Event, Origin, Place, Primary, Settings};
use portcrew_core::{
    Address, ConnId, Family, FromWorker, ListenerId, Query, Seq, SocketKind, Time, WorkerId,
};
use portcrew_testkit::sim::Rng;

const LISTENER: ListenerId = ListenerId(0);

/// A primary with workers on one listener, and how many connections each was given.
struct Crew {
    primary: Primary,
    given: BTreeMap<WorkerId, u64>,
    next: u64,
}

impl Crew {
    fn of(workers: u32) -> Self {
        let mut crew =
            Self { primary: Primary::new(Settings::default()), given: BTreeMap::new(), next: 0 };
        for worker in (1..=workers).map(WorkerId) {
            crew.given.insert(worker, 0);
            crew.joins(worker);
        }
        crew
    }

    fn on(&mut self, event: Event) {
        let mut actions = Vec::new();
        self.primary.handle(Time::ZERO, event, &mut actions);
        for action in actions {
            if let Action::Offer { worker, .. } = action {
                *self.given.entry(worker).or_default() += 1;
            }
        }
    }

    fn joins(&mut self, worker: WorkerId) {
        let query = Query {
            address: Address::Tcp { host: None, port: 80, family: Family::V4, ipv6_only: false },
            index: 0,
            backlog: None,
            data: None,
        };
        self.on(Event::Forked { worker, origin: Origin::alone(worker) });
        for message in
            [FromWorker::Online { lane: false }, FromWorker::Query { seq: Seq(1), query }]
        {
            self.on(Event::Message { worker, message });
        }
        let outcome = Ok(BoundTo { kind: SocketKind::Tcp, sockname: None });
        self.on(Event::Bound { listener: LISTENER, outcome });
    }

    /// A client comes. Says who got it, or none while all are busy.
    fn accepts(&mut self) -> Option<WorkerId> {
        let conn = ConnId(self.next);
        self.next += 1;
        self.on(Event::Accepted { listener: LISTENER, conn, peer: None, local: None });
        self.offer_of(conn).map(|(worker, _)| worker)
    }

    fn offer_of(&self, conn: ConnId) -> Option<(WorkerId, Seq)> {
        let mut all = self.primary.connections();
        match all.find(|it| it.0 == conn)?.1 {
            Place::Offered(worker, seq) => Some((worker, seq)),
            Place::Held => None,
        }
    }

    /// A worker answers everything that it was given.
    fn answers(&mut self, worker: WorkerId) {
        let offers: Vec<_> = self
            .primary
            .connections()
            .filter_map(|(_, place)| match place {
                Place::Offered(who, seq) if who == worker => Some(seq),
                Place::Offered(..) | Place::Held => None,
            })
            .collect();
        for ack in offers {
            let message = FromWorker::Answer { ack, accepted: true };
            self.on(Event::Message { worker, message });
        }
    }

    fn spread(&self, among: &[u32]) -> u64 {
        let counts = || among.iter().map(|it| self.given[&WorkerId(*it)]);
        counts().max().unwrap_or(0) - counts().min().unwrap_or(0)
    }
}

#[test]
fn one_after_another_is_dealt_out_exactly() {
    let mut crew = Crew::of(4);
    for turn in 1..=1_000 {
        let worker = crew.accepts().expect("all are free");
        crew.answers(worker);
        assert!(crew.spread(&[1, 2, 3, 4]) <= 1, "{turn}: {:?}", crew.given);
    }
    assert_eq!(crew.spread(&[1, 2, 3, 4]), 0);
}

#[test]
fn sixteen_at_once_on_four_idle_workers_are_four_each() {
    let mut crew = Crew::of(4);
    for _ in 0..16 {
        crew.accepts();
    }
    for _ in 0..4 {
        for worker in 1..=4 {
            crew.answers(WorkerId(worker));
        }
    }
    assert_eq!(crew.given.values().copied().collect::<Vec<_>>(), [4, 4, 4, 4]);
}

#[test]
fn workers_that_are_always_free_stay_level_whatever_the_others_do() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut crew = Crew::of(4);
        for turn in 0..300 {
            let worker = crew.accepts().expect("two are always free");
            // Workers 3 and 4 keep what they have for a while; 1 and 2 answer at once.
            if worker.0 <= 2 {
                crew.answers(worker);
            }
            if rng.percent(20) {
                let late = WorkerId(3 + u32::from(rng.percent(50)));
                crew.answers(late);
            }
            assert!(crew.spread(&[1, 2]) <= 1, "seed {seed}, {turn}: {:?}", crew.given);
        }
    }
}

#[test]
fn a_newcomer_is_level_with_the_least_given_and_is_not_flooded() {
    let mut crew = Crew::of(2);
    for _ in 0..100 {
        let worker = crew.accepts().expect("all are free");
        crew.answers(worker);
    }
    let newcomer = WorkerId(3);
    crew.joins(newcomer);
    crew.given = [1, 2, 3].map(|it| (WorkerId(it), 0)).into();
    for _ in 0..30 {
        let worker = crew.accepts().expect("all are free");
        crew.answers(worker);
    }
    assert!(crew.spread(&[1, 2, 3]) <= 1, "{:?}", crew.given);
}
