//! A reload as a transaction: one slot after another, new before old, all or nothing.

use super::crew::{Crew, Milestone, State, Timer};
use super::life::{Life, Occupant, Wish, Worker};
use super::rollback::{Blame, stopped};
use super::slot::Seat;
use super::{Action, Generation, Notice, Readiness, SlotId};
use crate::{Time, WorkerId};

/// What is being replaced.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reload {
    /// Nothing.
    None,
    /// The old generation by the new.
    Forward(Transaction),
    /// The new generation, which failed, by the old.
    Back(Transaction, Blame),
}

/// One reload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transaction {
    /// The generation before it.
    pub(super) from: Generation,
    /// Its own.
    pub(super) to: Generation,
    /// Slots whose worker was replaced by a new one.
    pub(super) replaced: usize,
    /// Who is to take a slot next.
    pub(super) trial: Option<Trial>,
}

/// A worker beside the one whose slot it is to take.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trial {
    pub(super) slot: SlotId,
    pub(super) newcomer: Occupant,
}

impl Reload {
    pub(super) const fn trial(&self) -> Option<Trial> {
        match self {
            Self::None => None,
            Self::Forward(it) | Self::Back(it, _) => it.trial,
        }
    }

    pub(super) const fn trial_mut(&mut self) -> Option<&mut Trial> {
        match self {
            Self::None => None,
            Self::Forward(it) | Self::Back(it, _) => it.trial.as_mut(),
        }
    }

    pub(super) const fn take_trial(&mut self) -> Option<Trial> {
        match self {
            Self::None => None,
            Self::Forward(it) | Self::Back(it, _) => it.trial.take(),
        }
    }

    /// Whether this is the newcomer.
    pub(super) fn awaits(&self, who: Occupant) -> bool {
        self.trial().is_some_and(|it| it.newcomer == who)
    }
}

impl Crew {
    pub(super) fn reload(&mut self, out: &mut Vec<Action>) {
        match self.state {
            State::Running(_) => self.reload_asked(out),
            // It is answered, by the only verdict that is left.
            State::Stopping(_) => {
                self.newest = self.newest.next();
                out.push(stopped(self.newest));
            }
            // There is nobody to replace.
            State::Idle | State::Finished => {}
        }
    }

    fn reload_asked(&mut self, out: &mut Vec<Action>) {
        let generation = match self.reload {
            Reload::None => return self.begin_reload(out),
            Reload::Forward(it) if it.replaced == 0 => it.to,
            // Some workers may have loaded what the request is about to replace: another one, afterwards.
            Reload::Forward(_) | Reload::Back(..) => {
                self.reload_again = true;
                self.newest.next()
            }
        };
        out.push(Action::Notify(Notice::ReloadMerged { generation }));
    }

    fn begin_reload(&mut self, out: &mut Vec<Action>) {
        self.newest = self.newest.next();
        let generation = self.newest;
        self.reload = Reload::Forward(Transaction {
            from: self.generation,
            to: generation,
            replaced: 0,
            trial: None,
        });
        out.push(Action::Notify(Notice::ReloadStarted { generation }));
    }

    /// Starts the next newcomer, or comes to the verdict.
    pub(super) fn advance_reload(&mut self, now: Time, out: &mut Vec<Action>) {
        loop {
            let (it, target) = match self.reload {
                Reload::None if !self.reload_again => return,
                Reload::None => {
                    self.reload_again = false;
                    self.begin_reload(out);
                    continue;
                }
                Reload::Forward(it) => (it, it.to),
                Reload::Back(it, _) => (it, it.from),
            };
            if it.trial.is_some() {
                return;
            }
            let mut left = self.slots.iter().filter(|it| it.1.generation != target);
            if left.clone().next().is_none() {
                self.conclude(out);
                continue;
            }
            // Predecessors that are slow to end fill the room of those that are left.
            let Some(slot) = left.find(|it| self.has_room(*it.0)).map(|it| *it.0) else {
                return;
            };
            self.try_newcomer(now, slot, target, out);
        }
    }

    fn try_newcomer(&mut self, now: Time, slot: SlotId, of: Generation, out: &mut Vec<Action>) {
        let newcomer = Occupant::Asked(self.fork(slot, of, out));
        match &mut self.reload {
            Reload::Forward(it) | Reload::Back(it, _) => it.trial = Some(Trial { slot, newcomer }),
            Reload::None => {}
        }
        let deadline = now + self.settings.reload_deadline;
        self.timers.set(Timer::Trial, deadline);
    }

