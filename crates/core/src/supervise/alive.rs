//! Whether a worker that serves still does: its probes, what it owes, its own sign of life, its heartbeat. And that
//! nobody is blamed for a pause of the primary itself.

use std::time::Duration;

use super::crew::{Crew, State, Timer};
use super::life::{Beat, Doubt, Worker};
use super::{Action, Reason, Settings};
use crate::{Time, WorkerId};

/// How often a crew that watches its workers expects to be called, at least and at most: four times within its shortest
/// deadline. With [`LATE`] that makes a pause which is too short to be noticed shorter than half of the deadline.
const PULSE: (Duration, Duration) = (SHORTEST_QUARTER, Duration::from_secs(5));

/// The pulse of a crew that has probes. They have no deadline of their own here.
const PROBED_PULSE: Duration = Duration::from_secs(1);

/// How late a call may come at most: a quarter of the shortest deadline, or this. A later one means that the primary was
/// stopped, or had no processor: what seemed to be silence before it was its own.
const LATE: Duration = Duration::from_millis(500);

/// A quarter of a deadline, at least: what is less is nothing unusual in a process that works.
const SHORTEST_QUARTER: Duration = Duration::from_millis(25);

/// The shortest deadline: with none at all a crew would do nothing but look.
const SHORTEST: Duration = Duration::from_millis(1);

impl Crew {
    /// To be asked first, whatever has happened: whether this call comes much later than the crew wanted to be called.
    pub(super) fn notice_pause(&mut self, now: Time) {
        match self.state {
            State::Running(_) | State::Stopping(_) if self.settings.watches() => {}
            State::Running(_) | State::Stopping(_) | State::Idle | State::Finished => return,
        }
        if self.timers.next().is_some_and(|due| now - due > self.settings.late()) {
            self.resumed = now;
            for record in self.workers.values_mut() {
                record.failed_probes = 0;
            }
            let watched: Vec<_> = self.workers.keys().copied().collect();
            for worker in watched {
                self.expect_sign(now, worker);
                self.ask_again(now, worker);
                self.look_again(now, worker);
            }
        }
        if self.timers.is_set(Timer::Pulse) {
            return;
        }
        // From here on both set themselves again.
        self.pulse(now);
        if let Some(within) = self.settings.answers() {
            self.timers.set(Timer::Answers, now + within);
        }
    }

    /// The crew was called in time, or has noticed that it was not.
    pub(super) fn pulse(&mut self, now: Time) {
        self.timers.set(Timer::Pulse, now + self.settings.pulse());
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
            self.shows_life(worker, |it| matches!(it, Reason::ProbesFailed(_)));
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

    /// Whatever is offered from now on cannot be due before the next look; what is offered already is told, and brings
    /// that look forward. So the crew is called when an answer is overdue, and hardly oftener.
    pub(super) fn see_answers(&mut self, now: Time, out: &mut Vec<Action>) {
        if let Some(within) = self.settings.answers() {
            self.timers.set(Timer::Answers, now + within);
            out.push(Action::SeeAnswers);
        }
    }

    /// A worker owes an answer since then.
    pub(super) fn owes(&mut self, now: Time, worker: WorkerId, since: Time, out: &mut Vec<Action>) {
        let (Some(most), Some(record)) = (self.settings.answers(), self.workers.get_mut(&worker))
        else {
            return;
        };
        if matches!(record.doubt, Doubt::Excused(then) if since > then) {
            record.doubt = Doubt::None;
        }
        // A runtime that turned meanwhile has the deadline once more: what waits there waits for the program's own code,
        // which may take no more than it can serve.
        let counts_from = since.max(self.resumed).max(record.turned);
        // One that is not ready may listen, and works for its readiness: until it should have been.
        let (ready, late) = (record.is_ready(), record.started + self.settings.start_deadline);
        let due = if ready { counts_from + most } else { late.max(counts_from + most) };
        if now >= due {
            self.hangs(now, worker, Reason::Unanswered(now - since.max(self.resumed)), out);
        } else {
            self.timers.bring_forward(Timer::Answers, due);
        }
    }

    /// A worker said that it is alive.
    pub(super) fn signed(&mut self, now: Time, worker: WorkerId) {
        self.shows_life(worker, |it| matches!(it, Reason::SignMissed(_)));
        self.expect_sign(now, worker);
    }

    /// A worker gave its sign of life, or has just become ready to give it.
    pub(super) fn expect_sign(&mut self, now: Time, worker: WorkerId) {
        let is_ready = self.workers.get(&worker).is_some_and(Worker::is_ready);
        if let (Some(within), true) = (self.settings.watchdog, is_ready) {
            self.timers.set(Timer::Watchdog(worker), now + within);
        }
    }

    /// Its sign of life did not come in time.
    pub(super) fn sign_missed(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        if let Some(within) = self.settings.watchdog {
            self.expect_sign(now, worker);
            self.hangs(now, worker, Reason::SignMissed(within), out);
        }
    }

    /// A worker understands when it is asked whether its runtime turns.
    pub(super) fn beats(&mut self, now: Time, worker: WorkerId) {
        if let Some(record) = self.workers.get_mut(&worker).filter(|it| it.beat == Beat::Deaf) {
            record.beat = Beat::Heard;
        }
        self.expect_beat(now, worker);
    }

    /// A worker has become ready, or understands the question by now: asked it is when it does both.
    pub(super) fn expect_beat(&mut self, now: Time, worker: WorkerId) {
        let asked = self.workers.get(&worker).filter(|it| it.is_ready() && it.beat != Beat::Deaf);
        if let (Some(every), Some(_)) = (self.settings.beats(), asked) {
            self.timers.set_if_unset(Timer::Beat(worker), now + every);
        }
    }

    /// It has answered. The next question comes at its time.
    pub(super) fn beat(&mut self, now: Time, worker: WorkerId) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        match record.beat {
            Beat::Asked => {
                (record.beat, record.turned) = (Beat::Heard, now);
                self.shows_life(worker, |it| {
                    matches!(it, Reason::NoBeat(_) | Reason::Unanswered(_))
                });
            }
            // An answer to a question that nobody has asked.
            Beat::Deaf | Beat::Heard => {}
        }
    }

