//! Who breaks the machine's decisions, now and then.

use std::time::Duration;

use portcrew_core::primary::{Action, Event, Mode, Rule};
use portcrew_core::{Limits, ToWorker, WorkerId};

use super::{Mutation, planted, schedulers};
use crate::sim::policy::{Watched, Wrongs};
use crate::sim::rng::Rng;
use crate::sim::spec::Spec;

/// Longer than any world.
const FOR_EVER: Duration = Duration::from_secs(1_000_000);

/// Who breaks it, by a chance of its own: a world without one runs as if there were none.
#[derive(Debug)]
pub struct Saboteur {
    mutation: Option<Mutation>,
    rng: Rng,
}

/// What the world knows about an action, for faults that are more than the action.
#[derive(Debug, Clone, Copy, Default)]
pub struct Circumstances {
    /// A free one that is handed connections, while this is an offer to one that accepts for itself.
    pub spared_for: Option<WorkerId>,
    /// Nobody is handed connections of the listener.
    pub for_nobody: bool,
}

impl Saboteur {
    /// Breaks this, or nothing.
    #[must_use]
    pub const fn new(mutation: Option<Mutation>, seed: u64) -> Self {
        Self { mutation, rng: Rng::new(!seed) }
    }

    pub(super) const fn mutation(&self) -> Option<Mutation> {
        self.mutation
    }

    pub(super) fn strikes(&mut self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation) && self.rng.percent(50)
    }

    /// Whether there is anything to break.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.mutation.is_none()
    }

    /// What the machine is told in place of this.
    pub fn event(&mut self, event: Event) -> Vec<Event> {
        let Some(mutation) = self.mutation else {
            return vec![event];
        };
        if !planted::aims_at_event(mutation, &event) || !self.strikes(mutation) {
            return vec![event];
        }
        planted::broken_event(mutation, event)
    }

    /// What the shell is told in place of this.
    pub fn action(&mut self, action: Action, about: Circumstances) -> Vec<Action> {
        let Some(mutation) = self.mutation else {
            return vec![action];
        };
        if !planted::aims_at_action(mutation, &action, about) || !self.strikes(mutation) {
            return vec![action];
        }
        match (mutation, action) {
            (Mutation::ReleasesTwice | Mutation::OffersTwice, action) => {
                vec![action.clone(), action]
            }
            (Mutation::SparesSharers, Action::Offer { worker, seq, conn, listener }) => {
                let worker = about.spared_for.unwrap_or(worker);
                vec![Action::Offer { worker, seq, conn, listener }]
            }
            (Mutation::ForgetsData, Action::Send { worker, seq, mut message }) => {
                if let ToWorker::Reply { data, .. } = &mut message {
                    *data = None;
                }
                vec![Action::Send { worker, seq, message }]
            }
            _ => Vec::new(),
        }
    }

    /// The machine's limits; the checkers keep the right ones.
    pub fn limits(&self, limits: &mut Limits) {
        match self.mutation {
            Some(Mutation::WindowOffByOne) => {
                limits.lane_window += 1;
                limits.channel_window += 1;
            }
            Some(Mutation::QueueOffByOne) => limits.held += 1,
            Some(Mutation::RefusalsOffByOne) => limits.refusals += 1,
            Some(Mutation::WindowNeverNarrows) => limits.slow = FOR_EVER,
            Some(Mutation::WindowNeverWidens) => limits.quick = Duration::ZERO,
            Some(Mutation::HeldUpUnseen) => limits.held_up = FOR_EVER,
            Some(Mutation::RestsNever) => limits.refusal_rest = Duration::ZERO,
            Some(Mutation::ForgivesNothing) => limits.deficit = u64::MAX,
            Some(Mutation::LooksForEver) => limits.look_for = FOR_EVER,
            Some(Mutation::ShedsWithoutEnd) => limits.shed_every = Duration::from_nanos(1),
            Some(Mutation::AsksAtOnce) => limits.ask_again = Duration::from_micros(1),
            Some(_) | None => {}
        }
    }

    /// The machine's rule; the checkers ask the right policy.
    #[must_use]
    pub fn rule(&self, spec: Spec, wrongs: &Wrongs) -> Rule {
        match spec.mode {
            Mode::Shared => Rule::shared(),
            Mode::Kernel => Rule::kernel(),
            Mode::Handover => {
                let right = Watched::new(spec.policy, wrongs.clone());
                Rule::boxed(schedulers::broken(self.mutation, right))
            }
        }
    }

    /// Whether the machine is not told of a rule.
    pub fn hides_rule(&mut self) -> bool {
        self.strikes(Mutation::RuleIgnored)
    }

    /// The rule by which a change is undone.
    pub fn undo(&mut self, before: Option<Rule>) -> Option<Rule> {
        if self.strikes(Mutation::UndoesWrong) { Some(Rule::default()) } else { before }
    }

    /// What becomes of the actions that a rule caused.
    pub fn after_rule(&mut self, actions: &mut Vec<Action>) {
        if self.mutation == Some(Mutation::RuleLosesQueue) {
            actions.retain(|it| !matches!(it, Action::Offer { .. }));
        }
    }
}
