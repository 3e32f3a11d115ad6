//! Policies that are to be others while the crew serves.

use portcrew::ListenerName;

use super::host::Host;
use super::policies::{Own, Policies, meant};
use super::refusal::Refusal;
use crate::args::{self, Policy};
use crate::output::words::{listen, supervision as words};

/// What is to be another; the rest stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PolicyChange {
    common: Option<Policy>,
    own: Vec<Own>,
}

impl PolicyChange {
    /// What was asked for, of a crew with these policies, whose listeners have these names now.
    ///
    /// # Errors
    /// What cannot be at the start either, and a listener that the crew has not: the first thing that is wrong.
    pub(crate) fn new(
        asked: args::Policies,
        present: &Policies,
        listeners: &[ListenerName],
        host: &Host,
    ) -> Result<Self, Refusal> {
        let change = Self { common: asked.common, own: Own::all(asked.own, host)? };
        let is_known = |own: &&Own| {
            let is_open = listeners.iter().any(|name| own.is_of(name));
            is_open || present.own.iter().any(|it| it.is_of_same_as(own))
        };
        if let Some(own) = change.own.iter().find(|own| !is_known(own)) {
            let there = named(present, listeners);
            return Err(Refusal::NoSuchListener { listener: own.listener.to_string(), there });
        }
        if let Some(item) = change.handed_over().filter(|_| present.are_inherited) {
            return Err(Refusal::Listen(listen::takes_itself(&item)));
        }
        if let Some(item) = change.shared().filter(|_| !present.can_share) {
            return Err(Refusal::CannotShare { item });
        }
        let mut later = present.clone();
        later.change(&change);
        change.keeps_its_sockets(present, &later)?;
        if later.are_counted && later.are_all_shared() {
            return Err(Refusal::Contradiction(words::NOBODY_COUNTS));
        }
        Ok(change)
    }

    /// As the library has it.
    pub(crate) fn meant(&self) -> Vec<(Option<ListenerName>, portcrew::Policy)> {
        let own = self.own.iter().flat_map(Own::meant).map(|(name, it)| (Some(name), it));
        self.common.iter().map(|it| (None, meant(it))).chain(own).collect()
    }

    /// A socket is made for the kernel to spread connections over several, or for itself alone.
    fn keeps_its_sockets(&self, present: &Policies, later: &Policies) -> Result<(), Refusal> {
        let is_kernel = |policy: &Policy| *policy == Policy::Kernel;
        if is_kernel(&present.common) != is_kernel(&later.common) {
            return Err(Refusal::MadeForKernel { listener: None });
        }
        let before = |own: &Own| {
            let own = present.own.iter().find(|it| it.is_of_same_as(own));
            is_kernel(own.map_or(&present.common, |it| &it.policy))
        };
        match self.own.iter().find(|own| is_kernel(&own.policy) != before(own)) {
            Some(own) => Err(Refusal::MadeForKernel { listener: Some(own.listener.to_string()) }),
            None => Ok(()),
        }
    }

    /// What is shared by it from then on, as it was written.
    fn shared(&self) -> Option<String> {
        self.all().find(|(policy, _)| policy.is_without_primary()).map(|it| it.1)
    }

    /// What is not.
    fn handed_over(&self) -> Option<String> {
        self.all().find(|(policy, _)| !policy.is_without_primary()).map(|it| it.1)
    }

    fn all(&self) -> impl Iterator<Item = (&Policy, String)> {
        let common = self.common.iter().map(|it| (it, it.to_string()));
        let own = self.own.iter().map(|it| (&it.policy, it.to_string()));
        common.chain(own)
    }

    /// Takes in another change that came later and is decided about with this one. However many come so, what is kept
    /// is one policy for each listener, and there is none of a listener that the crew does not know.
    pub(crate) fn take_in(&mut self, later: Self) {
        self.common = later.common.or(self.common.take());
        later.own.into_iter().for_each(|own| put(&mut self.own, own));
    }

    /// Leaves out what another change is about, which came later and is in force.
    pub(crate) fn leave_to(&mut self, other: &Self) {
        if other.common.is_some() {
            self.common = None;
        }
        self.own.retain(|own| !other.own.iter().any(|it| it.is_of_same_as(own)));
    }
}

impl Policies {
    /// Makes the change.
    pub(crate) fn change(&mut self, change: &PolicyChange) {
        if let Some(common) = &change.common {
            self.common = common.clone();
        }
        change.own.iter().for_each(|own| put(&mut self.own, own.clone()));
    }
}

