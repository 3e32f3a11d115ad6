//! The rules of a world, before they are made into those of the machine.

use std::time::Duration;

use portcrew_core::primary::{ListenerName, Mode};
use portcrew_core::{Address, Query};

use super::policy::Policy;
use super::rng::Rng;

/// A rule: who accepts, and who is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spec {
    /// Who accepts.
    pub mode: Mode,
    /// Who is chosen. Of no matter when the workers accept.
    pub policy: Policy,
}

impl Default for Spec {
    fn default() -> Self {
        Self::handover(Policy::RoundRobin)
    }
}

impl Spec {
    /// The primary accepts.
    #[must_use]
    pub const fn handover(policy: Policy) -> Self {
        Self { mode: Mode::Handover, policy }
    }

    /// The workers accept. What is left over is dealt out in turn.
    #[must_use]
    pub const fn shared() -> Self {
        Self { mode: Mode::Shared, policy: Policy::RoundRobin }
    }

    /// Any rule.
    pub fn draw(rng: &mut Rng) -> Self {
        if rng.percent(12) {
            return Self::shared();
        }
        let wait = Duration::from_millis(rng.between(10, 150));
        let proxy = rng.percent(40);
        Self::handover(rng.weighted(&[
            (Policy::RoundRobin, 26),
            (Policy::LeastConnections, 16),
            (Policy::Sticky { wait }, 14),
            (Policy::Cookie { wait, proxy }, 14),
            (Policy::Stubborn, 8),
            (Policy::Choosy, 5),
            (Policy::Confused, 5),
            (Policy::Nervous, 8),
            (Policy::Hasty, 4),
            (Policy::Fussy, 5),
        ]))
    }

    /// What its connections are called by.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self.mode {
            Mode::Handover => self.policy.name(),
            Mode::Shared => "shared",
            Mode::Kernel => "kernel",
        }
    }
}

/// The name of the listener that is asked for so. UDP has none.
#[must_use]
pub fn name_of(address: &Address) -> Option<ListenerName> {
    match address {
        Address::Tcp { port, .. } => Some(ListenerName::Port(*port)),
        Address::Unix { path, .. } => Some(ListenerName::Path(path.clone())),
        Address::Fd { fd } => Some(ListenerName::Fd(*fd)),
        Address::Udp { .. } => None,
    }
}

/// The rules that a world begins with: that for all, and some for one listener.
pub fn draw_all(rng: &mut Rng, queries: &[Query]) -> Vec<(Option<ListenerName>, Spec)> {
    let mut rules = vec![(None, Spec::draw(rng))];
    for query in queries {
        if let Some(name) = name_of(&query.address).filter(|_| rng.percent(25)) {
            rules.push((Some(name), Spec::draw(rng)));
        }
    }
    rules
}