    /// Every slot has what the transaction was after.
    fn conclude(&mut self, out: &mut Vec<Action>) {
        match std::mem::replace(&mut self.reload, Reload::None) {
            Reload::Forward(it) => {
                let generation = it.to;
                self.generation = generation;
                if self.workers.values().any(|it| it.generation == generation && it.is_ready()) {
                    self.best = Milestone::Served;
                }
                self.recover(out);
                out.push(Action::Forget { generation: it.from });
                out.push(Action::Notify(Notice::ReloadCommitted { generation }));
            }
            Reload::Back(it, blame) => {
                let generation = it.to;
                out.push(Action::Forget { generation });
                out.push(blame.verdict(generation));
            }
            Reload::None => {}
        }
    }

    /// The newcomer serves. A new one must stay so for a while; an old one has been trusted before.
    pub(super) fn trial_ready(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        if !self.reload.awaits(Occupant::Held(worker)) {
            return;
        }
        self.timers.cancel(Timer::Trial);
        match self.reload {
            Reload::Forward(_) | Reload::None => {}
            Reload::Back(..) => self.trial_passed(now, out),
        }
    }

    /// The newcomer has served, or lived, for the stable time. Where no worker ever served, and none need to, that it
    /// lives is all that can be asked.
    pub(super) fn trial_stable(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let alive_counts = match self.settings.readiness {
            Readiness::ToldIfEver => self.best < Milestone::Served,
            // Its age has made it ready, if that is enough.
            Readiness::Told | Readiness::Age => false,
        };
        let passes = self.workers.get(&worker).is_some_and(|it| match it.life {
            Life::Up(_) if it.is_ready() => true,
            Life::Up(_) => alive_counts && it.listen_failed.is_none(),
            Life::Cut(_) | Life::Ending(_) => false,
        });
        if passes && self.reload.awaits(Occupant::Held(worker)) {
            self.trial_passed(now, out);
        }
    }

    pub(super) fn trial_passed(&mut self, now: Time, out: &mut Vec<Action>) {
        let Some(trial) = self.reload.take_trial() else {
            return;
        };
        self.timers.cancel(Timer::Trial);
        match &mut self.reload {
            Reload::Forward(it) => {
                it.replaced += 1;
                let (generation, replaced) = (it.to, it.replaced);
                self.adopt(now, trial, generation, out);
                out.push(Action::Notify(Notice::ReloadProgress {
                    generation,
                    slot: trial.slot,
                    replaced,
                    of: self.slots.len(),
                }));
            }
            Reload::Back(it, _) => {
                let generation = it.from;
                self.adopt(now, trial, generation, out);
            }
            Reload::None => {}
        }
    }

    /// The newcomer takes its slot; whoever had it is told to leave.
    pub(super) fn adopt(
        &mut self,
        now: Time,
        trial: Trial,
        generation: Generation,
        out: &mut Vec<Action>,
    ) {
        let Some(slot) = self.slots.get_mut(&trial.slot) else {
            return;
        };
        slot.generation = generation;
        slot.forgive_starts();
        slot.serving.reset();
        match std::mem::replace(&mut slot.seat, Seat::Taken(trial.newcomer)) {
            Seat::Taken(old) => self.dismiss(now, old, out),
            Seat::Waiting => {
                self.timers.cancel(Timer::Restart(trial.slot));
            }
            Seat::Vacant | Seat::Parked => {}
        }
        match trial.newcomer {
            Occupant::Held(worker) if self.workers.get(&worker).is_some_and(Worker::is_ready) => {
                self.proven(worker, Milestone::Served, out);
            }
            Occupant::Held(_) | Occupant::Asked(_) => {}
        }
    }

    /// Nobody counts on it any more: it leaves now, or as soon as it is there.
    pub(super) fn dismiss(&mut self, now: Time, who: Occupant, out: &mut Vec<Action>) {
        match who {
            Occupant::Held(worker) => self.end(now, worker, out),
            Occupant::Asked(ticket) => {
                if let Some(asked) = self.asked.get_mut(&ticket) {
                    asked.wish = Wish::End;
                }
            }
        }
    }
}
