//! Everything that can happen to a crew.

use super::Ticket;
use crate::primary::Exit;
use crate::{Errno, WorkerId};

/// What happened, told to [`Crew::handle`](super::Crew::handle).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Begin.
    Start,
    /// The process that was asked for runs.
    Spawned {
        /// By which request.
        ticket: Ticket,
        /// Who it is from now on; never used before.
        worker: WorkerId,
    },
    /// There is no process, and nothing of it is left.
    SpawnFailed {
        /// By which request.
        ticket: Ticket,
        /// Why not.
        failure: SpawnFailure,
    },
    /// A worker said its first word.
    Online {
        /// Who.
        worker: WorkerId,
    },
    /// A worker serves: it has its first listener, or was found ready in another way.
    Ready {
        /// Who.
        worker: WorkerId,
    },
    /// A worker could not get a listener.
    ListenFailed {
        /// Who.
        worker: WorkerId,
        /// Why not.
        errno: Errno,
    },
    /// A worker's channel is closed: it gets no new connection.
    Disconnected {
        /// Who.
        worker: WorkerId,
        /// It was asked to leave, or said that it would.
        planned: bool,
    },
    /// A worker broke the protocol too often; its channel is being closed.
    Misbehaved {
        /// Who.
        worker: WorkerId,
    },
    /// A worker's process was reaped. It is never signalled again.
    Exited {
        /// Who.
        worker: WorkerId,
        /// How.
        status: Exit,
        /// It was asked to leave, or said that it would.
        planned: bool,
    },
    /// The user wants more workers, or fewer.
    Scale(Scale),
    /// The user wants every worker replaced by one of a new generation.
    Reload,
    /// The user wants the crew to end. Said again it means [`StopNow`](Self::StopNow).
    Stop,
    /// The user wants the crew to end without waiting.
    StopNow,
}

/// How many workers are wanted: never fewer than one, never more than
/// [`Settings::most_workers`](super::Settings::most_workers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// So many more, or fewer.
    By(isize),
    /// So many.
    To(usize),
}

/// Why a process could not be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpawnFailure {
    /// There is no such program. Another try would find none either.
    NotFound,
    /// It is there and cannot be executed. Another try would meet the same.
    NotExecutable,
    /// Something ran out or failed (processes, memory, descriptors): another try may succeed.
    Resource,
}
