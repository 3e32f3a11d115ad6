//! Everything that a crew can ask of its shell.

use std::fmt;
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
        /// What to start. The shell keeps what a generation was started with until it is told to
        /// [`Forget`](Self::Forget) it: a rollback starts it again.
        generation: Generation,
    },
    /// Take a worker off the listeners and tell it to leave.
    Disconnect {
        /// Who.
        worker: WorkerId,
    },
    /// Take a worker off the listeners and tell it to leave by the text that was agreed on.
    Text {
        /// Who.
        worker: WorkerId,
    },
    /// Take a worker off the listeners, if it is on any, and tell it to leave by the signal that was agreed on; by
    /// SIGTERM, or the program's own, where none was and it speaks no channel. What it asks for later it does not get.
    DrainSignal {
        /// Who.
        worker: WorkerId,
    },
    /// Send a signal. Never asked for a worker that was told as exited.
    Signal {
        /// To whom.
        worker: WorkerId,
        /// How.
        force: Force,
    },
    /// Tell at once by [`Event::Owes`](super::Event::Owes) which workers owe an answer, and since when. Those of which a
    /// debugger may be the cause are left out.
    SeeAnswers,
    /// Ask a worker whether its runtime turns. Its answer is [`Event::Beat`](super::Event::Beat).
    AskForBeat {
        /// Whom.
        worker: WorkerId,
    },
    /// Find out what a worker is doing that seems to hang, and answer with [`Event::Examined`](super::Event::Examined).
    /// Nothing is done to it before, for [`Settings::examine_within`](super::Settings::examine_within) at most.
    Examine {
        /// Whom.
        worker: WorkerId,
    },
    /// Nothing of this generation is asked for again: forget what it was started with.
    Forget {
        /// Which.
        generation: Generation,
    },
    /// Tell whoever listens.
    Notify(Notice),
    /// The crew has ended, in this way. Comes once, and nothing after it.
    Finished(Outcome),
}

/// How a worker is made to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// SIGTERM, or the program's own: to the worker.
    Terminate,
    /// The same to one that hangs, or a signal by which such a one says more of itself.
    Report,
    /// SIGKILL: to its whole process group.
    Kill,
}

/// What a worker that hangs was found to be: what that means for the way to end it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It runs or waits, so it may hear a signal; or nothing is known of it.
    Able,
    /// It is stopped: nothing reaches it but SIGKILL.
    Stopped,
    /// Somebody debugs it.
    Traced,
}

/// How a crew ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// As asked, everybody in time.
    Stopped,
    /// As asked, but this many workers had to be killed.
    Forced {
        /// How many.
        workers: usize,
    },
    /// Workers died too often before any had started properly.
    NeverReady {
        /// How the last one ended; none when it could not be started.
        last: Option<Exit>,
    },
    /// Workers died too often, and the crew was not to try on.
    DiedTooOften {
        /// How the last one ended; none when it could not be started.
        last: Option<Exit>,
    },
    /// Every worker ended with a code after which [it is not replaced](super::Settings::stop_exit_codes).
    Retired {
        /// That of the last.
        code: i32,
    },
    /// The program cannot be started.
    CannotStart,
    /// The address that a worker asked for belongs to somebody else, or is not allowed.
    CannotListen {
        /// Who asked.
        worker: WorkerId,
        /// Why not.
        errno: Errno,
    },
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped"),
            Self::Forced { workers } => write!(f, "stopped; {workers} workers had to be killed"),
            Self::NeverReady { .. } => f.write_str("workers died too often before any had started"),
            Self::DiedTooOften { .. } => f.write_str("workers died too often"),
            Self::Retired { code } => {
                write!(f, "every worker has ended for good, the last with status {code}")
            }
            Self::CannotStart => f.write_str("the program cannot be started"),
            Self::CannotListen { worker, errno } => {
                write!(f, "worker {worker} cannot listen (error {})", errno.0)
            }
        }
    }
}

/// Why a worker is of no use (any more).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It ended without being asked.
    Exited(Exit),
    /// It was not ready in time.
    Deadline(Duration),
    /// It could not be started, for want of a resource or for another cause that may pass.
    SpawnFailed,
    /// It could not be started: its program, or what belongs to it, is not there (any more) or cannot be executed.
    NotExecutable,
    /// It could not have its listener.
    CannotListen(Errno),
    /// It closed its channel.
    Left,
    /// So many of its probes failed in a row.
    ProbesFailed(u32),
    /// It owed an answer to a connection for so long.
    Unanswered(Duration),
    /// It gave no sign of life for so long.
    SignMissed(Duration),
    /// It was asked whether its runtime turns, and has not answered for so long.
    NoBeat(Duration),
    /// It broke the protocol too often.
    Misbehaved,
    /// The crew was stopped meanwhile.
    Stopped,
}

