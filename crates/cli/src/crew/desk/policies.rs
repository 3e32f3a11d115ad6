//! The policy of all listeners that have none of their own: in force, and wanted.
//!
//! They differ while the workers are replaced for it. The library's settings have what is wanted, also when the reload
//! is rolled back and the old policy stays in force.

use crate::args::Policy;

/// Both.
#[derive(Debug)]
pub(in crate::crew) struct Policies {
    in_force: Policy,
    wanted: Policy,
}

impl Policies {
    pub(super) fn new(policy: Policy) -> Self {
        Self { in_force: policy.clone(), wanted: policy }
    }

    /// What connections are dealt out by.
    pub(in crate::crew) const fn in_force(&self) -> &Policy {
        &self.in_force
    }

    /// Takes in a wish. Says whether workers must be replaced for it: who accepts changes with them.
    pub(in crate::crew) fn want(&mut self, policy: Policy) -> bool {
        let with_workers = is_shared(&self.wanted) != is_shared(&policy);
        self.wanted = policy;
        if self.wanted != self.in_force && !with_workers && !self.is_pending() {
            self.in_force = self.wanted.clone();
        }
        with_workers
    }

    /// The workers are those that were wanted.
    pub(super) fn committed(&mut self) {
        self.in_force = self.wanted.clone();
    }

    /// They are not, and all that was pending is undone.
    pub(super) fn rolled_back(&mut self) {
        self.wanted = self.in_force.clone();
    }

    fn is_pending(&self) -> bool {
        is_shared(&self.wanted) != is_shared(&self.in_force)
    }
}

fn is_shared(policy: &Policy) -> bool {
    *policy == Policy::Shared
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_needs_no_other_workers_is_in_force_at_once() {
        let mut policies = Policies::new(Policy::RoundRobin);
        assert!(!policies.want(Policy::LeastConnections));
        assert_eq!(*policies.in_force(), Policy::LeastConnections);
        policies.rolled_back();
        assert_eq!(*policies.in_force(), Policy::LeastConnections);
    }

    #[test]
    fn one_that_needs_them_is_in_force_with_the_verdict_or_not_at_all() {
        let mut policies = Policies::new(Policy::RoundRobin);
        assert!(policies.want(Policy::Shared));
        assert_eq!(*policies.in_force(), Policy::RoundRobin);
        policies.rolled_back();
        assert!(policies.want(Policy::Shared), "the same wish needs them again");
        policies.committed();
        assert_eq!(*policies.in_force(), Policy::Shared);
    }
}