/// Each listener has one.
fn put(all: &mut Vec<Own>, own: Own) {
    match all.iter_mut().find(|it| it.is_of_same_as(&own)) {
        Some(before) => *before = own,
        None => all.push(own),
    }
}

/// What listeners there are, each once. Who listens on port 0 gets any free port, by which no policy is given.
fn named(present: &Policies, listeners: &[ListenerName]) -> Vec<String> {
    let configured = present.own.iter().map(|it| &it.listener);
    let is_by_name = |it: &&ListenerName| **it != ListenerName::Port(0);
    let mut all: Vec<_> =
        listeners.iter().chain(configured).filter(is_by_name).map(ToString::to_string).collect();
    all.sort();
    all.dedup();
    all
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const PORTS: [ListenerName; 3] =
        [ListenerName::Port(0), ListenerName::Port(8080), ListenerName::Port(9090)];

    fn host() -> Host {
        Host::of(Path::new("/srv"), &[])
    }

    fn policies(text: &str) -> Policies {
        Policies::new(Some(&text.parse().unwrap()), &host()).unwrap()
    }

    fn change(text: &str, present: &Policies) -> Result<PolicyChange, Refusal> {
        PolicyChange::new(text.parse().unwrap(), present, &PORTS, &host())
    }

    #[test]
    fn what_is_not_named_stays_as_it_is() {
        for (present, asked, expected) in [
            ("rr", "8080=sticky,9090=shared", "round-robin, 8080=sticky, 9090=shared"),
            ("rr,8080=sticky", "shared", "shared, 8080=sticky"),
            ("rr,8080=sticky,9090=shared", "9090=rr", "round-robin, 8080=sticky, 9090=round-robin"),
            ("rr", "least-connections,8080=shared", "least-connections, 8080=shared"),
            ("rr,./a.sock=shared", "/srv/a.sock=rr", "round-robin, /srv/a.sock=round-robin"),
        ] {
            let mut policies = policies(present);
            let change = change(asked, &policies).unwrap();
            policies.change(&change);
            assert_eq!(policies.to_string(), expected);
        }
    }

    #[test]
    fn a_listener_that_is_not_there_is_refused_with_those_that_are() {
        let refused = change("8080=sticky,8081=sticky", &policies("rr,./a.sock=rr")).unwrap_err();
        let words = refused.to_string();
        for part in ["8081", "./a.sock, 8080, 9090"] {
            assert!(words.contains(part), "{part}: {words}");
        }
        // Nobody has asked for it yet, and it has a policy already.
        assert!(change("./a.sock=shared", &policies("rr,./a.sock=rr")).is_ok());
    }

    #[test]
    fn what_cannot_be_at_the_start_cannot_be_later() {
        let present = policies("rr,./a.sock=rr");
        let refused = change("./a.sock=sticky", &present).unwrap_err();
        assert!(matches!(refused, Refusal::NoAddress { .. }), "{refused}");
        let deno = Policies { can_share: false, ..present };
        for text in ["shared", "8080=shared", "rr,8080=sticky,9090=shared"] {
            let refused = change(text, &deno).unwrap_err();
            assert!(matches!(refused, Refusal::CannotShare { .. }), "{text}: {refused}");
        }
        assert!(change("8080=sticky", &deno).is_ok());
    }

    #[test]
    fn workers_that_have_their_sockets_from_their_start_keep_their_policy() {
        let present = Policies::inherited(None, &host()).unwrap();
        let refused = change("8080=sticky", &present).unwrap_err();
        assert!(refused.to_string().contains("8080=sticky"), "{refused}");
        assert!(change("rr", &present).is_err() && change("shared", &present).is_ok());
    }

    #[test]
    fn what_counts_connections_keeps_a_listener_that_is_not_shared() {
        let counted = |text| Policies { are_counted: true, ..policies(text) };
        for (present, asked) in [("rr", "shared"), ("shared,8080=rr", "8080=shared")] {
            let refused = change(asked, &counted(present)).unwrap_err();
            let is_said = matches!(refused, Refusal::Contradiction(words::NOBODY_COUNTS));
            assert!(is_said, "{asked}: {refused}");
            assert!(change(asked, &policies(present)).is_ok());
        }
        assert!(change("8080=shared", &counted("rr")).is_ok());
    }
}
