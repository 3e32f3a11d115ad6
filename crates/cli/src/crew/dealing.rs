//! What has to be said about who gets connections, asked for or not: failures, less than was asked for, changes, and
//! policies that no listener has.

use std::collections::BTreeMap;
use std::time::Duration;

use portcrew::{Counter, ListenAddress, ListenerId, Scheduling};

use super::once::Once;
use crate::output::words::scheduling as words;
use crate::plan::{Own, Policies};

/// Listeners whose changed policy is remembered. Of older ones a change back to it is said once more.
const MOST_CHANGED: usize = 1_024;

/// What was asked for, and what has become of it.
#[derive(Debug)]
pub(super) struct Dealing {
    policies: Policies,
    /// The policies of single listeners that nobody has asked for yet.
    unmet: Vec<Own>,
    /// Listeners whose policy is not that of the start any more. Also closed ones, of which nothing is told: at most
    /// [`MOST_CHANGED`].
    changed: BTreeMap<ListenerId, &'static str>,
    /// Addresses of which it was said that the kernel does not tell of their connections.
    untold: Once,
    /// Addresses of which it was said that their connections cannot be counted.
    uncounted: Once,
}

impl Dealing {
    pub(super) fn new(policies: Policies) -> Self {
        Self {
            unmet: policies.own.clone(),
            policies,
            changed: BTreeMap::new(),
            untold: Once::default(),
            uncounted: Once::default(),
        }
    }

    /// What is to be said of these news, if anything.
    pub(super) fn hear(
        &mut self,
        listener: ListenerId,
        address: &ListenAddress,
        news: &Scheduling,
    ) -> Option<String> {
        match news {
            Scheduling::Policy { name } => self.policy(listener, address, name),
            // As it should be.
            Scheduling::Counted { by: Counter::Kernel } => None,
            Scheduling::Counted { by: Counter::Workers } => {
                let is_new = self.untold.is_new(&address.to_string());
                is_new.then(|| words::counted_by_workers(address))
            }
            // What is true of one worker is true of its program, and of those that replace it.
            Scheduling::Uncounted { worker } => {
                let is_new = self.uncounted.is_new(&address.to_string());
                is_new.then(|| words::uncounted(address, worker))
            }
            Scheduling::Failed { failure } => Some(words::failed(address, failure)),
            // For programs.
            Scheduling::Summary { .. } => None,
            // News of a newer library.
            _ => None,
        }
    }

    /// Which policies nobody has asked for, so long after the start.
    pub(super) fn unmet(&self, after: Duration) -> impl Iterator<Item = String> + '_ {
        self.unmet.iter().map(move |own| words::not_met(own, after))
    }

    /// That of the start was said at the start. Any other is news.
    fn policy(
        &mut self,
        listener: ListenerId,
        address: &ListenAddress,
        name: &'static str,
    ) -> Option<String> {
        if let Some(own) = self.policies.own_of(address) {
            self.unmet.retain(|it| it != own);
        }
        let at_start = self.policies.of(address).map_or("shared", |it| it.name());
        let before = match name == at_start {
            true => self.changed.remove(&listener),
            false => self.changed.insert(listener, name),
        };
        if self.changed.len() > MOST_CHANGED {
            self.changed.pop_first();
        }
        (before.unwrap_or(at_start) != name).then(|| words::changed(address, name))
    }
}

#[cfg(test)]
mod tests {
    use portcrew::scheduler::Failure;
    use portcrew::{AddressType, WorkerId};

    use super::*;
    use crate::plan::Host;

    const LISTENER: ListenerId = ListenerId(7);

    fn dealing(policies: &str) -> Dealing {
        let asked = policies.parse().unwrap();
        let host = Host::of(std::path::Path::new("/srv"), &[]);
        Dealing::new(Policies::new(Some(&asked), &host).unwrap())
    }

    fn port(port: u16) -> ListenAddress {
        let address_type = AddressType::Tcp6;
        ListenAddress { address: None, port: Some(port), address_type, fd: None }
    }

    fn policy(name: &'static str) -> Scheduling {
        Scheduling::Policy { name }
    }

    #[test]
    fn a_policy_is_news_when_it_is_another_than_at_the_start_and_when_that_one_is_back() {
        let mut dealing = dealing("shared,80=sticky");
        let mut hear = |news| dealing.hear(LISTENER, &port(80), &news);
        assert_eq!(hear(policy("sticky")), None);
        let changed = |name| Some(words::changed(&port(80), name));
        assert_eq!(hear(policy("round-robin")), changed("round-robin"));
        assert_eq!(hear(policy("round-robin")), None);
        assert_eq!(hear(policy("sticky")), changed("sticky"));
        assert_eq!(hear(policy("sticky")), None);
        assert_eq!(dealing.hear(LISTENER, &port(81), &policy("shared")), None);
    }

    #[test]
    fn what_nobody_has_asked_for_is_left() {
        let mut dealing = dealing("80=sticky,81=shared");
        dealing.hear(LISTENER, &port(81), &policy("shared"));
        dealing.hear(LISTENER, &port(82), &policy("round-robin"));
        let left: Vec<_> = dealing.unmet(Duration::from_secs(1)).collect();
        assert_eq!(left, [words::not_met(&"80=sticky", Duration::from_secs(1))]);
    }

    #[test]
    fn less_than_was_asked_for_is_said_once_for_each_listener_and_a_failure_always() {
        let mut dealing = dealing("least-connections");
        let mut said = |port, news: &Scheduling| dealing.hear(LISTENER, &port, news);
        for (first, second) in [
            (
                Scheduling::Counted { by: Counter::Workers },
                Scheduling::Counted { by: Counter::Workers },
            ),
            (
                Scheduling::Uncounted { worker: WorkerId(1) },
                Scheduling::Uncounted { worker: WorkerId(2) },
            ),
        ] {
            assert!(said(port(80), &first).is_some());
            assert_eq!(said(port(80), &second), None);
            assert!(said(port(81), &second).is_some());
        }
        assert_eq!(said(port(80), &Scheduling::Counted { by: Counter::Kernel }), None);
        let failure = Failure::Panicked("no".to_owned());
        let words = "port 80: the policy failed, round-robin decides in its place: it panicked: no";
        for _ in 0..2 {
            let failed = Scheduling::Failed { failure: failure.clone() };
            assert_eq!(said(port(80), &failed).as_deref(), Some(words));
        }
    }
}
