//! The rolling reload: slot by slot, new before old; the first failure brings the old generation back.

use super::crew::{Crew, Phase, Timer};
use super::member::Seat;
use super::{Action, Notice, Reason};
use crate::{Time, WorkerId};

/// A reload that is under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reload {
    /// The generation that is to serve when this is over.
    to: u64,
    /// The slot that is being replaced.
    slot: usize,
    replaced: usize,
    step: Step,
    way: Way,
}

/// What the reload does for its slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// A fork was asked for.
    Forking,
    /// The new worker is to become ready.
    Starting(WorkerId),
    /// It is ready, and is to stay so for a while.
    Proving(WorkerId),
}

/// Which way the reload goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// To the new generation.
    Forward,
    /// Back, because of this.
    Back { failed: u64, worker: Option<WorkerId>, reason: Reason },
}

impl Crew {
    pub(super) fn reload(&mut self, now: Time, out: &mut Vec<Action>) {
        match self.phase {
            Phase::Running | Phase::Degraded => {}
            // Nothing to replace, or nobody wanted any more.
            Phase::Idle | Phase::Stopping(_) | Phase::Finished => return,
        }
        match self.reload {
            // Nothing was replaced yet: what is being started is what is asked for.
            Some(Reload { way: Way::Forward, replaced: 0, .. }) => {}
            Some(_) => self.reload_again = true,
            None => {
                self.newest += 1;
                let generation = self.newest;
                out.push(Action::Notify(Notice::ReloadStarted { generation }));
                self.roll(now, generation, 0, 0, Way::Forward, out);
            }
        }
    }

    /// Goes on with the first slot from `from` on that is not of generation `to`.
    fn roll(
        &mut self,
        now: Time,
        to: u64,
        from: usize,
        replaced: usize,
        way: Way,
        out: &mut Vec<Action>,
    ) {
        let next = (from..self.slots.len()).find(|slot| self.slots[*slot].generation != to);
        let Some(slot) = next else {
            return self.reload_over(now, to, way, out);
        };
        self.reload = Some(Reload { to, slot, replaced, step: Step::Forking, way });
        self.ask_fork(slot, to, out);
    }

    fn reload_over(&mut self, now: Time, to: u64, way: Way, out: &mut Vec<Action>) {
        self.reload = None;
        let old = self.generation;
        self.generation = to;
        match way {
            Way::Forward => {
                out.push(Action::Forget { generation: old });
                out.push(Action::Notify(Notice::ReloadCommitted { generation: to }));
            }
            Way::Back { failed, worker, reason } => {
                out.push(Action::Forget { generation: failed });
                let generation = failed;
                out.push(Action::Notify(Notice::RolledBack { generation, worker, reason }));
            }
        }
        self.fill(out);
        if std::mem::take(&mut self.reload_again) {
            self.reload(now, out);
        }
    }

    pub(super) fn is_reloads_fork(&self, slot: usize, generation: u64) -> bool {
        self.reload
            .is_some_and(|it| it.step == Step::Forking && it.slot == slot && it.to == generation)
    }

    pub(super) fn is_reloads_worker(&self, worker: WorkerId) -> bool {
        self.reload.is_some_and(|it| match it.step {
            Step::Forking => false,
            Step::Starting(it) | Step::Proving(it) => it == worker,
        })
    }

    pub(super) fn reload_spawned(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(reload) = &mut self.reload else {
            return;
        };
        let Some(slot) = self.slots.get(reload.slot) else {
            // The crew has become smaller meanwhile.
            let it = *reload;
            self.end(now, worker, out);
            return self.roll(now, it.to, it.slot, it.replaced, it.way, out);
        };
        reload.step = Step::Starting(worker);
        // A program that never listens cannot become ready: that it stays alive has to do.
        let never_listens = match slot.seat {
            Seat::Taken(old) => {
                self.members.get(&old).is_some_and(|it| it.settled && !it.was_ready)
            }
            Seat::Vacant | Seat::Waiting | Seat::Forking => false,
        };
        if never_listens {
            self.timers.cancel(Timer::StartDeadline(worker));
            self.timers.set(Timer::Stable(worker), now + self.settings.stable_for);
        }
    }

    pub(super) fn reload_ready(&mut self, now: Time, worker: WorkerId) {
        let Some(reload) = &mut self.reload else {
            return;
        };
        if reload.step == Step::Starting(worker) {
            reload.step = Step::Proving(worker);
            self.timers.set(Timer::Stable(worker), now + self.settings.stable_for);
        }
    }

    /// The new worker is good: it takes the slot, and the old one leaves.
    pub(super) fn stable(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(reload) = self.reload else { return };
        if !self.is_reloads_worker(worker) {
            return;
        }
        let replaced = reload.replaced + 1;
        match self.slots.get_mut(reload.slot) {
            Some(slot) => {
                let old = std::mem::replace(&mut slot.seat, Seat::Taken(worker));
                slot.generation = reload.to;
                slot.backoff.reset();
                slot.deaths.clear();
                self.timers.cancel(Timer::Restart(reload.slot));
                if let Seat::Taken(old) = old {
                    self.end(now, old, out);
                }
                if reload.way == Way::Forward {
                    let of = self.slots.len();
                    out.push(Action::Notify(Notice::ReloadProgress { replaced, of }));
                }
            }
            None => self.end(now, worker, out),
        }
        self.roll(now, reload.to, reload.slot + 1, replaced, reload.way, out);
    }

    /// The new worker is not good.
    pub(super) fn reload_failed(
        &mut self,
        now: Time,
        worker: Option<WorkerId>,
        reason: Reason,
        out: &mut Vec<Action>,
    ) {
        let Some(reload) = self.reload.take() else {
            return;
        };
        if let Some(worker) = worker {
            self.end(now, worker, out);
        }
        match reload.way {
            Way::Forward => {
                let way = Way::Back { failed: reload.to, worker, reason };
                self.roll(now, self.generation, 0, 0, way, out);
            }
            // The old program does not start any more either. Its slot is the old generation's all the
            // same: never a mixture. The restart policy fills it.
            Way::Back { .. } => {
                if let Some(slot) = self.slots.get_mut(reload.slot) {
                    let new = std::mem::replace(&mut slot.seat, Seat::Vacant);
                    slot.generation = reload.to;
                    if let Seat::Taken(new) = new {
                        self.end(now, new, out);
                    }
                }
                self.roll(now, reload.to, reload.slot + 1, reload.replaced, reload.way, out);
            }
        }
    }

    pub(super) fn reload_stopped(&mut self, reason: Reason, out: &mut Vec<Action>) {
        let Some(reload) = self.reload.take() else {
            return;
        };
        let (generation, worker, reason) = match reload.way {
            Way::Forward => (reload.to, None, reason),
            Way::Back { failed, worker, reason } => (failed, worker, reason),
        };
        out.push(Action::Notify(Notice::RolledBack { generation, worker, reason }));
    }

    /// The slot that was being replaced may be gone, and new slots are of the serving generation.
    pub(super) fn reload_after_resize(&mut self, now: Time, out: &mut Vec<Action>) {
        let Some(reload) = self.reload else { return };
        if reload.slot < self.slots.len() {
            return;
        }
        match reload.step {
            // Its answer comes and finds the slot gone.
            Step::Forking => {}
            Step::Starting(worker) | Step::Proving(worker) => {
                self.timers.cancel(Timer::Stable(worker));
                self.end(now, worker, out);
                self.roll(now, reload.to, reload.slot, reload.replaced, reload.way, out);
            }
        }
    }
}
