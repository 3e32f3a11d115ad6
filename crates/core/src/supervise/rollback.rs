//! The way back: the first newcomer that fails costs the whole reload.

use super::crew::{Crew, Timer};
use super::life::{Occupant, Wish};
use super::reload::{Reload, Transaction};
use super::restart::Loss;
use super::slot::Seat;
use super::{Action, Generation, Notice, Reason, SlotId};
use crate::{Time, WorkerId};

/// Why a reload is being undone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blame {
    pub(super) worker: Option<WorkerId>,
    pub(super) reason: Reason,
}

impl Crew {
    /// The newcomer did not become ready in time.
    pub(super) fn trial_overdue(&mut self, now: Time, out: &mut Vec<Action>) {
        let newcomer = self.reload.trial().map(|it| it.newcomer);
        let worker = match newcomer {
            Some(Occupant::Held(worker)) => Some(worker),
            Some(Occupant::Asked(_)) | None => None,
        };
        self.trial_failed(now, worker, Reason::Deadline(self.settings.reload_deadline), out);
    }

    /// The newcomer is of no use.
    pub(super) fn trial_failed(
        &mut self,
        now: Time,
        worker: Option<WorkerId>,
        reason: Reason,
        out: &mut Vec<Action>,
    ) {
        let Some(trial) = self.reload.take_trial() else {
            return;
        };
        self.timers.cancel(Timer::Trial);
        self.dismiss(now, trial.newcomer, out);
        match self.reload {
            Reload::Forward(it) => self.roll_back(it, trial.slot, Blame { worker, reason }, out),
            Reload::Back(it, _) => self.force_back(now, it, trial.slot, out),
            Reload::None => {}
        }
    }

    /// A seated worker was lost, and its slot is empty. Says whether that is the reload's business: a new
    /// one that dies during the reload is a failure of the reload, and is not replaced by its like.
    pub(super) fn reload_lost(&mut self, now: Time, loss: &Loss, out: &mut Vec<Action>) -> bool {
        match self.reload {
            Reload::Forward(it) if it.to == loss.generation && !loss.own_will => {
                let (worker, reason) = (loss.worker(), loss.reason);
                if let Some(trial) = self.reload.take_trial() {
                    self.timers.cancel(Timer::Trial);
                    self.dismiss(now, trial.newcomer, out);
                }
                self.roll_back(it, loss.slot, Blame { worker, reason }, out);
                true
            }
            Reload::Back(it, _) if it.to == loss.generation => {
                self.restore_empty(now, it, loss.slot, out);
                true
            }
            Reload::Forward(_) | Reload::Back(..) | Reload::None => false,
        }
    }

    fn roll_back(&mut self, it: Transaction, slot: SlotId, blame: Blame, out: &mut Vec<Action>) {
        out.push(Action::Notify(Notice::ReloadFailed {
            generation: it.to,
            slot,
            worker: blame.worker,
            reason: blame.reason,
        }));
        let empty = self.empty_seat();
        for (id, slot) in &mut self.slots {
            if slot.generation != it.to {
                continue;
            }
            match slot.seat {
                // It serves until an old one is ready.
                Seat::Taken(Occupant::Held(_)) => continue,
                Seat::Taken(Occupant::Asked(ticket)) => {
                    if let Some(asked) = self.asked.get_mut(&ticket) {
                        asked.wish = Wish::End;
                    }
                }
                Seat::Vacant | Seat::Waiting | Seat::Parked => {}
            }
            self.timers.cancel(Timer::Restart(*id));
            slot.seat = empty;
            slot.generation = it.from;
        }
        let trial = None;
        self.reload = Reload::Back(Transaction { trial, ..it }, blame);
    }

    /// The old generation does not start either. The verdict must come, so the new one goes all the same;
    /// the slot's restarts do the rest.
    fn force_back(&mut self, now: Time, it: Transaction, slot: SlotId, out: &mut Vec<Action>) {
        let empty = self.empty_seat();
        let Some(record) = self.slots.get_mut(&slot) else {
            return;
        };
        record.generation = it.from;
        if let Seat::Taken(new) = std::mem::replace(&mut record.seat, empty) {
            self.dismiss(now, new, out);
        }
    }

    /// The new worker of this slot is gone before its old one was restored.
    fn restore_empty(&mut self, now: Time, it: Transaction, slot: SlotId, out: &mut Vec<Action>) {
        match self.reload.trial() {
            Some(trial) if trial.slot == slot => {
                self.reload.take_trial();
                self.timers.cancel(Timer::Trial);
                self.adopt(now, trial, it.from, out);
            }
            Some(_) | None => {
                if let Some(slot) = self.slots.get_mut(&slot) {
                    slot.generation = it.from;
                }
            }
        }
    }

    /// The crew is being ended: whoever waits for a verdict is told that there is none better.
    pub(super) fn abandon_reload(&mut self, out: &mut Vec<Action>) {
        self.timers.cancel(Timer::Trial);
        match std::mem::replace(&mut self.reload, Reload::None) {
            Reload::Forward(it) => out.push(stopped(it.to)),
            Reload::Back(it, blame) => out.push(blame.verdict(it.to)),
            Reload::None => {}
        }
        if std::mem::take(&mut self.reload_again) {
            self.newest = self.newest.next();
            out.push(stopped(self.newest));
        }
    }
}

/// The verdict on a reload that the end of the crew has overtaken.
pub(super) const fn stopped(generation: Generation) -> Action {
    let (worker, reason) = (None, Reason::Stopped);
    Blame { worker, reason }.verdict(generation)
}

impl Blame {
    pub(super) const fn verdict(self, generation: Generation) -> Action {
        let Self { worker, reason } = self;
        Action::Notify(Notice::RolledBack { generation, worker, reason })
    }
}
