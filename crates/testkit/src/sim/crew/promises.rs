//! What holds of crew and primary together after every step.

use std::collections::BTreeMap;
use std::time::Duration;

use portcrew_core::supervise::{Phase, SlotState, Stage};

use super::CrewSeat;
use crate::sim::account::Member;
use crate::sim::report::{Check, Checked, ensure};
use crate::sim::world::World;

impl World {
    /// Holds the promises about a crew against the present.
    pub(in crate::sim) fn check_crew(&self) -> Checked {
        let Some(seat) = &self.crew else {
            return Ok(());
        };
        self.check_dead(seat)?;
        self.check_end(seat)?;
        self.check_told(seat)?;
        self.check_left(seat)?;
        self.check_hung(seat)?;
        check_generations(seat)?;
        check_slots(seat)
    }

    /// S1: the crew counts on nobody who was reaped.
    fn check_dead(&self, seat: &CrewSeat) -> Checked {
        let mut known = seat.machine.workers(self.clock.now());
        let dead = known.find(|it| !seat.checker.alive.contains_key(&it.worker));
        ensure(dead.is_none(), Check::S1Reaped, || format!("{dead:?} was reaped"))
    }

    /// S5 and C9: the end comes in time, and leaves no listener.
    fn check_end(&self, seat: &CrewSeat) -> Checked {
        let (now, finished) = (self.clock.now(), seat.checker.finished);
        let late = seat.checker.ends_by.is_some_and(|by| now > by) && !finished;
        ensure(!late, Check::S5End, || {
            format!("at {now:?} the crew should have ended: {:?}", seat.checker.ends_by)
        })?;
        let open = self.account.listings().find(|it| it.1.open && finished);
        ensure(open.is_none(), Check::C9SocketLife, || {
            format!("the crew has ended, and a socket is open: {open:?}")
        })
    }

    /// C9: who was told to leave holds no listener: its keys are free once nobody else wants them. Nor does who is made
    /// to: what it was given would wait for its end.
    fn check_told(&self, seat: &CrewSeat) -> Checked {
        let may_listen = |worker| self.account.member(worker).is_some_and(Member::may_listen);
        let told = seat.checker.alive.iter().filter(|it| it.1.unlisted).map(|it| *it.0);
        let listed = told.into_iter().find(|worker| may_listen(*worker));
        ensure(listed.is_none(), Check::C9SocketLife, || {
            format!("worker {listed:?} is to leave and may listen")
        })
    }

    /// T2: nobody who serves owes an answer for longer than it may and it takes to look at it.
    fn check_hung(&self, seat: &CrewSeat) -> Checked {
        let (now, settings) = (self.clock.now(), &seat.checker.settings);
        let Some(within) = settings.answer_within.filter(|_| self.is_led()) else {
            return Ok(());
        };
        for it in seat.machine.workers(now).filter(|it| it.stage == Stage::Ready) {
            let member = seat.checker.alive.get(&it.worker).filter(|it| !it.traced);
            let (Some(member), Some(since)) = (member, self.primary.oldest_offer(it.worker)) else {
                continue;
            };
            let owed = since.max(seat.checker.resumed).max(member.turned) + within;
            // One that may still show that its runtime turns has a second for that.
            let look = settings.examine_within.max(within.min(Duration::from_secs(1)));
            let due = owed.max(member.started + settings.start_deadline) + look;
            ensure(now <= due, Check::T2Hang, || {
                format!("worker {} has owed an answer since {since:?}, until {now:?}", it.worker)
            })?;
        }
        Ok(())
    }

    /// C9: where no reload runs, nothing is open that only earlier generations wanted and nobody holds.
    fn check_left(&self, seat: &CrewSeat) -> Checked {
        if !matches!(seat.machine.phase(), Phase::Running | Phase::Degraded) {
            return Ok(());
        }
        let generation = seat.machine.generation();
        let mut all = self.account.listings();
        let left = all.find(|it| it.1.is_left() && it.1.newest < generation);
        ensure(left.is_none(), Check::C9SocketLife, || {
            format!("{generation} is committed and never asked for {left:?}")
        })
    }
}

/// R1: a slot has what it is said to have; where no reload runs everybody is of one generation.
fn check_generations(seat: &CrewSeat) -> Checked {
    let alive = &seat.checker.alive;
    for it in seat.machine.slots() {
        let SlotState::Held(worker) = it.state else {
            continue;
        };
        let right = alive.get(&worker).is_none_or(|member| member.generation == it.generation);
        ensure(right, Check::R1Verdict, || format!("{it:?} has {:?}", alive.get(&worker)))?;
    }
    if !matches!(seat.machine.phase(), Phase::Running | Phase::Degraded) {
        return Ok(());
    }
    let generation = seat.machine.generation();
    let other = alive.iter().find(|it| !it.1.told && it.1.generation != generation);
    ensure(other.is_none(), Check::R1Verdict, || {
        format!("no reload runs, {generation} is committed, and there is {other:?}")
    })
}

/// R2: two processes of a slot at most, those that leave included; one where two must not meet.
fn check_slots(seat: &CrewSeat) -> Checked {
    let most = 1 + usize::from(seat.checker.settings.overlap);
    let mut of_slot = BTreeMap::new();
    for it in seat.checker.alive.values() {
        *of_slot.entry(it.slot).or_insert(0) += 1;
    }
    let crowded = of_slot.iter().find(|it| *it.1 > most);
    ensure(crowded.is_none(), Check::R2Capacity, || format!("too many of one slot: {crowded:?}"))
}
