//! The policy of all listeners that have none of their own: in force, and wanted.
//!
//! They differ while the workers are replaced for it: the verdict on a reload decides about those that it answers.

use portcrew::Generation;

use crate::args::Policy;

/// Both.
#[derive(Debug)]
pub(in crate::crew) struct Policies {
    in_force: Policy,
    /// Oldest first, with the generation whose verdict decides. As many as were asked for during two reloads.
    wanted: Vec<(Generation, Policy)>,
}

impl Policies {
    pub(super) const fn new(policy: Policy) -> Self {
        Self { in_force: policy, wanted: Vec::new() }
    }

    /// What connections are dealt out by.
    pub(in crate::crew) const fn in_force(&self) -> &Policy {
        &self.in_force
    }

    /// Takes in a wish that this generation's verdict decides, or one that is in force at once.
    pub(in crate::crew) fn want(&mut self, policy: Policy, verdict: Option<Generation>) {
        if let Some(generation) = verdict {
            self.wanted.retain(|it| it.0 != generation);
            self.wanted.push((generation, policy));
        } else {
            self.in_force = policy;
            self.wanted.clear();
        }
    }

    /// The workers are those that were wanted.
    pub(super) fn committed(&mut self, generation: Generation) {
        if let Some((_, policy)) = self.wanted.iter().rfind(|it| it.0 <= generation) {
            self.in_force = policy.clone();
        }
        self.wanted.retain(|it| it.0 > generation);
    }

    /// They are not, and what that reload was to bring is undone.
    pub(super) fn rolled_back(&mut self, generation: Generation) {
        self.wanted.retain(|it| it.0 > generation);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const G1: Generation = Generation(1);
    const G2: Generation = Generation(2);

    #[test]
    fn a_policy_that_needs_no_other_workers_is_in_force_at_once_and_stays() {
        let mut policies = Policies::new(Policy::RoundRobin);
        policies.want(Policy::Shared, Some(G1));
        policies.want(Policy::LeastConnections, None);
        assert_eq!(*policies.in_force(), Policy::LeastConnections);
        policies.rolled_back(G1);
        assert_eq!(*policies.in_force(), Policy::LeastConnections);
    }

    #[test]
    fn one_that_needs_them_is_in_force_with_its_own_verdict_or_not_at_all() {
        let mut policies = Policies::new(Policy::RoundRobin);
        policies.want(Policy::LeastConnections, Some(G1));
        policies.want(Policy::Shared, Some(G2));
        assert_eq!(*policies.in_force(), Policy::RoundRobin);
        policies.rolled_back(G1);
        assert_eq!(*policies.in_force(), Policy::RoundRobin);
        policies.committed(G2);
        assert_eq!(*policies.in_force(), Policy::Shared);
    }
}
