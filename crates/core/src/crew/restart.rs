//! What is done when a worker ends that was not asked to: replace it, wait, or give up.

use std::collections::VecDeque;
use std::time::Duration;

use super::crew::{Crew, Phase, Timer};
use super::member::{Member, Seat};
use super::{Action, Notice, Outcome, Reason};
use crate::primary::Exit;
use crate::{Time, WorkerId};

impl Crew {
    pub(super) fn exited(
        &mut self,
        now: Time,
        worker: WorkerId,
        status: Exit,
        planned: bool,
        out: &mut Vec<Action>,
    ) {
        let is_reloads = self.is_reloads_worker(worker);
        let Some(member) = self.members.remove(&worker) else {
            return;
        };
        self.forget_timers(worker);
        if matches!(self.phase, Phase::Stopping(_) | Phase::Finished) {
            return self.finish_if_empty(out);
        }
        if is_reloads {
            let reason = member.cannot_listen.map_or(Reason::Exited(status), Reason::CannotListen);
            return self.reload_failed(now, Some(worker), reason, out);
        }
        // Who was asked to leave has lost its seat already.
        let is_seated =
            self.slots.get(member.slot).is_some_and(|it| it.seat == Seat::Taken(worker));
        if is_seated {
            self.lost(now, worker, &member, status, planned, out);
        }
    }

    fn lost(
        &mut self,
        now: Time,
        worker: WorkerId,
        member: &Member,
        status: Exit,
        planned: bool,
        out: &mut Vec<Action>,
    ) {
        let slot = member.slot;
        self.slots[slot].restarts += 1;
        if let (Some(errno), false) = (member.cannot_listen, self.ever_ready) {
            return self.stop(now, Outcome::CannotListen { worker, errno }, out);
        }
        if planned && member.was_ready {
            // It left by its own will, as workers do that recycle themselves: no delay, no blame.
            self.slots[slot].seat = Seat::Vacant;
            self.fill(out);
        } else if member.was_ready || member.settled {
            let delay = self.slots[slot].backoff.next_delay().min(self.settings.served_cap);
            self.restart_after(now, slot, delay, out);
        } else {
            self.died_young(now, slot, Some(status), out);
        }
    }

    /// A worker that never got ready: counted against the budgets.
    pub(super) fn died_young(
        &mut self,
        now: Time,
        slot: usize,
        last: Option<Exit>,
        out: &mut Vec<Action>,
    ) {
        let window = self.settings.budget_window;
        let in_slot = count(&mut self.slots[slot].deaths, now, window);
        let in_crew = count(&mut self.deaths, now, window);
        if in_slot <= self.settings.slot_budget && in_crew <= self.settings.crew_budget() {
            let delay = self.slots[slot].backoff.next_delay();
            return self.restart_after(now, slot, delay, out);
        }
        if self.ever_ready {
            self.slots[slot].seat = Seat::Vacant;
            self.degrade(now, out);
        } else {
            self.stop(now, Outcome::NeverReady { last }, out);
        }
    }

    fn restart_after(&mut self, now: Time, slot: usize, delay: Duration, out: &mut Vec<Action>) {
        match self.phase {
            Phase::Running => {
                self.slots[slot].seat = Seat::Waiting;
                self.timers.set(Timer::Restart(slot), now + delay);
                out.push(Action::Notify(Notice::Restarting { slot, delay }));
            }
            // The next try has its own time.
            Phase::Degraded => {
                self.slots[slot].seat = Seat::Vacant;
                self.timers.set_if_unset(Timer::Canary, now + self.settings.restart_cap);
            }
            Phase::Idle | Phase::Stopping(_) | Phase::Finished => {}
        }
    }

    pub(super) fn restart_due(&mut self, slot: usize, out: &mut Vec<Action>) {
        if self.slots.get(slot).is_some_and(|it| it.seat == Seat::Waiting) {
            self.fork(slot, out);
        }
    }

    /// One try at a time from here on, far apart; the workers that are there stay.
    fn degrade(&mut self, now: Time, out: &mut Vec<Action>) {
        for slot in 0..self.slots.len() {
            if self.slots[slot].seat == Seat::Waiting {
                self.timers.cancel(Timer::Restart(slot));
                self.slots[slot].seat = Seat::Vacant;
            }
        }
        if self.phase == Phase::Running {
            self.phase = Phase::Degraded;
            out.push(Action::Notify(Notice::Degraded));
        }
        self.timers.set_if_unset(Timer::Canary, now + self.settings.restart_cap);
    }

    pub(super) fn send_canary(&mut self, out: &mut Vec<Action>) {
        if self.phase != Phase::Degraded {
            return;
        }
        if let Some(slot) = self.slots.iter().position(|it| it.seat == Seat::Vacant) {
            self.fork(slot, out);
        }
    }

    /// A worker became ready: if the crew was degraded, that is over.
    pub(super) fn recovered(&mut self, out: &mut Vec<Action>) {
        if self.phase != Phase::Degraded {
            return;
        }
        self.phase = Phase::Running;
        self.timers.cancel(Timer::Canary);
        self.deaths.clear();
        for slot in &mut self.slots {
            slot.deaths.clear();
        }
        out.push(Action::Notify(Notice::Recovered));
        self.fill(out);
    }

    fn forget_timers(&mut self, worker: WorkerId) {
        for timer in [
            Timer::StartDeadline(worker),
            Timer::Settled(worker),
            Timer::Stable(worker),
            Timer::Escalate(worker),
        ] {
            self.timers.cancel(timer);
        }
    }
}

/// Adds a death and says how many lie within the window.
fn count(deaths: &mut VecDeque<Time>, now: Time, window: Duration) -> usize {
    deaths.push_back(now);
    while deaths.front().is_some_and(|death| now.since(*death) > window) {
        deaths.pop_front();
    }
    deaths.len()
}
