//! How a worker comes: asked for, there, online, ready. And what is made of one that is not.

use super::crew::{Crew, Milestone, Timer};
use super::life::{Life, Occupant, Progress, Wish, Worker};
use super::restart::Loss;
use super::slot::Seat;
use super::{Action, Generation, Notice, Outcome, Readiness, Reason, SlotId, Ticket};
use crate::{Errno, Time, WorkerId};

impl Crew {
    pub(super) fn spawned(
        &mut self,
        now: Time,
        ticket: Ticket,
        worker: WorkerId,
        out: &mut Vec<Action>,
    ) {
        // An answer to nothing that was asked.
        let Some(asked) = self.asked.remove(&ticket) else {
            return;
        };
        self.best = self.best.max(Milestone::Spawned);
        let record = Worker::spawned(asked.slot, asked.generation, now);
        self.workers.insert(worker, record);
        match asked.wish {
            Wish::Keep => {
                self.seat_it(asked.slot, ticket, worker);
                let settings = &self.settings;
                let (deadline, stable) = (settings.start_deadline, settings.stable_for);
                self.timers.set(Timer::StartDeadline(worker), now + deadline);
                self.timers.set(Timer::Stable(worker), now + stable);
                if let Some(ages) = &mut self.ages {
                    self.timers.set(Timer::Age(worker), now + ages.next_delay());
                }
            }
            Wish::End => self.end(now, worker, out),
            Wish::Kill => self.kill(now, worker, out),
        }
    }

    /// Whoever counted on the request counts on the worker from now on.
    fn seat_it(&mut self, slot: SlotId, ticket: Ticket, worker: WorkerId) {
        let (asked, held) = (Occupant::Asked(ticket), Occupant::Held(worker));
        if let Some(newcomer) = self.trials.get_mut(&slot) {
            if *newcomer == Some(asked) {
                *newcomer = Some(held);
            }
        }
        if let Some(slot) = self.slots.get_mut(&slot) {
            if slot.seat == Seat::Taken(asked) {
                slot.seat = Seat::Taken(held);
            }
        }
    }

    pub(super) fn spawn_failed(
        &mut self,
        now: Time,
        ticket: Ticket,
        permanent: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(asked) = self.asked.remove(&ticket) else {
            return;
        };
        match asked.wish {
            Wish::Keep => self.lost(now, Loss::unborn(&asked, ticket, permanent), out),
            // Nobody waits for it.
            Wish::End | Wish::Kill => {}
        }
    }

