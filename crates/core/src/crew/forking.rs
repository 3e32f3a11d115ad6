//! How slots are filled, and how a worker comes up.

use super::crew::{Crew, Phase, Timer};
use super::member::{Life, Member, Seat, Slot};
use super::{Action, Notice, Outcome, Reason};
use crate::{Time, WorkerId};

impl Crew {
    pub(super) fn start(&mut self, out: &mut Vec<Action>) {
        match self.phase {
            Phase::Idle => {
                self.phase = Phase::Running;
                self.fill(out);
            }
            // Begun already, or over.
            Phase::Running | Phase::Degraded | Phase::Stopping(_) | Phase::Finished => {}
        }
    }

    /// Asks for a worker for every vacant slot.
    pub(super) fn fill(&mut self, out: &mut Vec<Action>) {
        if self.phase != Phase::Running {
            return;
        }
        for slot in 0..self.slots.len() {
            if self.slots[slot].seat == Seat::Vacant {
                self.fork(slot, out);
            }
        }
    }

    pub(super) fn fork(&mut self, slot: usize, out: &mut Vec<Action>) {
        let generation = self.slots[slot].generation;
        self.slots[slot].seat = Seat::Forking;
        self.ask_fork(slot, generation, out);
    }

    pub(super) fn ask_fork(&mut self, slot: usize, generation: u64, out: &mut Vec<Action>) {
        self.forking += 1;
        out.push(Action::Fork { slot, generation });
    }

    pub(super) fn spawned(
        &mut self,
        now: Time,
        slot: usize,
        generation: u64,
        worker: WorkerId,
        out: &mut Vec<Action>,
    ) {
        self.forking = self.forking.saturating_sub(1);
        self.members.insert(worker, Member::spawned(slot));
        self.timers.set(Timer::Settled(worker), now + self.settings.settled_after);
        if matches!(self.phase, Phase::Stopping(_) | Phase::Finished) {
            return self.end(now, worker, out);
        }
        self.timers.set(Timer::StartDeadline(worker), now + self.settings.start_deadline);
        if self.is_reloads_fork(slot, generation) {
            return self.reload_spawned(now, worker, out);
        }
        match self.slots.get_mut(slot) {
            Some(it) if it.seat == Seat::Forking && it.generation == generation => {
                it.seat = Seat::Taken(worker);
            }
            // The slot was given up, or filled otherwise, while the fork was on its way.
            Some(_) | None => self.end(now, worker, out),
        }
    }

    pub(super) fn spawn_failed(
        &mut self,
        now: Time,
        slot: usize,
        generation: u64,
        permanent: bool,
        out: &mut Vec<Action>,
    ) {
        self.forking = self.forking.saturating_sub(1);
        if matches!(self.phase, Phase::Stopping(_) | Phase::Finished) {
            return self.finish_if_empty(out);
        }
        if self.is_reloads_fork(slot, generation) {
            return self.reload_failed(now, None, Reason::SpawnFailed, out);
        }
        if permanent && !self.ever_ready {
            return self.stop(now, Outcome::CannotStart, out);
        }
        let waits = |it: &Slot| it.seat == Seat::Forking && it.generation == generation;
        // Else the slot was given up, or filled otherwise, while the fork was on its way.
        if self.slots.get(slot).is_some_and(waits) {
            self.died_young(now, slot, None, out);
        }
    }

    pub(super) fn online(&mut self, worker: WorkerId) {
        let Some(member) = self.members.get_mut(&worker) else {
            return;
        };
        match member.life {
            Life::Spawned => member.life = Life::Online,
            // Further already.
            Life::Online | Life::Ready | Life::Draining(_) => {}
        }
    }

    pub(super) fn ready(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(member) = self.members.get_mut(&worker) else {
            return;
        };
        match member.life {
            Life::Spawned | Life::Online => {
                member.life = Life::Ready;
                member.was_ready = true;
            }
            // Once is enough; and who leaves is not counted on.
            Life::Ready | Life::Draining(_) => return,
        }
        self.ever_ready = true;
        self.timers.cancel(Timer::StartDeadline(worker));
        self.recovered(out);
        self.reload_ready(now, worker);
    }

    /// Said once. Outside a reload the worker is left running: a program may never listen.
    pub(super) fn start_deadline_passed(
        &mut self,
        now: Time,
        worker: WorkerId,
        out: &mut Vec<Action>,
    ) {
        let after = self.settings.start_deadline;
        if self.is_reloads_worker(worker) {
            return self.reload_failed(now, Some(worker), Reason::Deadline(after), out);
        }
        match self.members.get(&worker).map(|it| it.life) {
            Some(Life::Spawned | Life::Online) => {
                out.push(Action::Notify(Notice::NotListening { worker, after }));
            }
            // It listens, leaves or has left.
            Some(Life::Ready | Life::Draining(_)) | None => {}
        }
    }

    pub(super) fn settled(&mut self, worker: WorkerId) {
        let Some(member) = self.members.get_mut(&worker) else {
            return;
        };
        member.settled = true;
        if let Some(slot) = self.slots.get_mut(member.slot) {
            slot.backoff.reset();
            slot.deaths.clear();
        }
    }
}
