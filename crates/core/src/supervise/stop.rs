//! How workers are ended, one and all: told to leave, then made to, then killed. Always within a bound.

use super::crew::{Crew, Goal, State, Timer};
use super::life::{Life, Step, Wish, Worker};
use super::{Action, Drain, Force, Notice, Outcome};
use crate::{Time, WorkerId};

impl Crew {
    pub(super) fn stop(&mut self, now: Time, out: &mut Vec<Action>) {
        match self.state {
            // Nothing runs: settling finds that at once.
            State::Idle | State::Running(_) => {
                self.wind_up(now, Goal::Asked { killed: 0 }, Wish::End, out);
            }
            // Who asks again does not want to wait.
            State::Stopping(_) => self.kill_all(now, out),
            State::Finished => {}
        }
    }

    pub(super) fn stop_now(&mut self, now: Time, out: &mut Vec<Action>) {
        match self.state {
            State::Idle | State::Running(_) => {
                self.wind_up(now, Goal::Asked { killed: 0 }, Wish::Kill, out);
            }
            State::Stopping(_) => self.kill_all(now, out),
            State::Finished => {}
        }
    }

    /// The crew ends by itself: its workers leave as they do in a stop.
    pub(super) fn give_up(&mut self, now: Time, outcome: Outcome, out: &mut Vec<Action>) {
        self.wind_up(now, Goal::Given(outcome), Wish::End, out);
    }

    fn wind_up(&mut self, now: Time, goal: Goal, how: Wish, out: &mut Vec<Action>) {
        self.state = State::Stopping(goal);
        self.abandon_reload(out);
        self.recycling = None;
        self.recycling_rests = false;
        self.timers.cancel(Timer::RecyclingRest);
        for id in std::mem::take(&mut self.slots).into_keys() {
            self.timers.cancel(Timer::Restart(id));
        }
        out.push(Action::Notify(Notice::Stopping {
            workers: self.asked.len() + self.workers.len(),
        }));
        match how {
            Wish::Kill => self.kill_all(now, out),
            Wish::End | Wish::Keep => self.end_all(now, out),
        }
    }

    fn end_all(&mut self, now: Time, out: &mut Vec<Action>) {
        for asked in self.asked.values_mut() {
            asked.wish = Wish::End;
        }
        let all: Vec<_> = self.workers.keys().copied().collect();
        for worker in all {
            self.end(now, worker, out);
        }
    }

    fn kill_all(&mut self, now: Time, out: &mut Vec<Action>) {
        for asked in self.asked.values_mut() {
            asked.wish = Wish::Kill;
        }
        let all: Vec<_> = self.workers.keys().copied().collect();
        for worker in all {
            self.kill(now, worker, out);
        }
    }

    /// Its last process is gone, or is not.
    pub(super) fn finish(&mut self, goal: Goal, out: &mut Vec<Action>) {
        if !self.asked.is_empty() || !self.workers.is_empty() {
            return;
        }
        self.state = State::Finished;
        self.timers.cancel(Timer::Pulse);
        self.timers.cancel(Timer::Answers);
        let outcome = match goal {
            Goal::Asked { killed: 0 } => Outcome::Stopped,
            Goal::Asked { killed: workers } => Outcome::Forced { workers },
            Goal::Given(outcome) => outcome,
        };
        out.push(Action::Finished(outcome));
    }

    /// Tells a worker to leave, in the language that it understands.
    pub(super) fn end(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get(&worker) else {
            return;
        };
        let drain = self.settings.drain;
        match record.life {
            Life::Up(_) if drain == Drain::Signal => out.push(Action::DrainSignal { worker }),
            Life::Up(_) if record.speaks && drain == Drain::Text => {
                out.push(Action::Text { worker });
            }
            Life::Up(_) if record.speaks => out.push(Action::Disconnect { worker }),
            // It speaks no channel, or none any more: the signal is the message, and it has its grace.
            // What it was about to ask for it does not get.
            Life::Up(_) | Life::Cut(_) => out.push(Action::DrainSignal { worker }),
            // It was told.
            Life::Ending(_) => return,
        }
        self.leaves(now, worker);
    }

    /// It is leaving, and knows it: within the grace, or else.
    pub(super) fn leaves(&mut self, now: Time, worker: WorkerId) {
        let until = now + self.settings.grace;
        self.ends(worker, Step::Draining, until);
    }

    pub(super) fn terminate(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        self.force(now, worker, Force::Terminate, out);
    }

    /// By a signal that it can hear, with its grace.
    pub(super) fn force(
        &mut self,
        now: Time,
        worker: WorkerId,
        force: Force,
        out: &mut Vec<Action>,
    ) {
        out.push(Action::Signal { worker, force });
        let until = now + self.settings.term_grace;
        self.ends(worker, Step::Terminated, until);
    }

    pub(super) fn kill(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get(&worker) else {
            return;
        };
        match record.life {
            Life::Up(_) | Life::Cut(_) | Life::Ending(Step::Draining | Step::Terminated) => {}
            // Once is enough.
            Life::Ending(Step::Killed) => return,
        }
        let force = Force::Kill;
        out.push(Action::Signal { worker, force });
        let until = now + self.settings.kill_grace;
        self.ends(worker, Step::Killed, until);
        if let State::Stopping(Goal::Asked { killed }) = &mut self.state {
            *killed += 1;
        }
    }

    fn ends(&mut self, worker: WorkerId, step: Step, until: Time) {
        if let Some(record) = self.workers.get_mut(&worker) {
            record.life = Life::Ending(step);
        }
        self.timers.cancel(Timer::StartDeadline(worker));
        self.timers.cancel(Timer::Stable(worker));
        self.timers.cancel(Timer::Patience(worker));
        self.timers.cancel(Timer::Age(worker));
        self.unwatch(worker);
        self.timers.set(Timer::Ending(worker), until);
    }

    /// The wait of a step is over and the worker is still there.
    pub(super) fn next_step(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get(&worker) else {
            return;
        };
        match record.life {
            Life::Ending(Step::Draining) => {
                let force = Force::Terminate;
                out.push(Action::Notify(Notice::Forced { worker, force }));
                self.terminate(now, worker, out);
            }
            Life::Ending(Step::Terminated) => {
                let force = Force::Kill;
                out.push(Action::Notify(Notice::Forced { worker, force }));
                self.kill(now, worker, out);
            }
            Life::Ending(Step::Killed) => {
                self.forget(worker);
                out.push(Action::Notify(Notice::Unkillable { worker }));
            }
            // It was not told to leave.
            Life::Up(_) | Life::Cut(_) => {}
        }
    }

    /// Nothing is known of it, and nothing asked for it, from here on.
    pub(super) fn forget(&mut self, worker: WorkerId) -> Option<Worker> {
        self.timers.cancel(Timer::StartDeadline(worker));
        self.timers.cancel(Timer::Stable(worker));
        self.timers.cancel(Timer::Patience(worker));
        self.timers.cancel(Timer::Ending(worker));
        self.timers.cancel(Timer::Age(worker));
        self.unwatch(worker);
        self.workers.remove(&worker)
    }
}
