//! Newcomers on trial: each is to take a slot when it is ready and has stayed so, and until then nobody counts on it.
//!
//! Usually whoever has the slot serves on beside its newcomer. Where fewer may serve for a while, or where two must
//! never run at once, the slot is cleared first: its worker is told to leave, and the newcomer comes when there is room.

use super::crew::{Crew, Milestone, Timer};
use super::life::{Life, Occupant, Worker};
use super::reload::Reload;
use super::slot::Seat;
use super::{Action, Generation, Readiness, Reason, SlotId};
use crate::{Time, WorkerId};

/// Who is to take a slot; nobody yet, where the slot was cleared and has no room.
pub(super) type Newcomer = Option<Occupant>;

impl Crew {
    /// Starts a newcomer for a slot that has room.
    pub(super) fn try_newcomer(
        &mut self,
        now: Time,
        slot: SlotId,
        of: Generation,
        out: &mut Vec<Action>,
    ) {
        let newcomer = Occupant::Asked(self.fork(slot, of, out));
        self.trials.insert(slot, Some(newcomer));
        let deadline = now + self.settings.reload_deadline;
        self.timers.set(Timer::Trial(slot), deadline);
    }

    /// Sends away whoever has the slot, for a newcomer that comes when there is room.
    pub(super) fn clear_for_newcomer(&mut self, now: Time, slot: SlotId, out: &mut Vec<Action>) {
        let Some(record) = self.slots.get_mut(&slot) else {
            return;
        };
        if let Seat::Taken(old) = std::mem::replace(&mut record.seat, Seat::Cleared) {
            self.dismiss(now, old, out);
        }
        self.timers.cancel(Timer::Restart(slot));
        self.trials.insert(slot, None);
    }

    /// The slot that this one is to take.
    pub(super) fn trial_of(&self, who: Occupant) -> Option<SlotId> {
        let mut all = self.trials.iter();
        all.find(|it| *it.1 == Some(who)).map(|it| *it.0)
    }

    /// Newcomers beside another process of their slot, which may serve or be on its way out.
    pub(super) fn newcomers_beside(&self) -> usize {
        let beside = |it: &(&SlotId, &Newcomer)| it.1.is_some() && self.processes_of(*it.0) > 1;
        self.trials.iter().filter(beside).count()
    }

    /// A slot with a newcomer on trial may have its own worker again only where a newcomer may stand beside one.
    pub(super) fn may_be_filled(&self, slot: SlotId) -> bool {
        let has_newcomer = self.trials.contains_key(&slot);
        !has_newcomer || self.newcomers_beside() < self.settings.surge_now()
    }

    /// Newcomers that were started.
    pub(super) fn has_newcomers(&self) -> bool {
        self.trials.values().any(|it| matches!(it, Some(Occupant::Held(_))))
    }

    /// Newcomers that are not ready and too young to be taken for slow ones.
    pub(super) fn newcomers_starting(&self, now: Time) -> usize {
        let starts = |it: &&Newcomer| match it {
            Some(Occupant::Asked(_)) => true,
            Some(Occupant::Held(worker)) => {
                let record = self.workers.get(worker);
                record.is_some_and(|it| it.is_starting(now, &self.settings))
            }
            None => false,
        };
        self.trials.values().filter(starts).count()
    }

    /// Ends a trial without a verdict: its newcomer leaves, and a slot that was cleared for it is filled as any other.
    pub(super) fn drop_trial(&mut self, now: Time, slot: SlotId, out: &mut Vec<Action>) {
        let Some(newcomer) = self.trials.remove(&slot) else {
            return;
        };
        self.timers.cancel(Timer::Trial(slot));
        if let Some(newcomer) = newcomer {
            self.dismiss(now, newcomer, out);
        }
        let empty = self.empty_seat();
        if let Some(slot) = self.slots.get_mut(&slot) {
            if slot.seat == Seat::Cleared {
                slot.seat = empty;
            }
        }
    }

    pub(super) fn drop_trials(&mut self, now: Time, out: &mut Vec<Action>) {
        let all: Vec<_> = self.trials.keys().copied().collect();
        for slot in all {
            self.drop_trial(now, slot, out);
        }
    }

    /// A newcomer serves. A new one must stay so for a while; one of a generation that served has been trusted before.
    pub(super) fn trial_ready(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(slot) = self.trial_of(Occupant::Held(worker)) else {
            return;
        };
        self.timers.cancel(Timer::Trial(slot));
        match self.reload {
            Reload::Forward(_) | Reload::None => {}
            Reload::Back(..) => self.trial_passed(now, slot, out),
        }
    }

    /// A newcomer has served, or lived, for the stable time. Where no worker ever served, and none need to, that it
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
        if let (true, Some(slot)) = (passes, self.trial_of(Occupant::Held(worker))) {
            self.trial_passed(now, slot, out);
        }
    }

    fn trial_passed(&mut self, now: Time, slot: SlotId, out: &mut Vec<Action>) {
        let Some(Some(newcomer)) = self.trials.remove(&slot) else {
            return;
        };
        self.timers.cancel(Timer::Trial(slot));
        match self.reload {
            Reload::Forward(_) => self.replaced(now, slot, newcomer, out),
            Reload::Back(it, _) => self.adopt(now, slot, newcomer, it.from, out),
            Reload::None => self.recycled(now, slot, newcomer, out),
        }
    }

    /// The newcomer did not become ready in time.
    pub(super) fn trial_overdue(&mut self, now: Time, slot: SlotId, out: &mut Vec<Action>) {
        let worker = match self.trials.get(&slot) {
            Some(Some(Occupant::Held(worker))) => Some(*worker),
            Some(Some(Occupant::Asked(_)) | None) | None => None,
        };
        let reason = Reason::Deadline(self.settings.reload_deadline);
        self.trial_failed(now, slot, worker, reason, out);
    }

    /// The newcomer is of no use.
    pub(super) fn trial_failed(
        &mut self,
        now: Time,
        slot: SlotId,
        worker: Option<WorkerId>,
        reason: Reason,
        out: &mut Vec<Action>,
    ) {
        self.drop_trial(now, slot, out);
        match self.reload {
            Reload::Forward(_) => self.roll_back(now, slot, worker, reason, out),
            Reload::Back(..) => self.force_back(now, slot, reason, out),
            Reload::None => self.not_recycled(now, slot, worker, reason, out),
        }
    }

    /// The newcomer takes its slot; whoever had it is told to leave.
    pub(super) fn adopt(
        &mut self,
        now: Time,
        id: SlotId,
        newcomer: Occupant,
        generation: Generation,
        out: &mut Vec<Action>,
    ) {
        let Some(slot) = self.slots.get_mut(&id) else {
            return;
        };
        slot.generation = generation;
        slot.forgive_starts();
        slot.serving.reset();
        match std::mem::replace(&mut slot.seat, Seat::Taken(newcomer)) {
            Seat::Taken(old) => self.dismiss(now, old, out),
            Seat::Waiting => {
                self.timers.cancel(Timer::Restart(id));
            }
            Seat::Vacant | Seat::Cleared | Seat::Parked | Seat::Retired => {}
        }
        match newcomer {
            Occupant::Held(worker) if self.workers.get(&worker).is_some_and(Worker::is_ready) => {
                self.proven(worker, Milestone::Served, out);
            }
            Occupant::Held(_) | Occupant::Asked(_) => {}
        }
    }
}
