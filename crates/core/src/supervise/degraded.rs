//! A crew whose starts fail too often: one at a time, or not at all.

use super::crew::{Crew, Health, Milestone, State, Timer};
use super::life::Occupant;
use super::slot::{Seat, Slot};
use super::{Action, ExitWhenDegraded, Notice, Outcome, Reason, SlotId};
use crate::{Time, WorkerId};

impl Crew {
    /// A start failed. Beyond the budget the crew stops trying all of its slots.
    pub(super) fn count_failure(
        &mut self,
        now: Time,
        slot: SlotId,
        reason: Reason,
        out: &mut Vec<Action>,
    ) {
        if let Some(slot) = self.slots.get_mut(&slot) {
            slot.failures.note(now, self.settings.slot_budget);
        }
        let budget = self.settings.crew_budget_of(self.slots.len());
        self.failures.note(now, budget);
        if self.is_hopeless(now) {
            self.degrade(now, reason, out);
        }
    }

    fn is_hopeless(&self, now: Time) -> bool {
        let settings = &self.settings;
        let slots = self.slots.values();
        let exhausted = slots.filter(|it| it.is_exhausted(now, settings)).count();
        let budget = settings.crew_budget_of(self.slots.len());
        exhausted * 2 > self.slots.len()
            || self.failures.exceed(now, settings.budget_window, budget)
    }

    fn degrade(&mut self, now: Time, reason: Reason, out: &mut Vec<Action>) {
        match self.state {
            State::Running(Health::Sound) => {}
            // It is known already, or does not matter.
            State::Running(Health::Degraded)
            | State::Idle
            | State::Stopping(_)
            | State::Finished => return,
        }
        self.state = State::Running(Health::Degraded);
        self.abandon_recycling(now, out);
        self.rest(Seat::Parked);
        out.push(Action::Notify(Notice::Degraded));
        let gives_up = match self.settings.exit_when_degraded {
            ExitWhenDegraded::Never => false,
            ExitWhenDegraded::IfNeverStarted => self.best < Milestone::Lasted,
            ExitWhenDegraded::Always => true,
        };
        if gives_up {
            let last = match reason {
                Reason::Exited(status) => Some(status),
                _ => None,
            };
            let outcome = if self.best < Milestone::Lasted {
                Outcome::NeverReady { last }
            } else {
                Outcome::DiedTooOften { last }
            };
            self.give_up(now, outcome, out);
        }
    }

    /// A worker that has a slot serves, or has lasted: the program starts.
    pub(super) fn proven(&mut self, worker: WorkerId, what: Milestone, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get(&worker) else {
            return;
        };
        // A new generation proves nothing of the one that a rollback would return to.
        if record.generation != self.generation {
            return;
        }
        self.best = self.best.max(what);
        self.failures.forget();
        if let Some(slot) = self.slots.get_mut(&record.slot) {
            slot.forgive_starts();
        }
        self.recover(out);
    }

    pub(super) fn recover(&mut self, out: &mut Vec<Action>) {
        if self.state == State::Running(Health::Degraded) {
            self.state = State::Running(Health::Sound);
            self.failures.forget();
            self.slots.values_mut().for_each(Slot::forgive_starts);
            self.rest(Seat::Vacant);
            out.push(Action::Notify(Notice::Recovered));
        }
    }

    /// Every slot that has nobody stands like this from now on.
    fn rest(&mut self, seat: Seat) {
        for (id, slot) in &mut self.slots {
            match slot.seat {
                Seat::Vacant | Seat::Waiting | Seat::Parked => {
                    slot.seat = seat;
                    self.timers.cancel(Timer::Restart(*id));
                }
                // A newcomer is on trial there; nobody is wanted there.
                Seat::Cleared | Seat::Retired => {}
                Seat::Taken(_) => {}
            }
        }
    }

    /// A degraded crew tries one slot at a time: the first, unless a start is under way.
    pub(super) fn choose_canary(&mut self, now: Time, out: &mut Vec<Action>) {
        match self.state {
            State::Running(Health::Degraded) => {}
            State::Running(Health::Sound) | State::Idle | State::Stopping(_) | State::Finished => {
                return;
            }
        }
        if self.slots.values().any(|it| self.is_being_tried(now, it)) {
            return;
        }
        let parked = |it: &(&SlotId, &Slot)| it.1.seat == Seat::Parked;
        if let Some(id) = self.slots.iter().find(parked).map(|it| *it.0) {
            let delay = self.rare.next_delay();
            self.wait(now, id, delay);
            out.push(Action::Notify(Notice::Canary { slot: id, delay }));
        } else if self.slots.values().any(|it| self.is_served(now, it)) {
            // The slots that had nobody are not wanted any more, so nobody will be started who could show it.
            self.recover(out);
        }
    }

    fn is_served(&self, now: Time, slot: &Slot) -> bool {
        match slot.seat {
            Seat::Taken(Occupant::Held(worker)) => {
                let record = self.workers.get(&worker);
                record.is_some_and(|it| it.is_up() && it.is_proof(now, &self.settings))
            }
            Seat::Vacant | Seat::Cleared | Seat::Waiting | Seat::Parked | Seat::Retired => false,
            Seat::Taken(Occupant::Asked(_)) => false,
        }
    }

    fn is_being_tried(&self, now: Time, slot: &Slot) -> bool {
        match slot.seat {
            Seat::Vacant | Seat::Cleared | Seat::Waiting | Seat::Taken(Occupant::Asked(_)) => true,
            Seat::Parked | Seat::Retired => false,
            Seat::Taken(Occupant::Held(worker)) => {
                let record = self.workers.get(&worker);
                record.is_some_and(|it| it.is_up() && !it.is_proof(now, &self.settings))
            }
        }
    }
}
