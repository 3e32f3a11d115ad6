//! Why a worker is of no use any more, in the words that follow its name.

use std::io;

use portcrew::{RollbackReason as Reason, Worn};
use portcrew_core::primary::Exit;

use crate::output::words::notices;

/// How a process ended.
pub(super) fn how_it_ended(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => notices::exited(code),
        Exit::Signal(signal) => notices::killed_by(signal),
    }
}

/// Why a worker that serves is replaced.
pub(super) fn wear(why: Worn) -> String {
    match why {
        Worn::Age(age) => notices::is_old(age),
        Worn::Connections(count) => notices::was_used(count),
        Worn::Memory(bytes) => notices::is_large(bytes),
    }
}

/// Why the crew counts on a worker no longer.
pub(super) fn how_it_failed(reason: Reason) -> String {
    match reason {
        Reason::Exited(exit) => how_it_ended(exit),
        Reason::Deadline(after) => notices::was_late(after),
        Reason::SpawnFailed => notices::did_not_start(),
        Reason::NotExecutable => notices::is_not_there(),
        Reason::CannotListen(errno) => {
            notices::got_no_listener(&io::Error::from_raw_os_error(errno.0))
        }
        Reason::Left => notices::left(),
        Reason::ProbesFailed(count) => notices::failed_probes(count),
        Reason::Unanswered(wait) => notices::owed_an_answer(wait),
        Reason::SignMissed(wait) => notices::gave_no_sign(wait),
        Reason::NoBeat(wait) => notices::gave_no_beat(wait),
        Reason::Misbehaved => notices::broke_protocol(),
        Reason::Stopped => notices::crew_is_stopped(),
    }
}
