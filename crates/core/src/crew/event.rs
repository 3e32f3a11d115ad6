//! Everything that can happen to a crew.

use crate::primary::Exit;
use crate::{Errno, WorkerId};

/// What happened, told to [`Crew::handle`](super::Crew::handle).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Begin: fill the slots.
    Start,
    /// The process that [`Action::Fork`](super::Action::Fork) asked for was started.
    Spawned {
        /// The slot of the fork.
        slot: usize,
        /// The generation of the fork.
        generation: u64,
        /// Who it is.
        worker: WorkerId,
    },
    /// It could not be started.
    SpawnFailed {
        /// The slot of the fork.
        slot: usize,
        /// The generation of the fork.
        generation: u64,
        /// Trying again cannot help: the program is not there or cannot be executed.
        permanent: bool,
    },
    /// A worker said its first word.
    Online {
        /// Who.
        worker: WorkerId,
    },
    /// A worker is ready: it listens.
    Ready {
        /// Who.
        worker: WorkerId,
    },
    /// A worker could not have the listener that it asked for.
    CannotListen {
        /// Who.
        worker: WorkerId,
        /// Why not.
        errno: Errno,
    },
    /// A worker broke the protocol too often; its channel is closed.
    Misbehaved {
        /// Who.
        worker: WorkerId,
    },
    /// A worker's process has ended.
    Exited {
        /// Who.
        worker: WorkerId,
        /// How.
        status: Exit,
        /// It left by its own will and said so.
        planned: bool,
    },
    /// The user wants this many workers. 0 is taken for 1.
    Resize {
        /// How many.
        workers: usize,
    },
    /// The user wants every worker replaced.
    Reload,
    /// The user wants the end. Said again it is [`StopNow`](Self::StopNow).
    Stop,
    /// The user wants the end at once.
    StopNow,
}
