//! A primary with its workers, and one connection after the other that goes through it.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use portcrew_core::primary::{
    Action, BoundTo, Counter, Event, Origin, Primary, Rule, Rules, Settings,
};
use portcrew_core::scheduler::{LeastConnections, Sticky};
use portcrew_core::{
    Address, ConnId, Family, FromWorker, ListenerId, Query, Seq, SocketKind, Time, WorkerId,
};

const LISTENER: ListenerId = ListenerId(0);

/// Who chooses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Policy {
    RoundRobin,
    LeastConnections,
    Sticky,
}

/// Workers on one listener, all of which speak the lane, answer at once, and serve in no time.
#[derive(Debug)]
pub(crate) struct Crew {
    primary: Primary,
    now: Time,
    conns: u64,
    actions: Vec<Action>,
    counts: bool,
}

impl Crew {
    pub(crate) fn new(policy: Policy, workers: u32) -> Self {
        let rule = match policy {
            Policy::RoundRobin => Rule::default(),
            Policy::LeastConnections => Rule::handover(LeastConnections),
            Policy::Sticky => Rule::handover(Sticky::default()),
        };
        let settings = Settings { rules: Rules::new(rule), ..Settings::default() };
        let mut crew = Self {
            primary: Primary::new(settings),
            now: Time::ZERO,
            conns: 0,
            actions: Vec::new(),
            counts: policy == Policy::LeastConnections,
        };
        for worker in 1..=workers {
            crew.join(WorkerId(worker));
        }
        crew
    }

    /// A connection comes, is offered, taken and let go of. Whose it was.
    pub(crate) fn step(&mut self) -> WorkerId {
        self.now = self.now + Duration::from_micros(1);
        self.conns += 1;
        let [a, b, c, d] = (self.conns as u32).to_le_bytes();
        let client = IpAddr::V4(Ipv4Addr::new(10 | a & 1, b, c, a ^ d));
        let peer = Some(SocketAddr::new(client, 40_000));
        let conn = ConnId(self.conns);
        self.tell(Event::Accepted { listener: LISTENER, conn, peer, local: None });
        let offer = self.actions.iter().find_map(|action| match action {
            Action::Offer { worker, seq, .. } => Some((*worker, *seq)),
            _ => None,
        });
        let (worker, ack) = offer.expect("somebody is free");
        let message = FromWorker::Answer { ack, accepted: true };
        self.tell(Event::Message { worker, message });
        if self.counts {
            self.tell(Event::Ended { worker, dying: false });
        }
        worker
    }

    fn join(&mut self, worker: WorkerId) {
        self.tell(Event::Forked { worker, origin: Origin::alone(worker) });
        self.tell(Event::Message { worker, message: FromWorker::Online { lane: true } });
        let address = Address::Tcp { host: None, port: 80, family: Family::V4, ipv6_only: false };
        let query = Query { address, index: 0, backlog: None, data: None };
        let message = FromWorker::Query { seq: Seq(u64::from(worker.0)), query };
        self.tell(Event::Message { worker, message });
        if self.actions.iter().any(|action| matches!(action, Action::Bind { .. })) {
            let outcome = Ok(BoundTo { kind: SocketKind::Tcp, sockname: None });
            self.tell(Event::Bound { listener: LISTENER, outcome });
        }
        if self.actions.iter().any(|action| matches!(action, Action::Count { .. })) {
            self.tell(Event::Counting { listener: LISTENER, by: Counter::Kernel });
        }
    }

    fn tell(&mut self, event: Event) {
        self.actions.clear();
        self.primary.handle(self.now, event, &mut self.actions);
    }
}
