//! Everything that can happen to a crew.

use super::{Found, Ticket};
use crate::primary::Exit;
use crate::{Errno, Time, WorkerId};

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
        /// Trying again cannot help: the program is not there or cannot be executed.
        permanent: bool,
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
    /// A probe of a worker has come to its end. The first that is answered makes the worker ready.
    Probed {
        /// Who.
        worker: WorkerId,
        /// When it began.
        began: Time,
        /// Whether it was answered as wanted.
        answered: bool,
    },
    /// A worker has not answered a connection that it was offered. Only needed as the answer to
    /// [`Action::SeeAnswers`](super::Action::SeeAnswers).
    Owes {
        /// Who.
        worker: WorkerId,
        /// Since when: the oldest such connection.
        since: Time,
    },
    /// A worker said that it is alive.
    Sign {
        /// Who.
        worker: WorkerId,
    },
    /// A worker said that it understands [`Action::AskForBeat`](super::Action::AskForBeat). Of others no beat is
    /// expected.
    Beats {
        /// Who.
        worker: WorkerId,
    },
    /// A worker's runtime turns: it answered when it was asked. Or the shell could not ask it, of which nobody is to
    /// be blamed.
    Beat {
        /// Who.
        worker: WorkerId,
    },
    /// What a worker is doing that seems to hang: the answer to [`Action::Examine`](super::Action::Examine).
    Examined {
        /// Who.
        worker: WorkerId,
        /// What.
        found: Found,
        /// Since when it owes an answer by now, as with [`Owes`](Self::Owes).
        owes: Option<Time>,
    },
    /// A worker could not get a listener.
    CannotListen {
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
    /// A worker has taken so many connections since its start. Only needed with
    /// [`Settings::max_connections`](super::Settings::max_connections), and once it has reached that.
    Used {
        /// Who.
        worker: WorkerId,
        /// How many.
        connections: u64,
    },
    /// A worker has so much memory of its own. Only needed with [`Settings::max_memory`](super::Settings::max_memory),
    /// from time to time.
    Memory {
        /// Who.
        worker: WorkerId,
        /// How much.
        bytes: u64,
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
    /// The user wants this many workers: never fewer than one, never more than
    /// [`Settings::most_workers`](super::Settings::most_workers).
    Resize {
        /// How many.
        workers: usize,
    },
    /// The user wants so many more workers, or fewer, within the same bounds.
    Scale {
        /// The difference.
        by: isize,
    },
    /// The user wants every worker replaced by one of a new generation.
    Reload,
    /// The user wants the crew to end. Said again it means [`StopNow`](Self::StopNow).
    Stop,
    /// The user wants the crew to end without waiting.
    StopNow,
}
