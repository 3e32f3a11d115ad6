//! The crew at one moment.

use portcrew_core::Time;
use portcrew_core::supervise::{Crew, Generation, Phase, SlotView, WorkerView};

use super::crew::CrewSeat;

/// A crew at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct CrewSnapshot {
    /// What it is about.
    pub phase: Phase,
    /// How many workers are wanted.
    pub wanted: usize,
    /// How many serve and are not leaving.
    pub ready: usize,
    /// The generation that was committed last.
    pub generation: Generation,
    /// The slots, in order. None when the crew is being ended.
    pub slots: Vec<SlotView>,
    /// The workers that were not reaped yet, by id.
    pub workers: Vec<WorkerView>,
}

impl CrewSeat {
    pub(super) fn snapshot(&self, now: Time) -> Option<CrewSnapshot> {
        self.machine().map(|crew| look(crew, now))
    }
}

fn look(crew: &Crew, now: Time) -> CrewSnapshot {
    CrewSnapshot {
        phase: crew.phase(),
        wanted: crew.wanted(),
        ready: crew.ready_workers(),
        generation: crew.generation(),
        slots: crew.slots().collect(),
        workers: crew.workers(now).collect(),
    }
}
