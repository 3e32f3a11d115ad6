//! What becomes of a slot whose worker was lost: another one, after which delay, or giving up.

use std::time::Duration;

use super::crew::{Crew, Health, Milestone, State, Timer};
use super::life::{Asked, Occupant, Worker, Worth};
use super::reload::Reload;
use super::slot::{Seat, Slot};
use super::{Action, Generation, Notice, Outcome, Reason, Settings, SlotId, Ticket};
use crate::primary::Exit;
use crate::{Time, WorkerId};

/// A worker, or a request for one, that nobody can count on any more. Nobody asked for that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loss {
    pub(super) slot: SlotId,
    pub(super) generation: Generation,
    pub(super) who: Occupant,
    pub(super) reason: Reason,
    worth: Worth,
    /// It left by its own will, and had lasted: that is no failure.
    pub(super) own_will: bool,
    /// Another try would meet the same.
    permanent: bool,
}

impl Loss {
    pub(super) const fn unborn(asked: &Asked, ticket: Ticket, permanent: bool) -> Self {
        Self {
            slot: asked.slot,
            generation: asked.generation,
            who: Occupant::Asked(ticket),
            reason: if permanent { Reason::NotExecutable } else { Reason::SpawnFailed },
            worth: Worth::NeverStarted,
            own_will: false,
            permanent,
        }
    }

    pub(super) fn of(
        worker: WorkerId,
        record: &Worker,
        reason: Reason,
        now: Time,
        settings: &Settings,
    ) -> Self {
        Self {
            slot: record.slot,
            generation: record.generation,
            who: Occupant::Held(worker),
            reason,
            worth: record.worth(now, settings),
            own_will: false,
            permanent: false,
        }
    }

    pub(super) const fn worker(&self) -> Option<WorkerId> {
        match self.who {
            Occupant::Held(worker) => Some(worker),
            Occupant::Asked(_) => None,
        }
    }
}

impl Crew {
    /// Finds out who counted on it.
    pub(super) fn lost(&mut self, now: Time, loss: Loss, out: &mut Vec<Action>) {
        if let Some(slot) = self.trial_of(loss.who) {
            self.trial_failed(now, slot, loss.worker(), loss.reason, out);
            return;
        }
        let seat = self.slots.get(&loss.slot).map(|it| it.seat);
        if seat != Some(Seat::Taken(loss.who)) {
            // The crew is being ended, or the slot has gone.
            return;
        }
        self.sit(loss.slot, self.empty_seat());
        let settled = self.reload_lost(now, &loss, out)
            || self.recycling_lost(&loss, out)
            || self.retires(&loss, out)
            || self.replace_at_once(&loss, out)
            || self.is_final(now, &loss, out);
        if !settled {
            self.restart_later(now, &loss, out);
        }
    }

    /// It ended with a code that says that another try would end so, too. Says whether it did.
    fn retires(&mut self, loss: &Loss, out: &mut Vec<Action>) -> bool {
        let (Some(worker), Reason::Exited(Exit::Code(code))) = (loss.worker(), loss.reason) else {
            return false;
        };
        let retires = self.settings.stop_exit_codes.contains(&code);
        if retires {
            let slot = loss.slot;
            self.sit(slot, Seat::Retired);
            self.retired_by = Some(code);
            out.push(Action::Notify(Notice::Retired { slot, worker, code }));
        }
        retires
    }

    /// Where no slot is to have a worker any more, the crew has nothing left to do.
    pub(super) fn end_if_retired(&mut self, now: Time, out: &mut Vec<Action>) {
        let code = self.retired_by.filter(|_| match (self.state, self.reload) {
            (State::Running(_), Reload::None) if !self.reload_again => {
                self.slots.values().all(|it| it.seat == Seat::Retired)
            }
            // A reload tries them all again.
            (State::Running(_), _) => false,
            (State::Idle | State::Stopping(_) | State::Finished, _) => false,
        });
        if let Some(code) = code {
            self.give_up(now, Outcome::Retired { code }, out);
        }
    }

    /// Without a delay, if that is what it has earned. Says whether it is.
    fn replace_at_once(&self, loss: &Loss, out: &mut Vec<Action>) -> bool {
        if loss.own_will && self.empty_seat() == Seat::Vacant {
            out.push(Action::Notify(Notice::Restarting {
                slot: loss.slot,
                reason: loss.reason,
                delay: Duration::ZERO,
                streak: 0,
            }));
        }
        loss.own_will
    }

    /// There is no sense in another try. Says whether the crew ends.
    fn is_final(&mut self, now: Time, loss: &Loss, out: &mut Vec<Action>) -> bool {
        match (loss.worker(), loss.reason) {
            (Some(worker), Reason::CannotListen(errno)) => {
                self.give_up_on_address(now, worker, loss.generation, errno, out)
            }
            // A program that ran before may only be missing for the moment.
            _ if loss.permanent && self.best < Milestone::Spawned => {
                self.give_up(now, Outcome::CannotStart, out);
                true
            }
            _ => false,
        }
    }

    fn restart_later(&mut self, now: Time, loss: &Loss, out: &mut Vec<Action>) {
        if loss.worth == Worth::NeverStarted {
            self.count_failure(now, loss.slot, loss.reason, out);
        }
        // A degraded crew's slot stays parked.
        if self.state != State::Running(Health::Sound) {
            return;
        }
        let Some(slot) = self.slots.get_mut(&loss.slot) else {
            return;
        };
        let exhausted = slot.is_exhausted(now, &self.settings);
        let (delay, streak) = slot.next_delay(loss.worth);
        let delay = if exhausted { self.rare.next_delay() } else { delay };
        self.wait(now, loss.slot, delay);
        out.push(Action::Notify(Notice::Restarting {
            slot: loss.slot,
            reason: loss.reason,
            delay,
            streak,
        }));
    }

    pub(super) fn wait(&mut self, now: Time, slot: SlotId, delay: Duration) {
        self.sit(slot, Seat::Waiting);
        self.timers.set(Timer::Restart(slot), now + delay);
    }

    pub(super) fn restart_due(&mut self, slot: SlotId) {
        if let Some(slot) = self.slots.get_mut(&slot) {
            match slot.seat {
                Seat::Waiting => slot.seat = Seat::Vacant,
                // A newcomer was quicker.
                Seat::Vacant | Seat::Cleared | Seat::Parked | Seat::Retired | Seat::Taken(_) => {}
            }
        }
    }
}

impl Slot {
    pub(super) fn is_exhausted(&self, now: Time, settings: &Settings) -> bool {
        let (window, budget) = (settings.budget_window, settings.slot_budget);
        self.failures.exceed(now, window, budget)
    }

    /// The delay that a life of this worth has earned its successor, and failures in a row.
    fn next_delay(&mut self, worth: Worth) -> (Duration, u32) {
        let backoff = match worth {
            Worth::NeverStarted => &mut self.starting,
            Worth::ServedBriefly => &mut self.serving,
            Worth::Proven => {
                self.starting.reset();
                self.serving.reset();
                &mut self.serving
            }
        };
        (backoff.next_delay(), backoff.streak())
    }
}
