//! How a worker is ended, everywhere the same, and how the crew is.

use super::crew::{Crew, Phase, Timer};
use super::member::{Life, Seat, Step};
use super::{Action, Force, Notice, Outcome, Reason};
use crate::{Time, WorkerId};

impl Crew {
    /// Begins to end a worker: asked where it can hear, terminated where it never spoke.
    pub(super) fn end(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(member) = self.members.get_mut(&worker) else {
            return;
        };
        match member.life {
            Life::Online | Life::Ready => {
                member.life = Life::Draining(Step::Asked);
                out.push(Action::Disconnect { worker });
                self.timers.set(Timer::Escalate(worker), now + self.settings.grace);
            }
            Life::Spawned => {
                member.life = Life::Draining(Step::Terminated);
                // Taken off its listeners too, should it have just asked for one.
                out.push(Action::Disconnect { worker });
                out.push(Action::Signal { worker, force: Force::Terminate });
                self.timers.set(Timer::Escalate(worker), now + self.settings.term_grace);
            }
            // On its way already.
            Life::Draining(_) => {}
        }
    }

    /// A leaving worker's time is over: the next step.
    pub(super) fn escalate(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(member) = self.members.get_mut(&worker) else {
            return;
        };
        let force = match member.life {
            Life::Draining(Step::Asked) => {
                member.life = Life::Draining(Step::Terminated);
                self.timers.set(Timer::Escalate(worker), now + self.settings.term_grace);
                Force::Terminate
            }
            Life::Draining(Step::Terminated) => {
                member.life = Life::Draining(Step::Killed);
                Force::Kill
            }
            // SIGKILL needs no repetition; who does not leave has no such timer.
            Life::Draining(Step::Killed) | Life::Spawned | Life::Online | Life::Ready => return,
        };
        self.force(worker, force, out);
    }

    fn force(&mut self, worker: WorkerId, force: Force, out: &mut Vec<Action>) {
        self.forced += usize::from(force == Force::Kill);
        out.push(Action::Notify(Notice::Forced { worker, force }));
        out.push(Action::Signal { worker, force });
    }

    /// Ends the crew; `outcome` is what it will be if nobody has to be made to leave.
    pub(super) fn stop(&mut self, now: Time, outcome: Outcome, out: &mut Vec<Action>) {
        match self.phase {
            Phase::Idle | Phase::Running | Phase::Degraded => {}
            Phase::Stopping(_) | Phase::Finished => return,
        }
        self.phase = Phase::Stopping(outcome);
        self.reload_again = false;
        out.push(Action::Notify(Notice::Stopping { workers: self.members.len() }));
        self.reload_stopped(Reason::Stopped, out);
        self.timers.cancel(Timer::Canary);
        for slot in 0..self.slots.len() {
            self.timers.cancel(Timer::Restart(slot));
            self.slots[slot].seat = Seat::Vacant;
        }
        let workers: Vec<_> = self.members.keys().copied().collect();
        for worker in workers {
            self.timers.cancel(Timer::StartDeadline(worker));
            self.timers.cancel(Timer::Stable(worker));
            self.end(now, worker, out);
        }
        self.finish_if_empty(out);
    }

    pub(super) fn stop_now(&mut self, out: &mut Vec<Action>) {
        let workers: Vec<_> = self.members.keys().copied().collect();
        for worker in workers {
            let Some(member) = self.members.get_mut(&worker) else {
                continue;
            };
            if member.life == Life::Draining(Step::Killed) {
                continue;
            }
            member.life = Life::Draining(Step::Killed);
            self.timers.cancel(Timer::Escalate(worker));
            self.force(worker, Force::Kill, out);
        }
    }

    /// A worker whose channel was closed for cause is of no use: it is replaced at once.
    pub(super) fn misbehaved(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(member) = self.members.get(&worker) else {
            return;
        };
        let slot = member.slot;
        if member.is_leaving() {
            return;
        }
        if self.is_reloads_worker(worker) {
            return self.reload_failed(now, Some(worker), Reason::Misbehaved, out);
        }
        if self.slots.get(slot).is_some_and(|it| it.seat == Seat::Taken(worker)) {
            self.slots[slot].restarts += 1;
            self.died_young(now, slot, None, out);
        }
        self.end(now, worker, out);
    }

    pub(super) fn finish_if_empty(&mut self, out: &mut Vec<Action>) {
        let Phase::Stopping(outcome) = self.phase else {
            return;
        };
        if !self.members.is_empty() || self.forking > 0 {
            return;
        }
        self.phase = Phase::Finished;
        let outcome = match (outcome, self.forced) {
            (Outcome::Stopped, 1..) => Outcome::Forced { workers: self.forced },
            (outcome, _) => outcome,
        };
        out.push(Action::Finished(outcome));
    }
}
