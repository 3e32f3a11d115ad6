//! Everything that a crew can ask of its shell.

use std::time::Duration;

use super::{Generation, SlotId, Ticket};
use crate::primary::Exit;
use crate::{Errno, WorkerId};

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an action that nobody performs leaves the machine and the world apart"]
pub enum Action {
    /// Start a process and answer with [`Event::Spawned`](super::Event::Spawned) or
    /// [`Event::SpawnFailed`](super::Event::SpawnFailed), after this list is performed.
    Fork {
        /// The request's number.
        ticket: Ticket,
        /// Its place.
        slot: SlotId,
        /// What to start. The shell keeps what a generation was started with until the reload that
        /// replaces it was told as committed: a rollback starts it again.
        generation: Generation,
    },
    /// Take a worker off the listeners and tell it to leave.
    Disconnect {
        /// Who.
        worker: WorkerId,
    },
    /// Send a signal. Never asked for a worker that was told as exited.
    Signal {
        /// To whom.
        worker: WorkerId,
        /// Which.
        signal: Signal,
    },
    /// Tell whoever listens.
    Notify(Notice),
    /// The crew has ended, in this way. Comes once, and nothing after it.
    Finished(Outcome),
}

/// How a worker is made to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGTERM, or the program's own: to the worker.
    Terminate,
    /// SIGKILL: to its whole process group.
    Kill,
}

/// How a crew ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was asked to, and every worker left in time.
    Stopped,
    /// It was asked to, and workers had to be killed.
    Forced {
        /// How many.
        killed: usize,
    },
    /// Its workers died too often, or could not be started.
    Failed {
        /// The last of the causes.
        cause: Cause,
    },
    /// The address that its workers want belongs to another process.
    AddressInUse {
        /// The worker that asked for it.
        worker: WorkerId,
    },
}

/// Why a worker is of no use (any more).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// There is no such program.
    NotFound,
    /// The program cannot be executed.
    NotExecutable,
    /// Something that a new process needs ran out.
    NoResource,
    /// It ended without being asked.
    Exited(Exit),
    /// It could not get a listener.
    CannotListen(Errno),
    /// It was not ready in time.
    NotReady,
    /// It closed its channel.
    Left,
    /// It broke the protocol too often.
    Misbehaved,
}

/// What users of a crew are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A worker is not ready within the start deadline. Said once of each worker, which is left running:
    /// a program may never listen.
    StartDeadlinePassed {
        /// Who.
        worker: WorkerId,
        /// Its place.
        slot: SlotId,
    },
    /// A slot has lost its worker and gets another.
    Restarting {
        /// Which.
        slot: SlotId,
        /// Why.
        cause: Cause,
        /// After how long.
        delay: Duration,
        /// Failures in a row; 0 for a worker that left by its own will.
        streak: u32,
    },
    /// Starts have failed too often: one worker at a time is tried from now on.
    Degraded {
        /// The last of the causes.
        cause: Cause,
    },
    /// A worker has started: the crew fills its slots again.
    Recovered,
    /// A reload has begun.
    ReloadStarted {
        /// What it replaces the workers with.
        generation: Generation,
    },
    /// A reload was asked for while another runs. The verdict on this generation answers it.
    ReloadMerged {
        /// The running one's, or the next one's when workers were replaced already.
        generation: Generation,
    },
    /// A new worker has taken its slot, and the old one was told to leave.
    ReloadProgress {
        /// Of which reload.
        generation: Generation,
        /// Which slot.
        slot: SlotId,
        /// Slots replaced so far.
        done: usize,
        /// Of how many.
        of: usize,
    },
    /// A new worker was of no use: what was replaced is being restored.
    ReloadFailed {
        /// Which reload.
        generation: Generation,
        /// Whose place it was to take.
        slot: SlotId,
        /// The worker; none when it could not be started.
        worker: Option<WorkerId>,
        /// Why.
        cause: Cause,
    },
    /// The verdict: only workers of this generation are left.
    ReloadCommitted {
        /// Which reload.
        generation: Generation,
    },
    /// The verdict: this generation is gone, and the one before it has its slots.
    ReloadRolledBack {
        /// Which reload.
        generation: Generation,
        /// The worker that failed; none when it could not be started.
        worker: Option<WorkerId>,
        /// Why.
        cause: Cause,
    },
    /// The verdict: the crew is being ended, so nothing became of it.
    ReloadAbandoned {
        /// Which reload.
        generation: Generation,
    },
    /// So many workers are wanted from now on.
    ScaledTo {
        /// How many.
        workers: usize,
    },
    /// The crew is being ended.
    Stopping {
        /// Processes that are to end.
        workers: usize,
        /// They are killed.
        at_once: bool,
    },
    /// A killed worker was not reaped in time. Nothing more can be done to it: it is waited for no longer.
    Unkillable {
        /// Who.
        worker: WorkerId,
    },
}
