//! Everything that a crew can ask of its shell.

use std::time::Duration;

use crate::primary::Exit;
use crate::{Errno, WorkerId};

/// What is to be done, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use = "an action that nobody performs leaves the machine and the world apart"]
pub enum Action {
    /// Start a worker; answer with [`Spawned`](super::Event::Spawned) or
    /// [`SpawnFailed`](super::Event::SpawnFailed).
    Fork {
        /// For this slot.
        slot: usize,
        /// As this generation was specified: a rollback asks for an older one.
        generation: u64,
    },
    /// Take a worker off its listeners and tell it to leave.
    Disconnect {
        /// Who.
        worker: WorkerId,
    },
    /// Signal a worker.
    Signal {
        /// Who.
        worker: WorkerId,
        /// How.
        force: Force,
    },
    /// Nobody will ask for this generation again: forget how it was specified.
    Forget {
        /// Which.
        generation: u64,
    },
    /// Tell whoever listens.
    Notify(Notice),
    /// The crew has ended. The last action.
    Finished(Outcome),
}

/// How a worker is made to leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// SIGTERM.
    Terminate,
    /// SIGKILL, to its process group.
    Kill,
}

/// News of the crew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A worker does not listen, although its start deadline has passed. It is left running.
    NotListening {
        /// Who.
        worker: WorkerId,
        /// The deadline.
        after: Duration,
    },
    /// A slot's worker is gone and will be replaced.
    Restarting {
        /// Which slot.
        slot: usize,
        /// After this delay.
        delay: Duration,
    },
    /// Too many workers died before they were ready: one at a time is tried from here on.
    Degraded,
    /// A worker is ready again: all slots are filled.
    Recovered,
    /// A reload has begun.
    ReloadStarted {
        /// The generation that is to serve.
        generation: u64,
    },
    /// A slot was replaced.
    ReloadProgress {
        /// Slots done.
        replaced: usize,
        /// Slots in all.
        of: usize,
    },
    /// Every slot was replaced.
    ReloadCommitted {
        /// The generation that serves.
        generation: u64,
    },
    /// The reload failed and the old generation serves.
    RolledBack {
        /// The generation that failed.
        generation: u64,
        /// The worker that failed, if one was started.
        worker: Option<WorkerId>,
        /// Why.
        reason: Reason,
    },
    /// The crew is to have this many workers.
    Resized {
        /// How many.
        workers: usize,
    },
    /// The end has begun.
    Stopping {
        /// Workers that are there.
        workers: usize,
    },
    /// A worker did not leave in time and is made to.
    Forced {
        /// Who.
        worker: WorkerId,
        /// How.
        force: Force,
    },
}

/// Why a new worker was not good enough.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It ended.
    Exited(Exit),
    /// It did not listen in time.
    Deadline(Duration),
    /// It could not be started.
    SpawnFailed,
    /// It could not have its listener.
    CannotListen(Errno),
    /// It broke the protocol too often.
    Misbehaved,
    /// The crew was stopped meanwhile.
    Stopped,
}

/// How a crew ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// As asked, everybody in time.
    Stopped,
    /// As asked, but this many workers had to be made to leave.
    Forced {
        /// How many.
        workers: usize,
    },
    /// Workers died too often before any was ever ready.
    NeverReady {
        /// How the last one ended.
        last: Option<Exit>,
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

impl std::fmt::Display for Outcome {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Stopped => f.write_str("stopped"),
            Self::Forced { workers } => {
                write!(f, "stopped; {workers} workers did not leave in time")
            }
            Self::NeverReady { .. } => f.write_str("workers died too often before any was ready"),
            Self::CannotStart => f.write_str("the program cannot be started"),
            Self::CannotListen { worker, errno } => {
                write!(f, "worker {worker} cannot listen (error {})", errno.0)
            }
        }
    }
}
