//! Who waits for which verdict.

use std::time::Instant;

use portcrew::Generation;

use crate::control::v1::{API, PolicySet, Problem, Reloaded, Stopped};
use crate::control::{Answer, Trouble};
use crate::output::words::control as words;

/// Those who wait. Their number is limited by the server, which lets only so many wait at once; who has gone is
/// dropped when it comes to the verdict.
#[derive(Debug, Default)]
pub(in crate::crew) struct Verdicts {
    reloads: Vec<(Generation, Instant, Answer<Reloaded>)>,
    policies: Vec<(Generation, String, Answer<PolicySet>)>,
    stops: Vec<Answer<Stopped>>,
}

impl Verdicts {
    /// Waits for the verdict on this generation.
    pub(in crate::crew) fn reload(&mut self, generation: Generation, answer: Answer<Reloaded>) {
        self.reloads.retain(|(_, _, answer)| !answer.is_closed());
        self.reloads.push((generation, Instant::now(), answer));
    }

    /// The same for a policy that comes with the workers of this generation.
    pub(in crate::crew) fn policy(
        &mut self,
        generation: Generation,
        policy: String,
        answer: Answer<PolicySet>,
    ) {
        self.policies.retain(|(_, _, answer)| !answer.is_closed());
        self.policies.push((generation, policy, answer));
    }

    /// Waits for the crew's end.
    pub(in crate::crew) fn stop(&mut self, answer: Answer<Stopped>) {
        self.stops.retain(|answer| !answer.is_closed());
        self.stops.push(answer);
    }

    /// Whoever has gone meanwhile is answered in vain, here and below.
    pub(super) fn committed(&mut self, generation: Generation) {
        for (_, since, answer) in take(&mut self.reloads, |it| it.0 == generation) {
            let took_ms = u64::try_from(since.elapsed().as_millis()).unwrap_or(u64::MAX);
            let _ = answer.send(Ok(Reloaded { api: API, generation: generation.0, took_ms }));
        }
        for (_, policy, answer) in take(&mut self.policies, |it| it.0 == generation) {
            let _ = answer.send(Ok(PolicySet { api: API, policy, reloaded: true }));
        }
    }

    pub(super) fn rolled_back(&mut self, generation: Generation, problem: &Problem) {
        for (_, _, answer) in take(&mut self.reloads, |it| it.0 == generation) {
            let _ = answer.send(Err(Trouble::Failed(problem.clone())));
        }
        for (_, _, answer) in take(&mut self.policies, |it| it.0 == generation) {
            let _ = answer.send(Err(Trouble::Failed(problem.clone())));
        }
    }

    /// The crew has ended: so many workers had to be killed. Who waits for anything else has waited in vain.
    pub(in crate::crew) fn ended(&mut self, killed: usize) {
        for answer in self.stops.drain(..) {
            let _ = answer.send(Ok(Stopped { api: API, killed }));
        }
        self.answer_all(&Trouble::Stopping(words::crew_has_ended()));
    }

    /// What was to be heard may have been among what was lost.
    pub(super) fn lost(&mut self) {
        self.answer_all(&Trouble::Failed(words::verdict_lost()));
    }

    fn answer_all(&mut self, trouble: &Trouble) {
        for (_, _, answer) in self.reloads.drain(..) {
            let _ = answer.send(Err(trouble.clone()));
        }
        for (_, _, answer) in self.policies.drain(..) {
            let _ = answer.send(Err(trouble.clone()));
        }
    }
}

/// Takes those out that are meant, and leaves the others in their order.
fn take<T>(list: &mut Vec<T>, is_meant: impl Fn(&T) -> bool) -> Vec<T> {
    let (taken, left) = std::mem::take(list).into_iter().partition(is_meant);
    *list = left;
    taken
}
