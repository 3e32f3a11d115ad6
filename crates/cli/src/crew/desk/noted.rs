//! What of an event the desk takes note of, before the event itself is used up.

use portcrew::{CrewNotice, Event, Found, RollbackReason, WorkerId};

use crate::crew::causes::{how_it_ended, how_it_failed};
use crate::crew::hear::exit_of;
use crate::output::words::hung;

/// The part of an event that matters here.
#[derive(Debug)]
pub(in crate::crew) enum Noted {
    Forked {
        worker: WorkerId,
        pid: u32,
    },
    /// The primary listens there for workers that say nothing.
    Opened {
        address: String,
    },
    Listening {
        worker: WorkerId,
        address: String,
    },
    /// It ended as it was asked to.
    Gone {
        worker: WorkerId,
    },
    /// It ended, and nobody had asked.
    Lost {
        worker: WorkerId,
        how: String,
    },
    /// It hangs, and this is what it was doing; `left` alone, because somebody debugs it.
    Hangs {
        worker: WorkerId,
        how: String,
        left: bool,
    },
    /// So many connections were open in one that ended.
    DiedInside {
        worker: WorkerId,
        open: Option<u32>,
    },
    Crew(CrewNotice),
    /// Events were dropped, verdicts perhaps among them.
    Lagged,
    Nothing,
}

impl Noted {
    pub(in crate::crew) fn of(event: &Event) -> Self {
        match event {
            Event::Fork { worker, process } => Self::Forked { worker: *worker, pid: process.pid() },
            Event::Opened { address, .. } => Self::Opened { address: address.to_string() },
            Event::Listening { worker, address } | Event::SelfBound { worker, address } => {
                Self::Listening { worker: *worker, address: address.to_string() }
            }
            Event::Hangs { worker, reason, found, diagnosis, .. } => Self::Hangs {
                worker: *worker,
                how: hung::hangs(&how_it_failed(*reason), diagnosis),
                left: *found == Found::Traced,
            },
            Event::Exit { worker, planned: true, .. } => Self::Gone { worker: *worker },
            Event::Exit { worker, status, planned: false } => {
                Self::Lost { worker: *worker, how: how_it_ended(exit_of(*status)) }
            }
            Event::DiedInside { worker, open, planned: _ } => {
                Self::DiedInside { worker: *worker, open: *open }
            }
            Event::Crew(notice) => Self::Crew(*notice),
            Event::Lagged { .. } => Self::Lagged,
            // No cause and no fact that is not in a snapshot.
            _ => Self::Nothing,
        }
    }
}

/// The name of a reason in counts.
pub(super) fn reason(reason: RollbackReason) -> &'static str {
    match reason {
        RollbackReason::Exited(portcrew::Exit::Code(_)) => "exited",
        RollbackReason::Exited(portcrew::Exit::Signal(_)) => "killed",
        RollbackReason::Deadline(_) => "deadline",
        RollbackReason::SpawnFailed => "spawn_failed",
        RollbackReason::NotExecutable => "not_executable",
        RollbackReason::CannotListen(_) => "cannot_listen",
        RollbackReason::Left => "left",
        RollbackReason::ProbesFailed(_) => "probes_failed",
        RollbackReason::Unanswered(_) => "unanswered",
        RollbackReason::SignMissed(_) => "sign_missed",
        RollbackReason::NoBeat(_) => "no_beat",
        RollbackReason::Misbehaved => "misbehaved",
        RollbackReason::Stopped => "stopped",
    }
}
