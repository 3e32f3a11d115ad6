//! The rules in force, kept a second time.

use portcrew_core::Address;
use portcrew_core::primary::{ListenerName, Mode};

use crate::sim::policy::Policy;
use crate::sim::spec::Spec;

/// A rule, and whether its scheduler has panicked, so that round-robin stands in for it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ruled {
    /// The rule.
    pub spec: Spec,
    /// It has panicked.
    pub is_retired: bool,
}

/// That for all, and those for one listener each.
#[derive(Debug, Default)]
pub struct RuleTable {
    default: Ruled,
    named: Vec<(ListenerName, Ruled)>,
}

impl Ruled {
    /// A rule of which nothing is known.
    #[must_use]
    pub const fn new(spec: Spec) -> Self {
        Self { spec, is_retired: false }
    }

    /// What its policy is called.
    #[must_use]
    pub const fn name(self) -> &'static str {
        if self.is_retired { "round-robin" } else { self.spec.name() }
    }
}

impl RuleTable {
    /// The rule for who asks for this address.
    #[must_use]
    pub fn of(&self, address: &Address) -> Ruled {
        self.named.iter().find(|it| is_name_of(&it.0, address)).map_or(self.default, |it| it.1)
    }

    /// The policy for who asks for this address.
    #[must_use]
    pub fn policy(&self, address: &Address) -> Policy {
        self.of(address).spec.policy
    }

    /// Who is to accept. Datagrams are shared under every rule.
    #[must_use]
    pub fn mode(&self, address: &Address) -> Mode {
        if address.is_udp() { Mode::Shared } else { self.of(address).spec.mode }
    }

    /// Its scheduler has panicked.
    pub(super) fn retire(&mut self, address: &Address) {
        match self.named.iter_mut().find(|it| is_name_of(&it.0, address)) {
            Some((_, rule)) => rule.is_retired = true,
            None => self.default.is_retired = true,
        }
    }

    /// Sets a rule, or takes it away. That before.
    pub fn set(&mut self, name: Option<ListenerName>, rule: Option<Ruled>) -> Option<Ruled> {
        let Some(name) = name else {
            return Some(std::mem::replace(&mut self.default, rule.unwrap_or_default()));
        };
        let place = self.named.iter().position(|it| it.0 == name);
        let before = place.map(|at| self.named.swap_remove(at).1);
        self.named.extend(rule.map(|rule| (name, rule)));
        before
    }
}

/// Whether a listener that is asked for so has this name.
fn is_name_of(name: &ListenerName, address: &Address) -> bool {
    match (name, address) {
        (ListenerName::Port(name), Address::Tcp { port, .. }) => name == port,
        (ListenerName::Path(name), Address::Unix { path, .. }) => name == path,
        (ListenerName::Fd(name), Address::Fd { fd }) => name == fd,
        _ => false,
    }
}