/// Why a worker that serves is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Worn {
    /// It has lived for so long.
    Age(Duration),
    /// It has taken so many connections.
    Connections(u64),
    /// It has so many bytes of memory of its own.
    Memory(u64),
}

/// What users of a crew are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A worker is ready, by something else than that it listens ([`Readiness::Told`](super::Readiness::Told),
    /// [`Readiness::Age`](super::Readiness::Age)). Where listening is what counts, that is told already, and not again.
    Ready {
        /// Who.
        worker: WorkerId,
    },
    /// A worker is not ready within the start deadline. Said once of each worker, which is left running:
    /// a program may never listen.
    NotListening {
        /// Who.
        worker: WorkerId,
        /// The deadline.
        after: Duration,
    },
    /// A worker serves nobody any more, for this reason. One that is able gets [`Force::Report`], one that is stopped is
    /// killed; either is replaced. One that is traced is left alone, with the connections that it has: said once, until
    /// it has shown life again.
    Hangs {
        /// Who.
        worker: WorkerId,
        /// How that was noticed.
        reason: Reason,
        /// What it was found to be.
        found: Found,
    },
    /// A slot has lost its worker and gets another.
    Restarting {
        /// Which.
        slot: SlotId,
        /// Why.
        reason: Reason,
        /// After how long.
        delay: Duration,
        /// Failures in a row; 0 for a worker that left by its own will.
        streak: u32,
    },
    /// Starts have failed too often: one worker at a time is tried from now on.
    Degraded,
    /// A degraded crew will try this slot, alone.
    Canary {
        /// Which.
        slot: SlotId,
        /// After how long.
        delay: Duration,
    },
    /// A worker has started: the crew fills its slots again.
    Recovered,
    /// A worker is worn: it serves on until its successor is ready, or, where two of a slot must not meet, leaves now.
    Recycling {
        /// Whose place.
        slot: SlotId,
        /// The worker.
        worker: WorkerId,
        /// Why.
        why: Worn,
    },
    /// A worn worker has its successor.
    Recycled {
        /// In which slot.
        slot: SlotId,
        /// The old worker.
        worker: WorkerId,
    },
    /// The successor of a worn worker was of no use: the worker serves on, and another successor is tried later.
    NotRecycled {
        /// In which slot.
        slot: SlotId,
        /// The old worker.
        worker: WorkerId,
        /// The one that failed; none when it could not be started.
        newcomer: Option<WorkerId>,
        /// Why.
        reason: Reason,
    },
    /// A worker ended with a code after which it is not replaced. A reload tries its slot again.
    Retired {
        /// Whose place.
        slot: SlotId,
        /// The worker.
        worker: WorkerId,
        /// The code.
        code: i32,
    },
    /// A reload has begun.
    ReloadStarted {
        /// What it replaces the workers with.
        generation: Generation,
    },
    /// A reload was asked for while another runs. The verdict on this generation answers it.
    ReloadMerged {
        /// The running one's, or the next one's when the running one has started workers already.
        generation: Generation,
    },
    /// A new worker has taken its slot, and the old one was told to leave.
    ReloadProgress {
        /// Of which reload.
        generation: Generation,
        /// Which slot.
        slot: SlotId,
        /// Slots replaced so far.
        replaced: usize,
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
        reason: Reason,
    },
    /// The verdict: only workers of this generation are left.
    ReloadCommitted {
        /// Which reload.
        generation: Generation,
    },
    /// The old program does not start again in this slot of a reload that is being undone. Its restarts go on as after
    /// any failure. Old workers that still run are not touched.
    NotRestored {
        /// What should have been restored.
        generation: Generation,
        /// Where.
        slot: SlotId,
        /// Why not.
        reason: Reason,
    },
    /// The verdict: this generation is gone, and the one before it has its slots; or the crew is being
    /// ended ([`Reason::Stopped`]), and nobody has.
    RolledBack {
        /// Which reload.
        generation: Generation,
        /// The worker that failed; none when it could not be started.
        worker: Option<WorkerId>,
        /// Why.
        reason: Reason,
        /// Slots where the old program did not start again, each told by [`NotRestored`](Self::NotRestored).
        unrestored: usize,
    },
    /// So many workers are wanted from now on.
    Resized {
        /// How many.
        workers: usize,
    },
    /// The crew is being ended.
    Stopping {
        /// Processes that are to end.
        workers: usize,
    },
    /// A worker did not leave in time and is made to.
    Forced {
        /// Who.
        worker: WorkerId,
        /// How.
        force: Force,
    },
    /// A killed worker was not reaped in time. Nothing more can be done to it: it is waited for no longer.
    Unkillable {
        /// Who.
        worker: WorkerId,
    },
}
