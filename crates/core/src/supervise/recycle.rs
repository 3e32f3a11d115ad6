//! Workers that are worn are replaced while they serve: one at a time, new before old, and never during a reload.

use super::crew::{Crew, Health, State, Timer};
use super::life::{Occupant, Worker};
use super::reload::Reload;
use super::restart::Loss;
use super::slot::Seat;
use super::{Action, Notice, Reason, SlotId, Worn};
use crate::{Time, WorkerId};

/// A worker that is being replaced because it is worn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recycling {
    slot: SlotId,
    old: WorkerId,
}

impl Crew {
    /// A worker has lived for as long as it may.
    pub(super) fn of_age(&mut self, now: Time, worker: WorkerId) {
        if let Some(record) = self.workers.get_mut(&worker) {
            record.worn = Some(Worn::Age(record.age(now)));
        }
    }

    /// So many connections were taken by it.
    pub(super) fn used(&mut self, worker: WorkerId, connections: u64) {
        let limit = self.settings.max_connections;
        if let (Some(record), Some(limit)) = (self.workers.get_mut(&worker), limit) {
            if connections >= limit {
                record.worn = Some(Worn::Connections(connections));
            }
        }
    }

    /// So much memory is its own.
    pub(super) fn memory(&mut self, worker: WorkerId, bytes: u64) {
        let limit = self.settings.max_memory;
        if let (Some(record), Some(limit)) = (self.workers.get_mut(&worker), limit) {
            if bytes > limit {
                record.worn = Some(Worn::Memory(bytes));
            } else if matches!(record.worn, Some(Worn::Memory(_))) {
                // It has given some back before its turn came.
                record.worn = None;
            }
        }
    }

    /// Begins with the next worn worker, if this is the time for it.
    pub(super) fn advance_recycling(&mut self, now: Time, out: &mut Vec<Action>) {
        if let Some(it) = self.recycling {
            self.is_it_over(it, out);
        }
        let is_time = match (self.state, self.reload) {
            (State::Running(Health::Sound), Reload::None) => {
                self.recycling.is_none() && !self.recycling_rests
            }
            (State::Running(_) | State::Idle | State::Stopping(_) | State::Finished, _) => false,
        };
        if !is_time {
            return;
        }
        let mut worn = self.slots.iter().filter_map(|it| self.worn_in(*it.0));
        if let Some((slot, old, why)) = worn.find(|it| self.may_recycle(it.0)) {
            self.recycle(now, slot, old, why, out);
        }
    }

    fn worn_in(&self, slot: SlotId) -> Option<(SlotId, WorkerId, Worn)> {
        let Some(Seat::Taken(Occupant::Held(worker))) = self.slots.get(&slot).map(|it| it.seat)
        else {
            return None;
        };
        let record = self.workers.get(&worker).filter(|it| it.is_ready())?;
        Some((slot, worker, record.worn?))
    }

    /// There is room for a newcomer beside it; where two must not meet, everybody else has to serve.
    fn may_recycle(&self, slot: SlotId) -> bool {
        let others = || self.slots.keys().all(|it| *it == slot || self.is_available(*it));
        self.has_room(slot) || (!self.settings.overlap && others())
    }

    fn recycle(
        &mut self,
        now: Time,
        slot: SlotId,
        old: WorkerId,
        why: Worn,
        out: &mut Vec<Action>,
    ) {
        let Some(generation) = self.slots.get(&slot).map(|it| it.generation) else {
            return;
        };
        self.recycling = Some(Recycling { slot, old });
        out.push(Action::Notify(Notice::Recycling { slot, worker: old, why }));
        if self.settings.overlap {
            self.try_newcomer(now, slot, generation, out);
        } else {
            // Its successor comes as any other, as soon as it has ended.
            self.sit(slot, Seat::Vacant);
            self.dismiss(now, Occupant::Held(old), out);
            self.rest_after(now, old);
        }
    }

