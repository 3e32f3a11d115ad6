//! Everything there is in one seed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use portcrew_core::primary::{Action, Event, Primary, Rule, Rules, Settings};
use portcrew_core::{Address, ConnId, Family, ListenerId, MemberId, Query, Seq, Time, WorkerId};

use super::kernel::Kernel;
use crate::sim::Rng;

/// Of what the port is one listener.
pub(super) const LISTENER: ListenerId = ListenerId(0);

/// Steps with everything that can go wrong.
pub(super) const STEPS: u32 = 300;

/// A fault that is planted in what the machine decides, to see that the checks object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// What waits is never rescued.
    RescuesNever,
    /// Nobody looks after the first time.
    LooksOnce,
    /// A socket without a worker goes on being given connections.
    SteersNever,
    /// Sockets are closed as soon as nobody has them.
    ClosesAtOnce,
    /// What waits is moved also where everybody has something to do.
    RescuesAnyhow,
    /// The next connection is never waited for: it looks for ever.
    NeverRests,
}

impl Fault {
    /// Every one.
    pub const ALL: [Self; 6] = [
        Self::RescuesNever,
        Self::LooksOnce,
        Self::SteersNever,
        Self::ClosesAtOnce,
        Self::RescuesAnyhow,
        Self::NeverRests,
    ];
}

/// What seeds have met.
#[derive(Debug, Clone, Copy, Default)]
pub struct Seen {
    /// Clients that were served.
    pub served: u64,
    /// Of these, by another worker than that of their socket.
    pub rescued: u64,
    /// Workers that died.
    pub deaths: u64,
    /// Sockets that were closed after their time.
    pub closed: u64,
    /// Offers to workers that died before they answered.
    pub proofs: u64,
}

/// A worker.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) slot: usize,
    pub(super) listens: bool,
    pub(super) stuck: bool,
    /// It accepts what waits in its socket still, though it was told to leave.
    pub(super) leaving: bool,
    /// What it was offered and has not answered.
    pub(super) offers: VecDeque<(Seq, ConnId)>,
    /// Since when it has had nothing to do and could do something.
    pub(super) idle_since: Option<Time>,
}

/// The world.
#[derive(Debug)]
pub struct World {
    pub(super) rng: Rng,
    pub(super) fault: Option<Fault>,
    pub(super) primary: Primary,
    pub(super) now: Time,
    pub(super) kernel: Kernel,
    pub(super) workers: BTreeMap<WorkerId, Worker>,
    /// How many places there are to be.
    pub(super) wanted: usize,
    pub(super) next_worker: u32,
    pub(super) next_conn: u64,
    pub(super) next_seq: u64,
    /// Everybody who has not been served.
    pub(super) clients: BTreeSet<ConnId>,
    /// Those that the primary has.
    pub(super) held: BTreeSet<ConnId>,
    pub(super) events: VecDeque<Event>,
    pub(super) actions: Vec<Action>,
    /// How many looks there were since anything came.
    pub(super) idle_looks: u32,
    pub(super) seen: Seen,
    pub(super) said: Vec<String>,
    pub(super) step: u32,
}

impl World {
    pub(super) fn new(seed: u64, fault: Option<Fault>) -> Self {
        let mut rng = Rng::new(seed);
        let mut settings = Settings { rules: Rules::new(Rule::kernel()), ..Settings::default() };
        settings.limits.lane_window = rng.one_of(&[1, 4, 16]);
        if fault == Some(Fault::ClosesAtOnce) {
            settings.limits.member_drain = std::time::Duration::ZERO;
        }
        Self {
            wanted: rng.between(1, 4) as usize,
            rng,
            fault,
            primary: Primary::new(settings),
            now: Time::ZERO,
            kernel: Kernel::default(),
            workers: BTreeMap::new(),
            next_worker: 1,
            next_conn: 0,
            next_seq: 0,
            clients: BTreeSet::new(),
            held: BTreeSet::new(),
            events: VecDeque::new(),
            actions: Vec::new(),
            idle_looks: 0,
            seen: Seen::default(),
            said: Vec::new(),
            step: 0,
        }
    }

    pub(super) fn run(&mut self) -> Result<(), String> {
        for slot in 0..self.wanted {
            self.starts(slot)?;
        }
        for step in 0..STEPS {
            self.step = step;
            self.one_step()?;
            self.check()?;
        }
        self.comes_to_rest()
    }

    /// Tells the machine what happened, and does what it wants, until it wants nothing.
    pub(super) fn tell(&mut self, event: Event) -> Result<(), String> {
        self.events.push_back(event);
        while let Some(event) = self.events.pop_front() {
            self.say(|| format!("{event:?}"));
            self.primary.handle(self.now, event, &mut self.actions);
            self.obey()?;
        }
        Ok(())
    }

    pub(super) fn obey(&mut self) -> Result<(), String> {
        for action in std::mem::take(&mut self.actions) {
            self.say(|| format!("    {action:?}"));
            self.perform(action)?;
        }
        Ok(())
    }

    /// Keeps the last lines, for whoever reads what went wrong.
    pub(super) fn say(&mut self, line: impl FnOnce() -> String) {
        const KEPT: usize = 60;
        if self.said.len() >= KEPT {
            self.said.remove(0);
        }
        let at = self.now.since_origin();
        self.said.push(format!("{at:?} {}", line()));
    }

    pub(super) fn query() -> Query {
        let address = Address::Tcp { host: None, port: 80, family: Family::V4, ipv6_only: false };
        Query { address, index: 0, backlog: None, data: None }
    }

    /// The socket of a worker.
    pub(super) fn member_of(&self, worker: WorkerId) -> Option<MemberId> {
        self.primary.member_of(worker, LISTENER)
    }

    /// Whether somebody who stays listens at it.
    pub(super) fn has_worker(&self, member: MemberId) -> bool {
        self.workers
            .iter()
            .any(|(id, it)| it.listens && !it.leaving && self.member_of(*id) == Some(member))
    }
}
