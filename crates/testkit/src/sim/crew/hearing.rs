//! Names of what the crew's machine says, for the list of what was met.

use portcrew_core::supervise::{Found, Notice, Outcome, Reason};

pub(super) const fn name(notice: &Notice) -> &'static str {
    match notice {
        Notice::NotListening { .. } => "crew: not ready in time",
        Notice::Restarting { reason, .. } => name_of_reason(*reason),
        Notice::Hangs { found: Found::Able, .. } => "crew: hangs, and may hear",
        Notice::Hangs { found: Found::Stopped, .. } => "crew: hangs, and is stopped",
        Notice::Hangs { found: Found::Traced, .. } => "crew: hangs, and is debugged",
        Notice::Degraded => "crew: degraded",
        Notice::Canary { .. } => "crew: canary",
        Notice::Recovered => "crew: recovered",
        Notice::Recycling { .. } => "crew: recycling",
        Notice::Recycled { .. } => "crew: recycled",
        Notice::NotRecycled { .. } => "crew: not recycled",
        Notice::ReloadStarted { .. } => "reload: started",
        Notice::ReloadMerged { .. } => "reload: asked for during a reload",
        Notice::ReloadProgress { .. } => "reload: a slot replaced",
        Notice::ReloadFailed { reason, .. } => name_of_failure(*reason),
        Notice::ReloadCommitted { .. } => "reload: committed",
        Notice::NotRestored { .. } => "reload: not restored",
        Notice::RolledBack { reason: Reason::Stopped, .. } => "reload: overtaken by the end",
        Notice::RolledBack { .. } => "reload: rolled back",
        Notice::Resized { .. } => "crew: resized",
        Notice::Stopping { .. } => "crew: stopping",
        Notice::Forced { .. } => "crew: forced",
        Notice::Unkillable { .. } => "crew: unkillable",
        Notice::Ready { .. } | Notice::Retired { .. } => "crew: not drawn here",
        _ => "crew: other",
    }
}

const fn name_of_reason(reason: Reason) -> &'static str {
    match reason {
        Reason::Unanswered(_) => "crew: hung, by what it owes",
        Reason::SignMissed(_) => "crew: hung, by its signs of life",
        Reason::NoBeat(_) => "crew: hung, by its beat",
        Reason::SpawnFailed => "crew: restarts what could not be started",
        Reason::Misbehaved => "crew: restarts who misbehaved",
        _ => "crew: restarts",
    }
}

const fn name_of_failure(reason: Reason) -> &'static str {
    match reason {
        Reason::Exited(_) => "reload failed: exited",
        Reason::Deadline(_) => "reload failed: not ready in time",
        Reason::SpawnFailed => "reload failed: not started",
        Reason::NotExecutable => "reload failed: nothing to execute",
        Reason::CannotListen(_) => "reload failed: cannot listen",
        _ => "reload failed: otherwise",
    }
}

pub(super) const fn name_of_end(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Stopped => "end: stopped",
        Outcome::Forced { .. } => "end: forced",
        Outcome::NeverReady { .. } => "end: never ready",
        Outcome::DiedTooOften { .. } => "end: died too often",
        Outcome::CannotStart => "end: cannot start",
        Outcome::CannotListen { .. } => "end: cannot listen",
        _ => "end: otherwise",
    }
}