    /// The newcomer has shown that it is as good as the old one.
    pub(super) fn recycled(
        &mut self,
        now: Time,
        slot: SlotId,
        newcomer: Occupant,
        out: &mut Vec<Action>,
    ) {
        let generation = self.slots.get(&slot).map(|it| it.generation);
        if let (Some(it), Some(generation)) = (self.recycling.take(), generation) {
            self.rest_after(now, it.old);
            self.adopt(now, slot, newcomer, generation, out);
            out.push(Action::Notify(Notice::Recycled { slot, worker: it.old }));
        }
    }

    /// The newcomer is of no use: the old one serves on, and it is tried again later.
    pub(super) fn not_recycled(
        &mut self,
        now: Time,
        slot: SlotId,
        newcomer: Option<WorkerId>,
        reason: Reason,
        out: &mut Vec<Action>,
    ) {
        if let Some(it) = self.recycling.take() {
            self.rest_recycling(now);
            let worker = it.old;
            out.push(Action::Notify(Notice::NotRecycled { slot, worker, newcomer, reason }));
        }
    }

    /// The old one is gone before its time, and its slot is empty: the newcomer has it now, ready or not. Says whether
    /// there is one.
    pub(super) fn recycling_lost(&mut self, loss: &Loss, out: &mut Vec<Action>) -> bool {
        let Some(it) = self.recycling.filter(|it| loss.who == Occupant::Held(it.old)) else {
            return false;
        };
        self.recycling = None;
        self.timers.cancel(Timer::Trial(it.slot));
        let Some(newcomer) = self.trials.remove(&it.slot).flatten() else {
            return false;
        };
        self.sit(it.slot, Seat::Taken(newcomer));
        out.push(Action::Notify(Notice::Recycled { slot: it.slot, worker: it.old }));
        true
    }

    /// Something more important begins. Whichever of the two serves has the slot; the old one, if both do.
    pub(super) fn abandon_recycling(&mut self, now: Time, out: &mut Vec<Action>) {
        let Some(it) = self.recycling else {
            return;
        };
        let serves = |worker| self.workers.get(&worker).is_some_and(Worker::is_ready);
        match self.trials.get(&it.slot).copied().flatten() {
            Some(Occupant::Held(newcomer)) if serves(newcomer) && !serves(it.old) => {
                self.timers.cancel(Timer::Trial(it.slot));
                self.trials.remove(&it.slot);
                self.recycled(now, it.slot, Occupant::Held(newcomer), out);
            }
            Some(_) | None => {
                self.recycling = None;
                self.drop_trial(now, it.slot, out);
            }
        }
    }

    /// Where two must not meet there is no trial: the successor counts from its start.
    fn is_it_over(&mut self, it: Recycling, out: &mut Vec<Action>) {
        if self.trials.contains_key(&it.slot) {
            return;
        }
        match self.slots.get(&it.slot).map(|slot| slot.seat) {
            Some(Seat::Taken(Occupant::Held(_))) if self.is_available(it.slot) => {
                let (slot, worker) = (it.slot, it.old);
                out.push(Action::Notify(Notice::Recycled { slot, worker }));
            }
            // It comes.
            Some(Seat::Taken(_) | Seat::Vacant) => return,
            // It failed, as any other may, or the slot has gone.
            Some(Seat::Cleared | Seat::Waiting | Seat::Parked | Seat::Retired) | None => {}
        }
        self.recycling = None;
    }

    /// A worker that was worn when it was young will have a successor that is no better.
    fn rest_after(&mut self, now: Time, old: WorkerId) {
        let age = self.workers.get(&old).map(|it| it.age(now));
        if age.is_some_and(|it| it < self.settings.budget_window) {
            self.rest_recycling(now);
        }
    }

    fn rest_recycling(&mut self, now: Time) {
        self.recycling_rests = true;
        let until = now + self.rare.next_delay();
        self.timers.set(Timer::RecyclingRest, until);
    }
}
