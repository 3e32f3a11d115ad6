//! Everything that a worker can ask of its shell.

use crate::{ConnId, Errno, FromWorker, Seq, ServerId, SockName};

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an action that nobody performs leaves the machine and the world apart"]
pub enum Action {
    /// Send a message on the channel.
    Send {
        /// The number it carries: one counter for all cluster messages of a process, as in Node.
        seq: Seq,
        /// What.
        message: FromWorker,
    },
    /// Answer an offer on the lane. Answers may be gathered into one packet at the end of the turn, except
    /// before a [`Deliver`](Self::Deliver) that follows in the same list: nothing proves that such a
    /// connection is untouched, so its answer goes out first.
    AnswerLane {
        /// The offer's number.
        seq: Seq,
        /// The answer.
        verdict: Verdict,
    },
    /// Tell on the lane that a connection has ended which was answered with [`Verdict::Kept`]. Goes out behind that
    /// answer; many may be gathered into one packet.
    TellEnd {
        /// The offer's number.
        seq: Seq,
    },
    /// Keep a connection for the user, who may not touch it before it is answered: report
    /// [`Wanted`](super::Event::Wanted) as soon as the user waits for one.
    Hold {
        /// Of which listener.
        server: ServerId,
        /// Which.
        conn: ConnId,
    },
    /// Give a connection to the user: a new one, or one that was held. Report
    /// [`Taken`](super::Event::Taken) when the user has it in hand, which may be at once.
    Deliver {
        /// To which listener.
        server: ServerId,
        /// Which.
        conn: ConnId,
    },
    /// Close a connection that was refused: the primary holds its own copy.
    Drop {
        /// Which.
        conn: ConnId,
    },
    /// A listener is there: connections will be delivered.
    Listening {
        /// Which.
        server: ServerId,
        /// What it is bound to; none for Unix-domain sockets.
        sockname: Option<SockName>,
        /// The first data that any worker brought for it, this one's own included.
        data: Option<String>,
    },
    /// A listener's socket came with the reply: set it up and answer with
    /// [`SharedReady`](super::Event::SharedReady).
    SetUpShared {
        /// Which.
        server: ServerId,
        /// As in [`Listening`](Self::Listening).
        data: Option<String>,
    },
    /// There is no listener, and this is why. What was held for it is to be reported as
    /// [`Returned`](super::Event::Returned).
    ListenFailed {
        /// Which.
        server: ServerId,
        /// The reason.
        errno: Errno,
    },
    /// A listener is closed: nothing more is delivered to it. What the user has not taken is to be
    /// reported as [`Returned`](super::Event::Returned).
    Closed {
        /// Which.
        server: ServerId,
    },
    /// Tell the user to finish what it has; it answers with [`Finished`](super::Event::Finished).
    Drain,
    /// Close the channel and the lane. What the lane still holds is read and fed first, and is refused: the
    /// channel's last word may have overtaken offers, and unread ones would wait for this process to end.
    CloseChannel,
    /// The channel is closed.
    Disconnected {
        /// This worker was asked to leave or wanted to. Otherwise the primary has died, and Node's
        /// workers exit at once.
        planned: bool,
    },
}

/// An answer on the lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The worker has the connection.
    Accepted,
    /// The same, and it will [tell its end](Action::TellEnd).
    Kept,
    /// It does not want it.
    Refused,
    /// The descriptor did not arrive.
    Lost,
}
