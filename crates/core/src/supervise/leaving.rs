//! How a worker goes: reaped, cut off, by its own will, or thrown out.

use super::crew::{Crew, Timer};
use super::life::{Life, Worker};
use super::restart::Loss;
use super::{Action, Reason};
use crate::primary::Exit;
use crate::{Time, WorkerId};

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
                let reason = match record.listen_failed {
                    Some(errno) => Reason::CannotListen(errno),
                    None => Reason::Exited(status),
                };
                self.departed(now, worker, &record, reason, planned, out);
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
            // A program that never spoke has closed a descriptor that it does not know.
            Life::Up(_) if !record.speaks => {}
            // By its own will: it serves nobody any more, so its successor need not wait for its end.
            Life::Up(_) if planned => {
                self.leaves(now, worker);
                self.departed(now, worker, &record, record.why_it_left(), planned, out);
            }
            // It may be dead: its exit status is worth a short wait.
            Life::Up(progress) => {
                if let Some(record) = self.workers.get_mut(&worker) {
                    record.life = Life::Cut(progress);
                }
                self.timers.cancel(Timer::StartDeadline(worker));
                self.timers.cancel(Timer::Stable(worker));
                self.unwatch(worker);
                let until = now + self.settings.exit_patience;
                self.timers.set(Timer::Patience(worker), until);
            }
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
                self.departed(now, worker, &record, Reason::Misbehaved, false, out);
            }
            Life::Ending(_) => {}
        }
    }

    fn departed(
        &mut self,
        now: Time,
        worker: WorkerId,
        record: &Worker,
        reason: Reason,
        planned: bool,
        out: &mut Vec<Action>,
    ) {
        let mut loss = Loss::of(worker, record, reason, now, &self.settings);
        // Leaving as soon as one has come is no will of one's own: without a delay it would never end.
        loss.own_will = planned && record.age(now) >= self.settings.stable_for;
        self.lost(now, loss, out);
    }
}
