//! Who commands the crew, how the shell looks at its workers now and then, and pauses of the primary itself.

use std::time::Duration;

use portcrew_core::supervise::{Event, Phase, Stage};
use portcrew_core::{Time, WorkerId};

use super::Release;
use crate::sim::report::{Broken, Check, Checked, ensure};
use crate::sim::world::World;

type Moved = Result<bool, Broken>;

/// From one look of the shell to the next.
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

    /// When the shell looks at its workers next; never where nothing is looked for.
    pub(in crate::sim) fn next_look(&self) -> Option<Time> {
        let seat = self.crew.as_ref()?;
        let it = &seat.checker.settings;
        let looks = it.answer_within.is_some() || it.watchdog.is_some();
        (looks && self.is_led()).then_some(seat.looks_at)
    }

    /// Tells the crew what its workers owe, and who gave a sign of life.
    pub(in crate::sim) fn look_at_workers(&mut self) -> Checked {
        let now = self.clock.now();
        let Some(seat) = &mut self.crew else {
            return Ok(());
        };
        seat.looks_at = now + LOOKS_EVERY;
        let (owes, signs) = (
            seat.checker.settings.answer_within.is_some(),
            seat.checker.settings.watchdog.is_some(),
        );
        let all: Vec<_> = seat.checker.alive.keys().copied().collect();
        for worker in all {
            let gives = signs && self.process_mut(worker).is_some_and(|it| it.is_running());
            if gives {
                self.crew_feed(Event::Sign { worker })?;
            }
            if owes {
                self.tell_owed(worker)?;
            }
        }
        Ok(())
    }

    fn tell_owed(&mut self, worker: WorkerId) -> Checked {
        let Some(since) = self.primary.oldest_offer(worker) else {
            return Ok(());
        };
        let offers = self.account.outstanding.iter().filter(|it| it.0.0 == worker);
        let oldest =
            offers.filter_map(|it| self.account.entry(*it.1)).map(|it| it.offered_at).min();
        ensure(oldest == Some(since), Check::C1Account, || {
            format!(
                "worker {worker} owes since {since:?}, and was offered its oldest at {oldest:?}"
            )
        })?;
        self.set_owed(Some(since));
        self.crew_feed(Event::Owes { worker, since })?;
        self.set_owed(None);
        self.check_hung(worker, since)
    }

    fn set_owed(&mut self, since: Option<Time>) {
        if let Some(seat) = &mut self.crew {
            seat.checker.owed = since;
        }
    }

    /// T2: who serves has not owed an answer for too long.
    fn check_hung(&self, worker: WorkerId, since: Time) -> Checked {
        let (now, Some(seat)) = (self.clock.now(), &self.crew) else {
            return Ok(());
        };
        let waited = now - since.max(seat.checker.resumed);
        let late = seat.checker.settings.answer_within.is_some_and(|most| waited >= most);
        let mut all = seat.machine.workers(now);
        let serves = all.any(|it| it.worker == worker && it.stage == Stage::Ready);
        ensure(!late || !serves, Check::T2Hang, || {
            format!("worker {worker} has owed an answer for {waited:?}, and is counted on")
        })
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
        if self.saboteur.hides_pause() {
            self.hide_pause(until)?;
        }
        self.clock.jump(until);
        if let Some(seat) = &mut self.crew {
            seat.checker.paused(until, length);
        }
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
