//! What becomes of a slot whose worker was lost: another one, after which delay, or giving up.

use std::time::Duration;

use super::crew::{Crew, Health, Milestone, State, Timer};
use super::life::{Asked, Life, Occupant, Progress, Worker, Worth};
use super::slot::{Seat, Slot};
use super::{
    Action, Cause, ExitWhenDegraded, Generation, Notice, Outcome, Settings, SlotId, Ticket,
};
use crate::primary::Exit;
use crate::{Time, WorkerId};

/// A worker, or a request for one, that nobody can count on any more. Nobody asked for that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Loss {
    pub(super) slot: SlotId,
    pub(super) generation: Generation,
    pub(super) who: Occupant,
    pub(super) cause: Cause,
    worth: Worth,
    /// It left by its own will, and had lasted: that is no failure.
    pub(super) own_will: bool,
}

impl Loss {
    pub(super) const fn unborn(asked: &Asked, ticket: Ticket, cause: Cause) -> Self {
        Self {
            slot: asked.slot,
            generation: asked.generation,
            who: Occupant::Asked(ticket),
            cause,
            worth: Worth::NeverStarted,
            own_will: false,
        }
    }

    pub(super) fn of(
        worker: WorkerId,
        record: &Worker,
        cause: Cause,
        now: Time,
        settings: &Settings,
    ) -> Self {
        Self {
            slot: record.slot,
            generation: record.generation,
            who: Occupant::Held(worker),
            cause,
            worth: record.worth(now, settings),
            own_will: false,
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
    /// The process was reaped: from here on nothing is asked for it.
    pub(super) fn exited(
        &mut self,
        now: Time,
        worker: WorkerId,
        status: Exit,
        planned: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(record) = self.forget(worker) else {
            return;
        };
        match record.life {
            Life::Up(_) | Life::Cut(_) => {
                let cause = match record.listen_failed {
                    Some(errno) => Cause::CannotListen(errno),
                    None => Cause::Exited(status),
                };
                self.departed(now, worker, &record, cause, planned, out);
            }
            // It was to end, and nobody counted on it.
            Life::Ending(_) => {}
        }
    }

    /// The channel is closed. Disconnect and exit come in either order.
    pub(super) fn disconnected(
        &mut self,
        now: Time,
        worker: WorkerId,
        planned: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(record) = self.workers.get(&worker).copied() else {
            return;
        };
        match record.life {
            // By its own will: it serves nobody any more, so its successor need not wait for its end.
            Life::Up(Progress::Online | Progress::Ready(_)) if planned => {
                self.leaves(now, worker, out);
                self.departed(now, worker, &record, Cause::Left, planned, out);
            }
            // It may be dead: its exit status is worth a short wait.
            Life::Up(progress @ (Progress::Online | Progress::Ready(_))) => {
                if let Some(record) = self.workers.get_mut(&worker) {
                    record.life = Life::Cut(progress);
                }
                self.timers.cancel(Timer::StartDeadline(worker));
                self.timers.cancel(Timer::Stable(worker));
                let until = now + self.settings.exit_patience;
                self.timers.set(Timer::Patience(worker), until);
            }
            // A program that never spoke has closed a descriptor that it does not know.
            Life::Up(Progress::Silent) => {}
            // A channel has one end; one that is to end closes it, as it was told.
            Life::Cut(_) | Life::Ending(_) => {}
        }
    }

    pub(super) fn misbehaved(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get(&worker).copied() else {
            return;
        };
        match record.life {
            Life::Up(_) | Life::Cut(_) => {
                self.terminate(now, worker, out);
                self.departed(now, worker, &record, Cause::Misbehaved, false, out);
            }
            Life::Ending(_) => {}
        }
    }

    fn departed(
        &mut self,
        now: Time,
        worker: WorkerId,
        record: &Worker,
        cause: Cause,
        planned: bool,
        out: &mut Vec<Action>,
    ) {
        let mut loss = Loss::of(worker, record, cause, now, &self.settings);
        // Leaving as soon as one has come is no will of one's own: without a delay it would never end.
        loss.own_will = planned && record.age(now) >= self.settings.stable_for;
        self.lost(now, loss, out);
    }

    /// Finds out who counted on it.
    pub(super) fn lost(&mut self, now: Time, loss: Loss, out: &mut Vec<Action>) {
        if self.reload.awaits(loss.who) {
            self.trial_failed(now, loss.worker(), loss.cause, out);
            return;
        }
        let seat = self.slots.get(&loss.slot).map(|it| it.seat);
        if seat != Some(Seat::Taken(loss.who)) {
            // The crew is being ended, or the slot has gone.
            return;
        }
        self.sit(loss.slot, self.empty_seat());
        if loss.own_will {
            self.replace_at_once(&loss, out);
        } else if !self.reload_lost(now, &loss, out) && !self.is_final(now, &loss, out) {
            self.restart_later(now, &loss, out);
        }
    }

    fn replace_at_once(&self, loss: &Loss, out: &mut Vec<Action>) {
        out.push(Action::Notify(Notice::Restarting {
            slot: loss.slot,
            cause: loss.cause,
            delay: Duration::ZERO,
            streak: 0,
        }));
    }

    /// There is no sense in another try. Says whether the crew ends.
    fn is_final(&mut self, now: Time, loss: &Loss, out: &mut Vec<Action>) -> bool {
        let cause = loss.cause;
        match (loss.worker(), cause) {
            (Some(worker), Cause::CannotListen(errno)) => {
                self.give_up_on_address(now, worker, loss.generation, errno, out)
            }
            // A program that ran before may only be missing for the moment.
            (_, Cause::NotFound | Cause::NotExecutable) if self.best < Milestone::Spawned => {
                self.give_up(now, Outcome::Failed { cause }, out);
                true
            }
            _ => false,
        }
    }

    fn restart_later(&mut self, now: Time, loss: &Loss, out: &mut Vec<Action>) {
        let spent = loss.worth == Worth::NeverStarted && self.count_failure(now, loss.slot);
        if spent && self.is_hopeless(now) {
            self.degrade(now, loss.cause, out);
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
            cause: loss.cause,
            delay,
            streak,
        }));
    }

