//! One place of a crew: who has it, and what its restarts have cost.

use std::collections::VecDeque;
use std::time::Duration;

use super::life::Occupant;
use super::{Generation, Settings, SlotId};
use crate::{Backoff, Time};

/// A slot's record.
#[derive(Debug)]
pub(super) struct Slot {
    /// What its next worker is started with.
    pub(super) generation: Generation,
    pub(super) seat: Seat,
    /// Delays after workers that never started.
    pub(super) starting: Backoff,
    /// Delays after workers that served, but not for long.
    pub(super) serving: Backoff,
    pub(super) failures: Failures,
    /// Processes asked for so far.
    pub(super) forks: u64,
}

/// Who has a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seat {
    /// Nobody: a process is to be asked for as soon as there is room.
    Vacant,
    /// Nobody: its worker was sent away for a newcomer on trial.
    Cleared,
    /// Nobody until the slot's restart is due.
    Waiting,
    /// Nobody until a degraded crew has found out that its program starts.
    Parked,
    /// Nobody any more: its worker ended with a code that asks for that. A reload tries it again.
    Retired,
    /// Somebody.
    Taken(Occupant),
}

impl Slot {
    pub(super) const fn new(
        id: SlotId,
        generation: Generation,
        seat: Seat,
        settings: &Settings,
    ) -> Self {
        // Slots that fail together must not be started together.
        let seed = settings.seed.wrapping_add(id.0 as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let first = settings.restart_first;
        Self {
            generation,
            seat,
            starting: Backoff::new(first, settings.restart_cap, seed),
            serving: Backoff::new(first, settings.served_cap, seed),
            failures: Failures::new(),
            forks: 0,
        }
    }

    /// Its program starts: what failed before counts no more.
    pub(super) fn forgive_starts(&mut self) {
        self.starting.reset();
        self.failures.forget();
    }
}

/// Failed starts within a window.
#[derive(Debug, Default)]
pub(super) struct Failures(VecDeque<Time>);

impl Failures {
    pub(super) const fn new() -> Self {
        Self(VecDeque::new())
    }

    /// Counts one more. Keeps no more than it takes to see that `budget` is exceeded.
    pub(super) fn note(&mut self, now: Time, budget: usize) {
        self.0.push_back(now);
        while self.0.len() > budget.saturating_add(1) {
            self.0.pop_front();
        }
    }

    /// More than `budget` within the last `window`.
    pub(super) fn exceed(&self, now: Time, window: Duration, budget: usize) -> bool {
        let recent = self.0.iter().filter(|at| now - **at < window);
        recent.count() > budget
    }

    pub(super) fn forget(&mut self) {
        self.0.clear();
    }
}
