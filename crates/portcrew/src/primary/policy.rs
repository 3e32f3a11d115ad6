//! A policy that changes while the primary runs.
//!
//! Among policies under which the primary accepts, the next connection is dealt out by the new one. Who accepts
//! changes with the workers: they are replaced one by one, and where that fails the policy goes back with them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcrew_core::primary::{ListenerName, Rule};
use portcrew_core::supervise::{Generation, Notice};

use super::command::{Naming, RuleChange, RuleChanges};
use super::driver::Driver;
use crate::{Policy, Settings};

/// The settings as the cluster's handle shows them. Its lock is never held while anything is waited for.
#[derive(Debug)]
pub(super) struct Shown(Mutex<Arc<Settings>>);

impl Shown {
    pub(super) const fn new(settings: Arc<Settings>) -> Self {
        Self(Mutex::new(settings))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Arc<Settings>> {
        // Nothing panics while it holds this lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names the policy before again, unless another change has been asked for that the driver has not heard of yet.
    fn take_back(&self, name: Option<&ListenerName>, naming: Naming) {
        let mut shown = self.lock();
        let present = match name {
            Some(name) => shown.policies.get(name),
            None => Some(&shown.policy),
        };
        if present == Some(&naming.policy) {
            let mut settings = Settings::clone(&shown);
            replace(&mut settings, name, naming.before);
            *shown = Arc::new(settings);
        }
    }
}

/// Why a crew with these settings cannot have this policy, of one listener or of all that have none of their own.
pub(super) fn wrong(
    settings: &Settings,
    name: Option<&ListenerName>,
    policy: &Policy,
) -> Option<&'static str> {
    let own = name.and_then(|name| settings.policies.get(name));
    let present = own.unwrap_or(&settings.policy);
    // A socket is made for the kernel to spread connections over several, or for itself alone.
    let is_of_other_make = (*present == Policy::Kernel) != (*policy == Policy::Kernel);
    let made =
        "the sockets were made for another way: Policy::Kernel is chosen when the cluster is made";
    policy.wrong().or(is_of_other_make.then_some(made))
}

/// Puts a policy into the settings, or takes away that of one listener; returns what was there.
pub(super) fn replace(
    settings: &mut Settings,
    name: Option<&ListenerName>,
    policy: Option<Policy>,
) -> Option<Policy> {
    match (name, policy) {
        (Some(name), Some(policy)) => settings.policies.insert(name.clone(), policy),
        (Some(name), None) => settings.policies.remove(name),
        (None, Some(policy)) => Some(std::mem::replace(&mut settings.policy, policy)),
        // There is always one for all others.
        (None, None) => None,
    }
}

/// What was changed and is not in force yet, oldest first: to be undone when the workers cannot be replaced. However
/// often a policy is changed it stands here once for each verdict: for that of the reload that goes on, and for that of
/// the one behind it.
#[derive(Debug, Default)]
pub(super) struct Changes {
    pending: Vec<Change>,
}

#[derive(Debug)]
struct Change {
    name: Option<ListenerName>,
    before: Option<Rule>,
    naming: Option<Naming>,
    /// Whose verdict decides; not known before the crew has answered.
    generation: Option<Generation>,
}

impl Change {
    /// One of the same policy before this one is gone: what was before that is before this one now.
    fn comes_after(&mut self, before: Option<Rule>, naming: Option<Naming>) {
        self.before = before;
        match (&mut self.naming, naming) {
            (Some(later), Some(earlier)) => later.before = earlier.before,
            (later @ None, earlier) => *later = earlier,
            // A scheduler has no name: what the settings had before the later one is what they had before both.
            (Some(_), None) => {}
        }
    }

    /// Is one with a later change of the same policy, in the place of this one.
    fn take_in(&mut self, mut later: Self) {
        later.comes_after(self.before.take(), self.naming.take());
        *self = later;
    }
}

impl Changes {
    /// The crew's answer to the wish that the last change has just made.
    fn answered(&mut self, answer: Generation) {
        for it in &mut self.pending {
            it.generation.get_or_insert(answer);
        }
    }

    /// Takes in changes that have been made now, and that the crew has answered. One of a policy that waits for the same
    /// verdict already is one with it: both go back to what was before the first.
    fn fold(&mut self) {
        let mut folded: Vec<Change> = Vec::with_capacity(self.pending.len());
        for later in std::mem::take(&mut self.pending) {
            let is_same =
                |it: &&mut Change| it.name == later.name && it.generation == later.generation;
            match folded.iter_mut().find(is_same) {
                Some(earlier) => earlier.take_in(later),
                None => folded.push(later),
            }
        }
        self.pending = folded;
    }

    /// Those that this verdict decides, out of the list. A reload that comes later has the others.
    fn decided(&mut self, verdict: Generation) -> Vec<Change> {
        let all = std::mem::take(&mut self.pending);
        let (decided, later) = all.into_iter().partition(|it| it.generation <= Some(verdict));
        self.pending = later;
        decided
    }

