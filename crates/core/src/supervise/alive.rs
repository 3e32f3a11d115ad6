//! Whether a worker that serves still does: its probes, what it owes, its own sign of life. And that nobody is blamed
//! for a pause of the primary itself.

use std::time::Duration;

use super::crew::{Crew, State, Timer};
use super::life::{Life, Progress};
use super::restart::Loss;
use super::{Action, Reason};
use crate::{Time, WorkerId};

/// How often a crew that watches its workers expects to be called.
pub(super) const PULSE: Duration = Duration::from_secs(1);

/// How late a call may come. A later one means that the primary was stopped, or had no processor: what seemed to be
/// silence before it was its own.
const LATE: Duration = Duration::from_millis(500);

impl Crew {
    /// To be asked first, whatever has happened: whether this call comes much later than the crew wanted to be called.
    pub(super) fn notice_pause(&mut self, now: Time) {
        match self.state {
            State::Running(_) | State::Stopping(_) if self.settings.watches() => {}
            State::Running(_) | State::Stopping(_) | State::Idle | State::Finished => return,
        }
        if self.timers.next().is_some_and(|due| now - due > LATE) {
            self.resumed = now;
            for record in self.workers.values_mut() {
                record.failed_probes = 0;
            }
            let watched: Vec<_> = self.workers.keys().copied().collect();
            for worker in watched {
                self.expect_sign(now, worker);
            }
        }
        self.timers.set_if_unset(Timer::Pulse, now + PULSE);
    }

    /// A probe that began then was answered, or not.
    pub(super) fn probed(
        &mut self,
        now: Time,
        worker: WorkerId,
        began: Time,
        answered: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        if answered {
            record.failed_probes = 0;
            return self.ready(now, worker, out);
        }
        // What is not ready yet need not answer, and what began before a pause was not looked at in time.
        if !record.is_ready() || began < self.resumed {
            return;
        }
        record.failed_probes = record.failed_probes.saturating_add(1);
        let failed = record.failed_probes;
        if self.settings.probe_failures.is_some_and(|most| failed >= most.max(1)) {
            self.hangs(now, worker, Reason::ProbesFailed(failed), out);
        }
    }

    /// A worker owes an answer since then.
    pub(super) fn owes(&mut self, now: Time, worker: WorkerId, since: Time, out: &mut Vec<Action>) {
        let waited = now - since.max(self.resumed);
        if self.settings.answer_within.is_some_and(|most| waited >= most) {
            self.hangs(now, worker, Reason::Unanswered(waited), out);
        }
    }

    /// A worker gave its sign of life, or has just become ready to give it.
    pub(super) fn expect_sign(&mut self, now: Time, worker: WorkerId) {
        let is_ready = self.workers.get(&worker).is_some_and(super::life::Worker::is_ready);
        if let (Some(within), true) = (self.settings.watchdog, is_ready) {
            self.timers.set(Timer::Watchdog(worker), now + within);
        }
    }

    /// Its sign of life did not come in time.
    pub(super) fn sign_missed(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        if let Some(within) = self.settings.watchdog {
            self.hangs(now, worker, Reason::SignMissed(within), out);
        }
    }

    /// It serves nobody any more, so nobody waits for it: it is made to end at once, and replaced.
    fn hangs(&mut self, now: Time, worker: WorkerId, reason: Reason, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get(&worker).copied() else {
            return;
        };
        match record.life {
            Life::Up(Progress::Ready(_)) => {
                self.terminate(now, worker, out);
                self.lost(now, Loss::of(worker, &record, reason, now, &self.settings), out);
            }
            // It is not ready yet, or is on its way out: there are deadlines for that.
            Life::Up(Progress::Silent | Progress::Online) | Life::Cut(_) | Life::Ending(_) => {}
        }
    }
}
