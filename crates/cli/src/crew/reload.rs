//! The reload as the command follows it: since when, how far, and what is said about its verdict.

use std::io;
use std::time::{Duration, Instant};

use portcrew::{RollbackReason, WorkerId};

use super::hear::how_it_ended;
use crate::output::words::notices;

/// A reload that is under way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reload {
    since: Instant,
    /// Slots replaced so far.
    pub(super) replaced: usize,
}

impl Reload {
    pub(super) fn begun() -> Self {
        Self { since: Instant::now(), replaced: 0 }
    }

    pub(super) fn took(self) -> Duration {
        self.since.elapsed()
    }

    /// What another wish for a reload comes to.
    pub(super) fn asked_again(self) -> String {
        if self.replaced == 0 { notices::reload_merged() } else { notices::reload_again() }
    }
}

/// Why a reload was rolled back, in words.
pub(super) fn reason(worker: Option<WorkerId>, reason: RollbackReason) -> String {
    let Some(worker) = worker else {
        return match reason {
            RollbackReason::Stopped => notices::why_stopped(),
            RollbackReason::SpawnFailed
            | RollbackReason::Exited(_)
            | RollbackReason::Deadline(_)
            | RollbackReason::CannotListen(_)
            | RollbackReason::Misbehaved => notices::why_not_started(),
        };
    };
    match reason {
        RollbackReason::Exited(exit) => notices::why_exited(&worker, &how_it_ended(exit)),
        RollbackReason::Deadline(after) => notices::why_late(&worker, after),
        RollbackReason::SpawnFailed => notices::why_not_started(),
        RollbackReason::CannotListen(errno) => {
            notices::why_no_listener(&worker, &io::Error::from_raw_os_error(errno.0))
        }
        RollbackReason::Misbehaved => notices::why_misbehaved(&worker),
        RollbackReason::Stopped => notices::why_stopped(),
    }
}

/// Whether the worker's process has ended, so that nothing more comes from it.
pub(super) fn has_ended(reason: RollbackReason) -> bool {
    match reason {
        RollbackReason::Exited(_) | RollbackReason::CannotListen(_) => true,
        RollbackReason::Deadline(_)
        | RollbackReason::SpawnFailed
        | RollbackReason::Misbehaved
        | RollbackReason::Stopped => false,
    }
}