    /// The time has come to ask, or that of an answer is over.
    pub(super) fn beat_due(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let (Some(every), Some(record)) = (self.settings.beats(), self.workers.get_mut(&worker))
        else {
            return;
        };
        self.timers.set(Timer::Beat(worker), now + every);
        match record.beat {
            Beat::Heard => {
                record.beat = Beat::Asked;
                out.push(Action::AskForBeat { worker });
            }
            Beat::Asked => self.hangs(now, worker, Reason::NoBeat(every), out),
            // Its timer was never set.
            Beat::Deaf => {}
        }
    }

    /// An answer is overdue. That of a program may wait on purpose, so its runtime is asked; where a question is on its
    /// way already, its answer has as long.
    pub(super) fn ask_at_once(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        match record.beat {
            Beat::Heard => {
                record.beat = Beat::Asked;
                out.push(Action::AskForBeat { worker });
                self.ask_again(now, worker);
            }
            // It never answers, or will.
            Beat::Deaf | Beat::Asked => {}
        }
    }

    /// The primary stood still, so the answer may lie here: its time begins again. The question is not asked twice.
    fn ask_again(&mut self, now: Time, worker: WorkerId) {
        let record = self.workers.get(&worker);
        let asked = record.is_some_and(|it| it.is_ready() && it.beat == Beat::Asked);
        if let (Some(every), true) = (self.settings.beats(), asked) {
            self.timers.set(Timer::Beat(worker), now + every);
        }
    }

    /// Nothing is held against it any more: it is to end, or has.
    pub(super) fn unwatch(&mut self, worker: WorkerId) {
        self.timers.cancel(Timer::Watchdog(worker));
        self.timers.cancel(Timer::Beat(worker));
        self.timers.cancel(Timer::Examined(worker));
    }
}

impl Settings {
    pub(super) fn answers(&self) -> Option<Duration> {
        self.answer_within.map(|it| it.max(SHORTEST))
    }

    fn beats(&self) -> Option<Duration> {
        self.heartbeat.map(|it| it.max(SHORTEST))
    }

    fn pulse(&self) -> Duration {
        let probed = self.probe_failures.map(|_| PROBED_PULSE);
        let quarter = self.quarter_of_shortest().into_iter().chain(probed).min();
        quarter.unwrap_or(PULSE.1).clamp(PULSE.0, PULSE.1)
    }

    fn late(&self) -> Duration {
        self.quarter_of_shortest().unwrap_or(LATE).clamp(SHORTEST_QUARTER, LATE)
    }

    fn quarter_of_shortest(&self) -> Option<Duration> {
        let deadlines = [self.answer_within, self.watchdog, self.heartbeat];
        deadlines.into_iter().flatten().map(|it| it / 4).min()
    }
}