    fn wait(&mut self, now: Time, slot: SlotId, delay: Duration) {
        self.sit(slot, Seat::Waiting);
        self.timers.set(Timer::Restart(slot), now + delay);
    }

    pub(super) fn restart_due(&mut self, slot: SlotId) {
        if let Some(slot) = self.slots.get_mut(&slot) {
            match slot.seat {
                Seat::Waiting => slot.seat = Seat::Vacant,
                // A newcomer was quicker.
                Seat::Vacant | Seat::Parked | Seat::Taken(_) => {}
            }
        }
    }

    /// Counts a failed start. Says whether that may be too many.
    fn count_failure(&mut self, now: Time, slot: SlotId) -> bool {
        let budget = self.settings.slot_budget;
        if let Some(slot) = self.slots.get_mut(&slot) {
            slot.failures.note(now, budget);
        }
        let budget = self.settings.crew_budget_of(self.slots.len());
        self.failures.note(now, budget);
        true
    }

    fn is_hopeless(&self, now: Time) -> bool {
        let settings = &self.settings;
        let slots = self.slots.values();
        let exhausted = slots.filter(|it| it.is_exhausted(now, settings)).count();
        let budget = settings.crew_budget_of(self.slots.len());
        exhausted * 2 > self.slots.len()
            || self.failures.exceed(now, settings.budget_window, budget)
    }

    fn degrade(&mut self, now: Time, cause: Cause, out: &mut Vec<Action>) {
        match self.state {
            State::Running(Health::Sound) => {}
            // It is known already, or does not matter.
            State::Running(Health::Degraded)
            | State::Idle
            | State::Stopping(_)
            | State::Finished => return,
        }
        self.state = State::Running(Health::Degraded);
        self.rest(Seat::Parked);
        out.push(Action::Notify(Notice::Degraded { cause }));
        let gives_up = match self.settings.exit_when_degraded {
            ExitWhenDegraded::Never => false,
            ExitWhenDegraded::IfNeverStarted => self.best < Milestone::Lasted,
            ExitWhenDegraded::Always => true,
        };
        if gives_up {
            self.give_up(now, Outcome::Failed { cause }, out);
        }
    }

    /// A worker of the crew serves or has lasted: the program starts.
    pub(super) fn proven(&mut self, slot: SlotId, what: Milestone, out: &mut Vec<Action>) {
        self.best = self.best.max(what);
        self.failures.forget();
        if let Some(slot) = self.slots.get_mut(&slot) {
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
                Seat::Taken(_) => {}
            }
        }
    }

    /// A degraded crew tries one slot at a time: the first, unless a start is under way.
    pub(super) fn choose_canary(&mut self, now: Time, out: &mut Vec<Action>) {
        match self.state {
            State::Running(Health::Degraded) => {}
            State::Running(Health::Sound)
            | State::Idle
            | State::Stopping(_)
            | State::Finished => return,
        }
        if self.slots.values().any(|it| self.is_being_tried(now, it)) {
            return;
        }
        let parked = |it: &(&SlotId, &Slot)| it.1.seat == Seat::Parked;
        if let Some(id) = self.slots.iter().find(parked).map(|it| *it.0) {
            let delay = self.rare.next_delay();
            let streak = self.rare.streak();
            self.wait(now, id, delay);
            out.push(Action::Notify(Notice::Canary {
                slot: id,
                delay,
                streak,
            }));
        }
    }

    fn is_being_tried(&self, now: Time, slot: &Slot) -> bool {
        match slot.seat {
            Seat::Vacant | Seat::Waiting | Seat::Taken(Occupant::Asked(_)) => true,
            Seat::Parked => false,
            Seat::Taken(Occupant::Held(worker)) => {
                let record = self.workers.get(&worker);
                record.is_some_and(|it| it.is_up() && !it.is_proof(now, &self.settings))
            }
        }
    }
}

impl Slot {
    fn is_exhausted(&self, now: Time, settings: &Settings) -> bool {
        let (window, budget) = (settings.budget_window, settings.slot_budget);
        self.failures.exceed(now, window, budget)
    }

    /// The delay that a life of this worth has earned its successor, and failures in a row.
    const fn next_delay(&mut self, worth: Worth) -> (Duration, u32) {
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
