//! The policies: in force, and wanted.
//!
//! They differ while the workers are replaced for a change: the verdict on a reload decides about those that it
//! answers.

use portcrew::Generation;

use crate::plan::{self, PolicyChange};

/// Both.
#[derive(Debug)]
pub(in crate::crew) struct Policies {
    in_force: plan::Policies,
    /// Oldest first, with the generation whose verdict decides: one for each. That are two at most, that of the reload
    /// that goes on and that of the one behind it.
    wanted: Vec<(Generation, PolicyChange)>,
    /// They are others since somebody asked.
    is_news: bool,
}

impl Policies {
    pub(super) const fn new(at_start: plan::Policies) -> Self {
        Self { in_force: at_start, wanted: Vec::new(), is_news: false }
    }

    /// What connections are dealt out by.
    pub(in crate::crew) const fn in_force(&self) -> &plan::Policies {
        &self.in_force
    }

    /// The same, once for each time that they have become others.
    pub(in crate::crew) fn take_news(&mut self) -> Option<&plan::Policies> {
        std::mem::take(&mut self.is_news).then_some(&self.in_force)
    }

    /// Takes in a wish that this generation's verdict decides, or one that is in force at once.
    pub(in crate::crew) fn want(&mut self, change: PolicyChange, verdict: Option<Generation>) {
        if let Some(generation) = verdict {
            match self.wanted.iter_mut().find(|it| it.0 == generation) {
                Some((_, earlier)) => earlier.take_in(change),
                None => self.wanted.push((generation, change)),
            }
        } else {
            self.wanted.iter_mut().for_each(|(_, earlier)| earlier.leave_to(&change));
            self.make(&change);
        }
    }

    /// The workers are those that were wanted.
    pub(super) fn committed(&mut self, generation: Generation) {
        for (_, change) in self.decided(generation) {
            self.make(&change);
        }
    }

    /// They are not, and what that reload was to bring is undone.
    pub(super) fn rolled_back(&mut self, generation: Generation) {
        drop(self.decided(generation));
    }

    fn make(&mut self, change: &PolicyChange) {
        self.in_force.change(change);
        self.is_news = true;
    }

    fn decided(&mut self, verdict: Generation) -> Vec<(Generation, PolicyChange)> {
        let all = std::mem::take(&mut self.wanted);
        let (decided, later) = all.into_iter().partition(|it| it.0 <= verdict);
        self.wanted = later;
        decided
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use portcrew::ListenerName;

    use super::*;
    use crate::args::Policy;
    use crate::plan::Host;

    const G1: Generation = Generation(1);
    const G2: Generation = Generation(2);

    struct World(Policies);

    impl World {
        fn new() -> Self {
            Self(Policies::new(plan::Policies::only(Policy::RoundRobin)))
        }

        fn want(&mut self, text: &str, verdict: Option<Generation>) {
            let host = Host::of(Path::new("/srv"), &[]);
            let path = ListenerName::Path("/srv/a.sock".to_owned());
            let listeners = [ListenerName::Port(80), ListenerName::Port(81), path];
            let (asked, present) = (text.parse().unwrap(), self.0.in_force().clone());
            let change = PolicyChange::new(asked, &present, &listeners, &host).unwrap();
            self.0.want(change, verdict);
        }

        fn in_force(&self) -> String {
            self.0.in_force().to_string()
        }
    }

    #[test]
    fn a_policy_that_needs_no_other_workers_is_in_force_at_once_and_stays() {
        let mut world = World::new();
        world.want("shared", Some(G1));
        world.want("least-connections", None);
        assert_eq!(world.in_force(), "least-connections");
        assert!(world.0.take_news().is_some() && world.0.take_news().is_none());
        world.0.committed(G1);
        assert_eq!(world.in_force(), "least-connections");
    }

    #[test]
    fn one_that_needs_them_is_in_force_with_its_own_verdict_or_not_at_all() {
        let mut world = World::new();
        world.want("least-connections", Some(G1));
        world.want("shared", Some(G2));
        assert_eq!(world.in_force(), "round-robin");
        world.0.rolled_back(G1);
        assert_eq!(world.in_force(), "round-robin");
        world.0.committed(G2);
        assert_eq!(world.in_force(), "shared");
    }

    #[test]
    fn what_one_reload_brings_is_made_in_the_order_in_which_it_was_asked_for() {
        let mut world = World::new();
        world.want("80=shared,81=shared", Some(G1));
        world.want("shared,80=sticky", Some(G1));
        world.0.committed(G1);
        assert_eq!(world.in_force(), "shared, 80=sticky, 81=shared");
    }

    #[test]
    fn however_many_changes_wait_for_one_verdict_they_are_kept_as_one() {
        let mut world = World::new();
        for _ in 0..100 {
            world.want("80=shared,81=sticky", Some(G1));
            world.want("shared,81=shared", Some(G1));
            world.want("80=sticky,./a.sock=shared", Some(G2));
            world.want("least-connections,/srv/a.sock=shared", Some(G2));
        }
        let kept = world.0.wanted.iter().map(|(verdict, it)| (*verdict, it.meant().len()));
        // Of a path also the other ways to write it.
        assert_eq!(kept.collect::<Vec<_>>(), [(G1, 3), (G2, 5)]);
        world.0.committed(G1);
        assert_eq!(world.in_force(), "shared, 80=shared, 81=shared");
        world.0.committed(G2);
        let all = "least-connections, 80=sticky, 81=shared, /srv/a.sock=shared";
        assert_eq!(world.in_force(), all);
    }

    #[test]
    fn a_change_of_one_listener_takes_nothing_from_those_of_others_that_are_still_wanted() {
        let mut world = World::new();
        world.want("shared,80=shared", Some(G1));
        world.want("80=sticky", None);
        assert_eq!(world.in_force(), "round-robin, 80=sticky");
        world.0.committed(G1);
        assert_eq!(world.in_force(), "shared, 80=sticky");
    }
}
