//! A crew at one moment, for those who look at it.

use std::time::Duration;

use super::crew::{Crew, Health, State};
use super::life::{Life, Occupant, Progress};
use super::reload::Reload;
use super::slot::Seat;
use super::{Generation, SlotId};
use crate::{Time, WorkerId};

/// What a crew is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It was not begun.
    Idle,
    /// It keeps its slots filled.
    Running,
    /// Its starts fail: it tries one at a time.
    Degraded,
    /// It replaces its workers by those of this generation.
    Reloading(Generation),
    /// It undoes the reload of this generation.
    RollingBack(Generation),
    /// It is being ended.
    Stopping,
    /// It has ended.
    Finished,
}

/// A slot at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SlotView {
    /// Which.
    pub slot: SlotId,
    /// What its workers are started with.
    pub generation: Generation,
    /// Who has it.
    pub state: SlotState,
    /// Processes that were asked for after the first.
    pub restarts: u64,
}

/// Who has a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SlotState {
    /// Nobody: it waits its turn to be started, or for its newcomer to be ready.
    Vacant,
    /// Nobody: it waits after a failure.
    BackingOff,
    /// Nobody, until another slot of the degraded crew has started.
    Parked,
    /// Nobody any more, until the next reload: its worker ended with a code that asks for that.
    Retired,
    /// A process that was asked for.
    Starting,
    /// This worker.
    Held(WorkerId),
}

/// A worker at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerView {
    /// Who.
    pub worker: WorkerId,
    /// Its place: its slot may have another worker already.
    pub slot: SlotId,
    /// What it was started with.
    pub generation: Generation,
    /// How far its life has come.
    pub stage: Stage,
    /// How long it has lived.
    pub age: Duration,
}

/// How far a worker's life has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its process runs.
    Spawned,
    /// It speaks.
    Online,
    /// It serves.
    Ready,
    /// It is leaving, or being made to.
    Draining,
}

impl Crew {
    /// What the crew is about.
    #[must_use]
    pub const fn phase(&self) -> Phase {
        match (self.state, self.reload) {
            (State::Idle, _) => Phase::Idle,
            (State::Stopping(_), _) => Phase::Stopping,
            (State::Finished, _) => Phase::Finished,
            (State::Running(_), Reload::Forward(it)) => Phase::Reloading(it.to),
            (State::Running(_), Reload::Back(it, _)) => Phase::RollingBack(it.to),
            (State::Running(Health::Sound), Reload::None) => Phase::Running,
            (State::Running(Health::Degraded), Reload::None) => Phase::Degraded,
        }
    }

    /// How many workers are wanted.
    #[must_use]
    pub const fn wanted(&self) -> usize {
        self.wanted
    }

    /// How many workers serve and are not leaving.
    #[must_use]
    pub fn ready_workers(&self) -> usize {
        self.workers.values().filter(|it| it.is_ready()).count()
    }

    /// The generation that was committed last.
    #[must_use]
    pub const fn generation(&self) -> Generation {
        self.generation
    }

    /// The slots, in order. None when the crew is being ended.
    pub fn slots(&self) -> impl Iterator<Item = SlotView> + '_ {
        self.slots.iter().map(|(id, slot)| SlotView {
            slot: *id,
            generation: slot.generation,
            state: match slot.seat {
                Seat::Vacant | Seat::Cleared => SlotState::Vacant,
                Seat::Waiting => SlotState::BackingOff,
                Seat::Parked => SlotState::Parked,
                Seat::Retired => SlotState::Retired,
                Seat::Taken(Occupant::Asked(_)) => SlotState::Starting,
                Seat::Taken(Occupant::Held(worker)) => SlotState::Held(worker),
            },
            restarts: slot.forks.saturating_sub(1),
        })
    }

    /// The workers that were not reaped yet, by id.
    pub fn workers(&self, now: Time) -> impl Iterator<Item = WorkerView> + '_ {
        self.workers.iter().map(move |(id, it)| WorkerView {
            worker: *id,
            slot: it.slot,
            generation: it.generation,
            stage: match it.life {
                Life::Up(Progress::Silent) => Stage::Spawned,
                Life::Up(Progress::Online) => Stage::Online,
                Life::Up(Progress::Ready(_)) => Stage::Ready,
                Life::Cut(_) | Life::Ending(_) => Stage::Draining,
            },
            age: it.age(now),
        })
    }
}
