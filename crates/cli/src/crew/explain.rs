//! `--explain`: for each listener who accepts and by which policy, for each worker how it is spoken to.
//!
//! It is looked at when something has come that may be new; what was said once is not said again, also not of a
//! listener that comes back and of a worker that replaces one of its kind.

use std::collections::{BTreeMap, BTreeSet};

use portcrew::{
    Dialect, Event, ListenAddress, ListenerId, ListenerSnapshot, SlotId, Snapshot, State, WorkerId,
    WorkerSnapshot,
};

use super::once::Once;
use crate::args::Policy;
use crate::output::words::{listen, scheduling as words};
use crate::plan::{Policies, meant_sticky};

/// What there is to explain, and what was explained.
#[derive(Debug)]
pub(super) struct Explaining {
    policies: Policies,
    addresses: BTreeMap<ListenerId, ListenAddress>,
    told: Once,
    /// How the last worker of each slot was spoken to.
    kinds: BTreeMap<SlotId, Kind>,
    self_bound: BTreeSet<WorkerId>,
    /// Something has come that may be new.
    is_due: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Kind {
    dialect: Option<Dialect>,
    self_bound: bool,
}

impl Explaining {
    pub(super) fn new(policies: Policies) -> Self {
        Self {
            policies,
            addresses: BTreeMap::new(),
            told: Once::default(),
            kinds: BTreeMap::new(),
            self_bound: BTreeSet::new(),
            is_due: false,
        }
    }

    /// Notes what an event says. What it means for the whole is in the next snapshot.
    pub(super) fn hear(&mut self, event: &Event) {
        match event {
            Event::Scheduling { listener, address, .. } => {
                self.addresses.insert(*listener, address.clone());
            }
            Event::Opened { .. } => {}
            Event::SelfBound { worker, .. } => {
                self.self_bound.insert(*worker);
            }
            Event::Listening { .. } => {}
            // Nothing else says how connections reach workers.
            _ => return,
        }
        self.is_due = true;
    }

    /// The policies are others than before.
    pub(super) fn policies_are(&mut self, policies: Policies) {
        self.policies = policies;
        self.is_due = true;
    }

    /// Whether a snapshot would help; asked once for each time.
    pub(super) fn take_due(&mut self) -> bool {
        std::mem::take(&mut self.is_due)
    }

    /// What is new.
    pub(super) fn lines(&mut self, snapshot: &Snapshot) -> Vec<String> {
        let is_there = |id: &ListenerId| snapshot.listeners.iter().any(|it| it.listener == *id);
        self.addresses.retain(|id, _| is_there(id));
        let lives = |id: &WorkerId| snapshot.workers.iter().any(|it| it.id == *id);
        self.self_bound.retain(lives);
        let listeners = snapshot.listeners.iter().flat_map(|it| self.listener(it));
        let mut lines: Vec<_> = listeners.collect();
        lines.retain(|line| self.told.is_new(line));
        lines.extend(snapshot.workers.iter().filter_map(|it| self.worker(it)));
        lines
    }

    fn listener(&self, listener: &ListenerSnapshot) -> Vec<String> {
        // It is being bound.
        let Some(address) = self.addresses.get(&listener.listener) else {
            return Vec::new();
        };
        let inherited = listener.descriptor.map(|it| listen::inherited(address, it));
        let Some(policy) = self.policies.of(address) else {
            let is_kernel = self.policies.common == Policy::Kernel;
            return [words::receives(address, is_kernel)].into_iter().chain(inherited).collect();
        };
        // Whether the kernel tells is being found out.
        if *policy == Policy::LeastConnections && listener.counted_by.is_none() {
            return Vec::new();
        }
        let sticky = match policy {
            Policy::Sticky(sticky) => meant_sticky(sticky),
            Policy::RoundRobin | Policy::LeastConnections | Policy::Shared | Policy::Kernel => {
                Default::default()
            }
        };
        let accepts = match policy {
            Policy::Kernel if inherited.is_some() => words::accepts_alone(address),
            policy => words::accepts(address, policy, &sticky),
        };
        let bounds = words::bounds(address, listener.counted_by, listener.window);
        [accepts].into_iter().chain(inherited).chain([bounds]).collect()
    }

    fn worker(&mut self, worker: &WorkerSnapshot) -> Option<String> {
        let slot = worker.slot?;
        // Before it listens it may still prove to bind by itself; later it has nothing to say.
        if worker.state != State::Listening {
            return None;
        }
        let self_bound = self.self_bound.contains(&worker.id);
        let kind = Kind { dialect: worker.dialect, self_bound };
        let is_new = self.kinds.insert(slot, kind) != Some(kind);
        is_new.then(|| words::speaks(&worker.id, kind.dialect, kind.self_bound))
    }
}
