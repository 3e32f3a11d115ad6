//! The way back: the first newcomer that fails costs the whole reload.

use super::crew::{Crew, Timer};
use super::life::{Occupant, Wish};
use super::reload::Reload;
use super::restart::Loss;
use super::slot::Seat;
use super::{Action, Generation, Notice, Reason, SlotId};
use crate::{Time, WorkerId};

/// Why a reload is being undone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Blame {
    pub(super) worker: Option<WorkerId>,
    pub(super) reason: Reason,
    /// Slots whose old program did not start any more.
    pub(super) unrestored: usize,
}

impl Crew {
    /// A seated worker was lost, and its slot is empty. Says whether that is the reload's business: a new
    /// one that dies during the reload is a failure of the reload, and is not replaced by its like.
    pub(super) fn reload_lost(&mut self, now: Time, loss: &Loss, out: &mut Vec<Action>) -> bool {
        match self.reload {
            Reload::Forward(it) if it.to == loss.generation && !loss.own_will => {
                self.roll_back(now, loss.slot, loss.worker(), loss.reason, out);
                true
            }
            Reload::Back(it, _) if it.to == loss.generation => {
                self.restore_empty(now, loss.slot, it.from, out);
                true
            }
            Reload::Forward(_) | Reload::Back(..) | Reload::None => false,
        }
    }

    pub(super) fn roll_back(
        &mut self,
        now: Time,
        slot: SlotId,
        worker: Option<WorkerId>,
        reason: Reason,
        out: &mut Vec<Action>,
    ) {
        let Reload::Forward(it) = self.reload else {
            return;
        };
        self.drop_trials(now, out);
        self.timers.cancel(Timer::Impasse);
        let generation = it.to;
        out.push(Action::Notify(Notice::ReloadFailed { generation, slot, worker, reason }));
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
                Seat::Vacant | Seat::Cleared | Seat::Waiting | Seat::Parked | Seat::Retired => {}
            }
            self.timers.cancel(Timer::Restart(*id));
            slot.seat = empty;
            slot.generation = it.from;
        }
        self.reload = Reload::Back(it, Blame { worker, reason, unrestored: 0 });
    }

    /// The old generation does not start either. The verdict must come, so the new one goes all the same; the slot's
    /// restarts do the rest. Old workers that still run are not touched by that.
    pub(super) fn force_back(
        &mut self,
        now: Time,
        slot: SlotId,
        reason: Reason,
        out: &mut Vec<Action>,
    ) {
        let Reload::Back(it, blame) = &mut self.reload else {
            return;
        };
        let generation = it.from;
        blame.unrestored += 1;
        let empty = self.empty_seat();
        let Some(record) = self.slots.get_mut(&slot) else {
            return;
        };
        record.generation = generation;
        if let Seat::Taken(new) = std::mem::replace(&mut record.seat, empty) {
            self.dismiss(now, new, out);
        }
        self.timers.cancel(Timer::Restart(slot));
        out.push(Action::Notify(Notice::NotRestored { generation, slot, reason }));
    }

    /// The new worker of this slot is gone before its old one was restored.
    fn restore_empty(
        &mut self,
        now: Time,
        slot: SlotId,
        generation: Generation,
        out: &mut Vec<Action>,
    ) {
        self.timers.cancel(Timer::Trial(slot));
        match self.trials.remove(&slot).flatten() {
            Some(newcomer) => self.adopt(now, slot, newcomer, generation, out),
            None => {
                if let Some(slot) = self.slots.get_mut(&slot) {
                    slot.generation = generation;
                }
            }
        }
    }

    /// The crew is being ended: whoever waits for a verdict is told that there is none better.
    pub(super) fn abandon_reload(&mut self, out: &mut Vec<Action>) {
        for slot in std::mem::take(&mut self.trials).into_keys() {
            self.timers.cancel(Timer::Trial(slot));
        }
        self.timers.cancel(Timer::Impasse);
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
    Blame { worker, reason, unrestored: 0 }.verdict(generation)
}

impl Blame {
    pub(super) const fn verdict(self, generation: Generation) -> Action {
        let Self { worker, reason, unrestored } = self;
        Action::Notify(Notice::RolledBack { generation, worker, reason, unrestored })
    }
}
