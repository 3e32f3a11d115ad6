//! What becomes of a crew when faults have stopped: it is whole, and then it ends.

use std::collections::BTreeSet;

use portcrew_core::WorkerId;
use portcrew_core::primary::Place;
use portcrew_core::supervise::{Event, Phase, SlotState};

use super::Health;
use crate::sim::report::{Check, Checked, ensure};
use crate::sim::world::World;

impl World {
    /// The serving program works from now on. A release that is being tried may stay as broken as it is: that must
    /// not matter.
    pub(in crate::sim) fn mend_crew(&mut self) {
        let all = self.rng.percent(50);
        let Some(seat) = &mut self.crew else {
            return;
        };
        let serving = seat.machine.generation();
        for (generation, release) in &mut seat.releases {
            if all || *generation == serving {
                release.health = Health::Good;
            }
        }
        seat.on_disk.health = if all { Health::Good } else { seat.on_disk.health };
    }

    /// Something is on its way. Who was killed and sleeps in the kernel goes in its own time: nobody waits for it.
    pub(in crate::sim) fn is_crew_busy(&self) -> bool {
        let Some(seat) = self.crew.as_ref().filter(|_| self.is_led()) else {
            return false;
        };
        let ready = |worker| seat.checker.alive.get(&worker).is_some_and(|it| it.ready);
        let whole = |state| matches!(state, SlotState::Held(worker) if ready(worker));
        seat.machine.phase() != Phase::Running
            || !seat.machine.slots().all(|it| whole(it.state))
            || seat.checker.alive.iter().any(|(worker, it)| it.told && !self.sleeps(*worker))
    }

    /// Who sleeps in the kernel, was given up by the crew, and holds what nobody else may have before it has ended: it
    /// wakes, for the machine's sleep ends too. Whether there was one.
    pub(in crate::sim) fn wake_the_given_up(&mut self) -> bool {
        let Some(seat) = &self.crew else {
            return false;
        };
        let worker = |place| match place {
            Place::Offered(worker, _) => Some(worker),
            Place::Held => None,
        };
        let offered: BTreeSet<_> =
            self.primary.connections().filter_map(|it| worker(it.1)).collect();
        let mut woke = false;
        for process in &mut self.processes {
            let is_given_up = !seat.checker.alive.contains_key(&process.id);
            if process.sleeps() && is_given_up && offered.contains(&process.id) {
                process.goes_on();
                woke = true;
            }
        }
        woke
    }

    fn sleeps(&self, worker: WorkerId) -> bool {
        self.processes.iter().any(|it| it.id == worker && it.sleeps())
    }

    /// Every slot is served, by one generation, and every reload has its verdict.
    pub(in crate::sim) fn check_crew_is_whole(&self) -> Checked {
        let Some(seat) = &self.crew else {
            return Ok(());
        };
        let promised = &seat.checker.promised;
        ensure(promised.is_empty(), Check::Liveness, || format!("no verdict on {promised:?}"))?;
        if !self.is_led() {
            return Ok(());
        }
        let crew = &seat.machine;
        let whole = !self.is_crew_busy() && crew.ready_workers() >= crew.wanted();
        ensure(whole, Check::Liveness, || {
            let slots: Vec<_> = crew.slots().collect();
            format!("faults have stopped, and the crew is {:?}: {slots:?}", crew.phase())
        })
    }

    /// Its user wants it to end; sometimes twice.
    pub(in crate::sim) fn end_crew(&mut self) -> Checked {
        self.trace.say(|| "the crew is to end".into());
        let again = self.rng.percent(10);
        let event = if self.rng.percent(15) { Event::StopNow } else { Event::Stop };
        self.crew_feed(event)?;
        if again && self.is_led() {
            self.crew_feed(Event::Stop)?;
        }
        self.come_to_rest()?;
        let ended = self.crew.as_ref().is_none_or(|it| it.machine.phase() == Phase::Finished);
        ensure(ended, Check::Liveness, || "the crew was to end and did not".into())?;
        // Who sleeps in the kernel wakes at last.
        for process in &mut self.processes {
            if process.sleeps() {
                process.goes_on();
            }
        }
        self.come_to_rest()
    }
}
