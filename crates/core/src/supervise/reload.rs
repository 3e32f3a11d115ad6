//! A reload as a transaction: slot after slot, new before old, all or nothing.

use super::crew::{Crew, Milestone, State, Timer};
use super::life::{Occupant, Wish, Worker};
use super::rollback::{Blame, stopped};
use super::slot::Seat;
use super::{Action, Generation, Notice, Reason, SlotId};
use crate::Time;

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
}

impl Crew {
    pub(super) fn reload(&mut self, now: Time, out: &mut Vec<Action>) {
        match self.state {
            State::Running(_) => self.reload_asked(now, out),
            // It is answered, by the only verdict that is left.
            State::Stopping(_) => {
                self.newest = self.newest.next();
                out.push(stopped(self.newest));
            }
            // There is nobody to replace.
            State::Idle | State::Finished => {}
        }
    }

    fn reload_asked(&mut self, now: Time, out: &mut Vec<Action>) {
        let generation = match self.reload {
            Reload::None => return self.begin_reload(now, out),
            Reload::Forward(it) if it.replaced == 0 && !self.has_newcomers() => it.to,
            // Some new workers may have loaded what the request is about to replace, or hold a listener in a way that
            // has changed since: another one, afterwards.
            Reload::Forward(_) | Reload::Back(..) => {
                self.reload_again = true;
                self.newest.next()
            }
        };
        out.push(Action::Notify(Notice::ReloadMerged { generation }));
    }

    fn begin_reload(&mut self, now: Time, out: &mut Vec<Action>) {
        self.abandon_recycling(now, out);
        self.newest = self.newest.next();
        let generation = self.newest;
        self.reload =
            Reload::Forward(Transaction { from: self.generation, to: generation, replaced: 0 });
        out.push(Action::Notify(Notice::ReloadStarted { generation }));
    }

    /// Starts newcomers, as many as may be, or comes to the verdict.
    pub(super) fn advance_reload(&mut self, now: Time, out: &mut Vec<Action>) {
        loop {
            let target = match self.reload {
                Reload::None if !self.reload_again => return,
                Reload::None => {
                    self.reload_again = false;
                    self.begin_reload(now, out);
                    continue;
                }
                Reload::Forward(it) => it.to,
                Reload::Back(it, _) => it.from,
            };
            if self.slots.values().all(|it| it.generation == target) {
                self.conclude(out);
            } else if !self.next_newcomer(now, target, out) && !self.make_room(now, target, out) {
                return;
            }
        }
    }

    /// Starts a newcomer where there is room. Says whether it did.
    fn next_newcomer(&mut self, now: Time, target: Generation, out: &mut Vec<Action>) -> bool {
        if self.newcomers_starting(now) >= self.settings.start_parallelism.max(1) {
            return false;
        }
        let cleared = self.trials.iter().filter(|it| it.1.is_none()).map(|it| *it.0);
        // Predecessors that are slow to end fill the room of those that are left.
        let Some(slot) = cleared.chain(self.untried(target)).find(|it| self.takes_newcomer(*it))
        else {
            return false;
        };
        self.timers.cancel(Timer::Impasse);
        self.try_newcomer(now, slot, target, out);
        true
    }

    /// Slots that are left to be replaced, where one more may be tried.
    fn untried(&self, target: Generation) -> impl Iterator<Item = SlotId> + '_ {
        let settings = &self.settings;
        let most = settings.surge_now().saturating_add(settings.may_be_missing()).max(1);
        let more = self.trials.len() < most;
        let left = self.slots.iter().filter(move |it| more && it.1.generation != target);
        left.map(|it| *it.0).filter(|it| !self.trials.contains_key(it))
    }

    fn takes_newcomer(&self, slot: SlotId) -> bool {
        let is_alone = self.processes_of(slot) == 0;
        self.has_room(slot) && (is_alone || self.newcomers_beside() < self.settings.surge_now())
    }

    /// Sends a worker away before its successor comes, where so many may be missing. Says whether it did.
    fn make_room(&mut self, now: Time, target: Generation, out: &mut Vec<Action>) -> bool {
        let missing = self.slots.len().saturating_sub(self.available());
        let spare = missing < self.settings.may_be_missing();
        let may_go = |slot: &SlotId| match self.slots.get(slot).map(|it| it.seat) {
            Some(Seat::Taken(_)) if self.settings.may_be_missing() > 0 => {
                spare || !self.is_available(*slot)
            }
            // Nobody to be sent away.
            Some(_) | None => false,
        };
        let mut going: Vec<_> = self.untried(target).filter(may_go).collect();
        // Those first that serve nobody.
        going.sort_by_key(|slot| self.is_available(*slot));
        if let Some(slot) = going.first() {
            self.timers.cancel(Timer::Impasse);
            self.clear_for_newcomer(now, *slot, out);
            return true;
        }
        if self.trials.is_empty() && self.settings.surge_now() == 0 {
            // Too many are missing. Those that leave are gone in time; those that should come may never be ready.
            let until = now + self.settings.longest_end() + self.settings.reload_deadline;
            self.timers.set_if_unset(Timer::Impasse, until);
        }
        false
    }

    /// A reload waits for workers that do not come, and nobody could be replaced meanwhile.
    pub(super) fn impasse(&mut self, now: Time, out: &mut Vec<Action>) {
        let target = match self.reload {
            Reload::None => return,
            Reload::Forward(it) => it.to,
            Reload::Back(it, _) => it.from,
        };
        let Some(slot) = self.untried(target).next() else {
            return;
        };
        let reason = Reason::Deadline(self.settings.reload_deadline);
        self.trial_failed(now, slot, None, reason, out);
    }

    /// Slots whose worker serves.
    fn available(&self) -> usize {
        self.slots.keys().filter(|it| self.is_available(**it)).count()
    }

    /// Its worker serves, or it is to have none.
    pub(super) fn is_available(&self, slot: SlotId) -> bool {
        match self.slots.get(&slot).map(|it| it.seat) {
            Some(Seat::Taken(Occupant::Held(worker))) => {
                self.workers.get(&worker).is_some_and(Worker::is_ready)
            }
            Some(Seat::Retired) => true,
            Some(
                Seat::Taken(Occupant::Asked(_))
                | Seat::Vacant
                | Seat::Cleared
                | Seat::Waiting
                | Seat::Parked,
            )
            | None => false,
        }
    }

    /// Every slot has what the transaction was after.
    fn conclude(&mut self, out: &mut Vec<Action>) {
        self.timers.cancel(Timer::Impasse);
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

    /// A new worker takes its slot.
    pub(super) fn replaced(
        &mut self,
        now: Time,
        slot: SlotId,
        newcomer: Occupant,
        out: &mut Vec<Action>,
    ) {
        let Reload::Forward(it) = &mut self.reload else {
            return;
        };
        it.replaced += 1;
        let (generation, replaced) = (it.to, it.replaced);
        self.adopt(now, slot, newcomer, generation, out);
        let of = self.slots.len();
        out.push(Action::Notify(Notice::ReloadProgress { generation, slot, replaced, of }));
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