    /// The change of the same policy that came after one that is undone: that goes back to what was before both.
    fn successor(&mut self, name: Option<&ListenerName>) -> Option<&mut Change> {
        self.pending.iter_mut().find(|it| it.name.as_ref() == name)
    }
}

impl Driver {
    pub(super) fn set_rules(&mut self, RuleChanges { changes, answer }: RuleChanges) {
        let changes: Vec<_> = changes.into_iter().map(|it| self.set_rule(it)).collect();
        let generation = if changes.iter().any(|it| self.must_replace(it.name.as_ref())) {
            // One that needs no other workers goes back with those that do: they are one wish.
            self.changes.pending.extend(changes);
            let generation = self.reload_crew();
            // A crew that has ended answers nothing and takes nothing back.
            self.changes.pending.retain(|it| it.generation.is_some());
            self.changes.fold();
            generation
        } else {
            // They are in force, whatever becomes of changes of the same policies before them.
            let is_set = |it: &Change| changes.iter().any(|set| set.name == it.name);
            self.changes.pending.retain(|it| !is_set(it));
            None
        };
        if let Some(answer) = answer {
            // Who asked may have gone: the change is made all the same.
            let _ = answer.send(generation);
        }
    }

    fn set_rule(&mut self, change: RuleChange) -> Change {
        let RuleChange { name, rule, naming } = change;
        let before = self.machine.set_rule(self.now, name.clone(), Some(rule), &mut self.actions);
        self.settle();
        Change { name, before, naming, generation: None }
    }

    /// Workers that were forked by hand are nobody's to replace: they go on in their own way.
    fn must_replace(&self, name: Option<&ListenerName>) -> bool {
        let is_crew = |worker| self.links.get(&worker).is_some_and(|it| it.place.is_some());
        self.has_crew() && self.machine.is_changing_for(name, is_crew)
    }

    /// What became of replacing the workers. A reload that goes back takes those changes with it that it was the
    /// answer to: the old workers hold their listeners in the old way.
    pub(super) fn policy_hears(&mut self, notice: &Notice) {
        match *notice {
            Notice::ReloadStarted { generation } | Notice::ReloadMerged { generation } => {
                self.changes.answered(generation);
            }
            Notice::ReloadCommitted { generation } => drop(self.changes.decided(generation)),
            Notice::RolledBack { generation, .. } => {
                // Of a crew that is being ended this is the first answer, too.
                self.changes.answered(generation);
                for change in self.changes.decided(generation).into_iter().rev() {
                    self.undo(change);
                }
            }
            // No news of a reload's beginning or end.
            _ => {}
        }
    }

    fn undo(&mut self, change: Change) {
        let Change { name, before, naming, .. } = change;
        if let Some(later) = self.changes.successor(name.as_ref()) {
            later.comes_after(before, naming);
            return;
        }
        self.machine.set_rule(self.now, name.clone(), before, &mut self.actions);
        if let Some(naming) = naming {
            self.shown.take_back(name.as_ref(), naming);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const G1: Generation = Generation(1);

    fn change(name: Option<u16>, policy: Option<Policy>, before: Policy) -> Change {
        Change {
            name: name.map(ListenerName::Port),
            before: Some(before.rule()),
            naming: policy.map(|policy| Naming { policy, before: Some(before) }),
            generation: None,
        }
    }

    /// What the settings name now, and what they named before, of each change that is kept.
    fn named(changes: &Changes) -> Vec<(&Policy, Option<&Policy>)> {
        let naming = changes.pending.iter().filter_map(|it| it.naming.as_ref());
        naming.map(|it| (&it.policy, it.before.as_ref())).collect()
    }

    #[test]
    fn a_policy_that_is_changed_again_and_again_is_kept_once_for_each_verdict() {
        let mut changes = Changes::default();
        for generation in [G1, Generation(2)] {
            for _ in 0..100 {
                changes.pending.push(change(None, Some(Policy::Shared), Policy::RoundRobin));
                let own = change(Some(80), Some(Policy::Shared), Policy::LeastConnections);
                changes.pending.push(own);
                // A scheduler of the user's own has no name in the settings.
                changes.pending.push(change(None, None, Policy::Shared));
                let last = change(None, Some(Policy::LeastConnections), Policy::Shared);
                changes.pending.push(last);
                changes.answered(generation);
                changes.fold();
            }
        }
        let common = (&Policy::LeastConnections, Some(&Policy::RoundRobin));
        let own = (&Policy::Shared, Some(&Policy::LeastConnections));
        assert_eq!(named(&changes), [common, own, common, own]);
        assert_eq!(changes.decided(G1).len(), 2);
        assert_eq!(named(&changes), [common, own]);
    }
}
