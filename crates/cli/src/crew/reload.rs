//! The reload as the command follows it: which, since when, and what is said about its verdict.

use std::fmt::Display;
use std::time::{Duration, Instant};

use portcrew::{RollbackReason, WorkerId};
use portcrew_core::supervise::Generation;

use super::causes::how_it_failed;
use crate::output::words::notices;

/// A reload that is under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reload {
    since: Instant,
    pub(super) generation: Generation,
}

impl Reload {
    pub(super) fn begun(generation: Generation) -> Self {
        Self { since: Instant::now(), generation }
    }

    pub(super) fn took(self) -> Duration {
        self.since.elapsed()
    }
}

/// Why a reload was rolled back, in words.
pub(crate) fn verdict(worker: Option<WorkerId>, reason: RollbackReason) -> String {
    match reason {
        RollbackReason::Stopped => notices::crew_is_stopped(),
        reason => {
            let worker = worker.as_ref().map(|it| it as &dyn Display);
            notices::new_worker(worker, &how_it_failed(reason))
        }
    }
}

/// Whether the worker's process has ended, so that nothing more comes from it.
pub(super) fn has_ended(reason: RollbackReason) -> bool {
    match reason {
        RollbackReason::Exited(_) | RollbackReason::CannotListen(_) => true,
        RollbackReason::Deadline(_)
        | RollbackReason::SpawnFailed
        | RollbackReason::NotExecutable
        | RollbackReason::Left
        | RollbackReason::ProbesFailed(_)
        | RollbackReason::Unanswered(_)
        | RollbackReason::SignMissed(_)
        | RollbackReason::NoBeat(_)
        | RollbackReason::Misbehaved
        | RollbackReason::Stopped => false,
    }
}