    pub(super) fn online(&mut self, worker: WorkerId) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        record.speaks = true;
        match record.life {
            Life::Up(Progress::Silent) => record.life = Life::Up(Progress::Online),
            // Said twice or too late.
            Life::Up(Progress::Online | Progress::Ready(_)) | Life::Cut(_) | Life::Ending(_) => {}
        }
    }

    pub(super) fn ready(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        match record.life {
            Life::Up(Progress::Silent | Progress::Online) => {
                record.life = Life::Up(Progress::Ready(now));
                record.listen_failed = None;
                let slot = record.slot;
                self.timers.cancel(Timer::HeadStart);
                self.timers.cancel(Timer::StartDeadline(worker));
                self.timers.cancel(Timer::Patience(worker));
                let stable = now + self.settings.stable_for;
                self.timers.set(Timer::Stable(worker), stable);
                self.expect_sign(now, worker);
                self.expect_beat(now, worker);
                match self.settings.readiness {
                    Readiness::Told | Readiness::Age => {
                        out.push(Action::Notify(Notice::Ready { worker }));
                    }
                    // Its listening is news of its own.
                    Readiness::ToldIfEver => {}
                }
                if self.is_seated(slot, worker) {
                    self.proven(worker, Milestone::Served, out);
                } else {
                    self.trial_ready(now, worker, out);
                }
            }
            // Said twice or too late.
            Life::Up(Progress::Ready(_)) | Life::Cut(_) | Life::Ending(_) => {}
        }
    }

    /// To live is all that is asked of it, so it is stable as soon as it is ready.
    fn ready_by_age(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get(&worker) else {
            return;
        };
        match record.life {
            // A program that wanted to listen and could not is one that says when it is ready, after all.
            Life::Up(Progress::Silent | Progress::Online) if record.listen_failed.is_none() => {
                let since = record.started;
                self.ready(now, worker, out);
                if let Some(record) = self.workers.get_mut(&worker) {
                    record.life = Life::Up(Progress::Ready(since));
                }
                self.timers.cancel(Timer::Stable(worker));
            }
            Life::Up(_) | Life::Cut(_) | Life::Ending(_) => {}
        }
    }

    /// It may try another address, or end: its status says more. Only after a while is it acted upon.
    pub(super) fn listen_failed(&mut self, now: Time, worker: WorkerId, errno: Errno) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        match record.life {
            Life::Up(Progress::Silent | Progress::Online) => {
                record.listen_failed = Some(errno);
                let until = now + self.settings.exit_patience;
                self.timers.set_if_unset(Timer::Patience(worker), until);
            }
            // It serves on another one, or is leaving.
            Life::Up(Progress::Ready(_)) | Life::Cut(_) | Life::Ending(_) => {}
        }
    }

    pub(super) fn start_deadline_passed(&mut self, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(slot) = self.workers.get(&worker).map(|it| it.slot) else {
            return;
        };
        let after = self.settings.start_deadline;
        out.push(Action::Notify(Notice::NotListening { worker, after }));
        // Left running: it may be a program that never listens.
        if self.is_seated(slot, worker) {
            self.proven(worker, Milestone::Lasted, out);
        }
    }

    /// A worker has served, or lived, for the stable time.
    pub(super) fn stable(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        match self.settings.readiness {
            Readiness::Age => self.ready_by_age(now, worker, out),
            Readiness::ToldIfEver | Readiness::Told => {}
        }
        let Some(record) = self.workers.get(&worker) else {
            return;
        };
        let (slot, ready) = (record.slot, record.is_ready());
        if !self.is_seated(slot, worker) {
            self.trial_stable(now, worker, out);
        } else if ready {
            if let Some(slot) = self.slots.get_mut(&slot) {
                slot.serving.reset();
            }
        }
    }

    /// It closed its channel or got no listener a while ago, and still has not ended.
    pub(super) fn patience_over(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get(&worker).copied() else {
            return;
        };
        match (record.life, record.listen_failed) {
            (Life::Cut(_), _) => {
                self.leaves(now, worker);
                let reason = record.why_it_left();
                self.lost(now, Loss::of(worker, &record, reason, now, &self.settings), out);
            }
            (Life::Up(_), Some(errno)) if self.is_seated(record.slot, worker) => {
                // A later one is left running: the start deadline will speak of it.
                self.give_up_on_address(now, worker, record.generation, errno, out);
            }
            (Life::Up(_), Some(errno)) => {
                if let Some(slot) = self.trial_of(Occupant::Held(worker)) {
                    let reason = Reason::CannotListen(errno);
                    self.trial_failed(now, slot, Some(worker), reason, out);
                }
            }
            // It became ready, or is being ended.
            (Life::Up(_), None) | (Life::Ending(_), _) => {}
        }
    }

    /// While the first generation has not started properly, an address that it cannot have ends the crew:
    /// every other worker would find the same. Says whether it did.
    pub(super) fn give_up_on_address(
        &mut self,
        now: Time,
        worker: WorkerId,
        generation: Generation,
        errno: Errno,
        out: &mut Vec<Action>,
    ) -> bool {
        let ends = generation == Generation::FIRST && self.best < Milestone::Lasted;
        if ends {
            self.give_up(now, Outcome::CannotListen { worker, errno }, out);
        }
        ends
    }

    pub(super) fn is_seated(&self, slot: SlotId, worker: WorkerId) -> bool {
        let seat = self.slots.get(&slot).map(|it| it.seat);
        seat == Some(Seat::Taken(Occupant::Held(worker)))
    }
}
