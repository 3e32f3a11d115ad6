//! Everything that can happen to a worker.

use crate::{ConnId, Key, ListenerId, Query, Seq, ServerId, ToWorker};

/// What happened, told to [`Worker::handle`](super::Worker::handle).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The channel is claimed.
    Started {
        /// A lane came with it.
        lane: bool,
    },
    /// The user wants to listen.
    Listen {
        /// The number it has on this side.
        server: ServerId,
        /// What is wanted; `index` is filled in by the machine.
        query: Query,
    },
    /// The primary spoke.
    Message {
        /// What it said.
        message: ToWorker,
    },
    /// The primary offers a connection.
    Offered {
        /// The offer's number.
        seq: Seq,
        /// For whom.
        carrier: Carrier,
        /// Which; `None` when its descriptor was lost on the way (MSG_CTRUNC).
        conn: Option<ConnId>,
    },
    /// The user waits for a connection, and there is one that was to be held.
    Wanted {
        /// Which.
        conn: ConnId,
        /// The user's side will say when it [ends](Self::Ended).
        told: bool,
    },
    /// The user has a delivered connection in hand. Only this makes the worker answerable for it: while
    /// connections wait for a user who does not accept, the primary's window fills and others serve.
    Taken {
        /// Which.
        conn: ConnId,
        /// As in [`Wanted`](Self::Wanted). Of a connection that was wanted before, what was said then stands.
        told: bool,
    },
    /// The user is done with a connection of which that was to be told.
    Ended {
        /// Which.
        conn: ConnId,
    },
    /// A connection was held or delivered, and its listener was closed before the user took it.
    Returned {
        /// Which.
        conn: ConnId,
    },
    /// The socket of a shared listener is set up, or could not be.
    SharedReady {
        /// Which.
        server: ServerId,
        /// The port it got, or the error.
        outcome: Result<u16, crate::Errno>,
    },
    /// The user gives a listener up.
    CloseServer {
        /// Which.
        server: ServerId,
    },
    /// The user wants to leave.
    Disconnect,
    /// The user has finished: no connection of this worker is open.
    Finished,
    /// The channel is at its end.
    Eof,
}

/// By which way an offer came, and so by which it is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Carrier {
    /// Node's channel, which names the listener by its key.
    Channel(Key),
    /// The lane, which names it by its number.
    Lane(ListenerId),
}
