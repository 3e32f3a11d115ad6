//! Who commands the crew, how the shell looks at its workers now and then, and pauses of the primary itself.

use std::time::Duration;

use portcrew_core::supervise::{Event, Found, Phase};
use portcrew_core::{Time, WorkerId};

use super::Release;
use crate::sim::report::{Broken, Check, Checked, ensure};
use crate::sim::worker::Run;
use crate::sim::world::World;

type Moved = Result<bool, Broken>;

/// From one sign of life to the next.
const LOOKS_EVERY: Duration = Duration::from_secs(1);

impl World {
    /// Begins.
    pub(in crate::sim) fn crew_begins(&mut self) -> Checked {
        self.crew_feed(Event::Start)
    }

    /// A user wants something of the crew.
    pub(in crate::sim) fn crew_command(&mut self) -> Moved {
        let Some(phase) = self.crew.as_ref().map(|it| it.machine.phase()) else {
            return Ok(false);
        };
        let stops_at = self.plan.led.as_ref().map_or(u64::MAX, |it| it.stops_at);
        if phase == Phase::Finished {
            return Ok(false);
        }
        if self.step >= stops_at {
            let event = self.rng.weighted(&[(Event::Stop, 70), (Event::StopNow, 30)]);
            self.seen.saw(match phase {
                Phase::Stopping => "command: stop again",
                Phase::Reloading(_) | Phase::RollingBack(_) => "command: stop during a reload",
                _ => "command: stop",
            });
            self.crew_feed(event)?;
            return Ok(true);
        }
        match self.rng.below(100) {
            0..65 => self.reload()?,
            65..90 => {
                let by = if self.rng.percent(50) { 1 } else { -1 };
                self.crew_feed(Event::Scale { by })?;
            }
            _ => {
                let workers = self.rng.index(7);
                self.crew_feed(Event::Resize { workers })?;
            }
        }
        Ok(true)
    }

    /// A release is put on the disk, and everybody is to run it.
    fn reload(&mut self) -> Checked {
        let release = Release::next(&mut self.rng, self.plan.queries.len(), self.plan.faults);
        self.trace.say(|| format!("    on the disk: {release:?}"));
        if let Some(seat) = &mut self.crew {
            seat.on_disk = release;
        }
        self.crew_feed(Event::Reload)
    }

    /// When the shell hears next that its workers are alive; never where that is not listened for.
    pub(in crate::sim) fn next_look(&self) -> Option<Time> {
        let seat = self.crew.as_ref()?;
        let listens = seat.checker.settings.watchdog.is_some();
        (listens && self.is_led()).then_some(seat.looks_at)
    }

    /// Workers are looked after.
    pub(in crate::sim) fn is_watched(&self) -> bool {
        let settings = self.crew.as_ref().map(|it| &it.checker.settings);
        let watched = settings.is_some_and(|it| {
            it.answer_within.is_some() || it.watchdog.is_some() || it.heartbeat.is_some()
        });
        watched && self.is_led()
    }

    /// Whoever runs gives a sign of life.
    pub(in crate::sim) fn look_at_workers(&mut self) -> Checked {
        let now = self.clock.now();
        let Some(seat) = &mut self.crew else {
            return Ok(());
        };
        seat.looks_at = now + LOOKS_EVERY;
        let all: Vec<_> = seat.checker.alive.keys().copied().collect();
        for worker in all {
            if self.process_mut(worker).is_some_and(|it| it.is_running()) {
                self.crew_feed(Event::Sign { worker })?;
            }
        }
        Ok(())
    }

    /// Which workers of the crew owe an answer, and since when: what the primary's machine says is what was offered.
    pub(super) fn see_answers(&mut self) -> Checked {
        let Some(seat) = &mut self.crew else {
            return Ok(());
        };
        for worker in seat.checker.alive.keys().copied() {
            let Some(since) = self.primary.oldest_offer(worker) else {
                continue;
            };
            let offers = self.account.outstanding.iter().filter(|it| it.0.0 == worker);
            let entries = offers.filter_map(|it| self.account.entry(*it.1));
            let oldest = entries.map(|it| it.offered_at).min();
            ensure(oldest == Some(since), Check::C1Account, || {
                format!("worker {worker} owes since {since:?}; its oldest offer is of {oldest:?}")
            })?;
            seat.answers.push(Event::Owes { worker, since });
        }
        Ok(())
    }

    /// A worker that is suspected has been looked at, or one that was asked for a beat gives it.
    pub(in crate::sim) fn crew_answers(&mut self) -> Moved {
        let Some(seat) = &mut self.crew else {
            return Ok(false);
        };
        if let Some(worker) = seat.suspects.pop() {
            return self.examined(worker);
        }
        if seat.beats.is_empty() {
            return Ok(false);
        }
        let at = self.rng.index(seat.beats.len());
        let worker = seat.beats[at];
        match self.process_mut(worker).map(|it| it.run) {
            Some(Run::Running) => {
                self.beat_given(at);
                self.crew_feed(Event::Beat { worker })?;
                Ok(true)
            }
            // It answers when it goes on.
            Some(Run::Frozen) => Ok(false),
            Some(Run::Zombie(_) | Run::Reaped) | None => {
                self.beat_given(at);
                Ok(true)
            }
        }
    }

    fn beat_given(&mut self, at: usize) {
        if let Some(seat) = &mut self.crew {
            seat.beats.swap_remove(at);
        }
    }

    fn examined(&mut self, worker: WorkerId) -> Moved {
        if !self.settling && self.rng.percent(10) {
            self.seen.saw("nothing is found out of a worker that hangs");
            return Ok(true);
        }
        let debugged = !self.settling && self.rng.percent(15);
        let found = match self.process_mut(worker).map(|it| it.run) {
            Some(_) if debugged => Found::Traced,
            Some(Run::Frozen) => Found::Stopped,
            Some(Run::Running | Run::Zombie(_) | Run::Reaped) | None => Found::Able,
        };
        let owes = self.primary.oldest_offer(worker);
        self.crew_feed(Event::Examined { worker, found, owes })?;
        Ok(true)
    }

    /// The primary stands still: it is stopped, or the machine sleeps. Everybody else goes on, and nobody is called
    /// until it goes on too.
    pub(in crate::sim) fn pause(&mut self) -> Moved {
        if !self.is_led() {
            return Ok(false);
        }
        // Longer than a crew that watches its workers may wait to be called before it notices.
        let length = Duration::from_millis(self.rng.between(1_600, 6_000));
        let until = self.clock.now() + length;
        self.seen.saw("the primary paused");
        self.trace.say(|| format!("    the primary pauses for {length:?}"));
        if let Some(seat) = &mut self.crew {
            seat.checker.paused(until, length);
        }
        if self.saboteur.hides_pause() {
            self.hide_pause(until)?;
        }
        self.clock.jump(until);
        self.account.falls_asleep();
        self.run_timers()?;
        let in_vain = self.primary.ledger().looked_in_vain;
        self.account.is_awake(until, in_vain, &self.plan)?;
        self.late()?;
        Ok(true)
    }

    /// The planted fault: the crew is called as if it had not stood still.
    fn hide_pause(&mut self, until: Time) -> Checked {
        while let Some(at) = self.crew.as_ref().and_then(|it| it.machine.next_timeout()) {
            if at > until {
                break;
            }
            self.clock.jump(at);
            self.crew_timeout()?;
        }
        Ok(())
    }
}
