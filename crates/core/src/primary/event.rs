//! Everything that can happen to a primary.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Counter, Origin};
use crate::scheduler::{CpuShare, Seat};
use crate::supervise::Generation;
use crate::{
    ConnId, Errno, FromWorker, ListenerId, MemberId, Query, Seq, SockName, SocketKind, WorkerId,
};

/// What happened, told to [`Primary::handle`](super::Primary::handle).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A worker process was started and its channel is open.
    Forked {
        /// Its id, never used before.
        worker: WorkerId,
        /// Where it belongs.
        origin: Origin,
    },
    /// A worker spoke.
    Message {
        /// Who.
        worker: WorkerId,
        /// What.
        message: FromWorker,
    },
    /// A worker says that the descriptor of this offer did not arrive (Node's NACK, the lane's `Lost`).
    NotReceived {
        /// Who.
        worker: WorkerId,
        /// The offer.
        seq: Seq,
    },
    /// A worker took an offered connection and will say when it ends (the lane's `Kept`).
    TakenAndTold {
        /// Who.
        worker: WorkerId,
        /// The offer.
        seq: Seq,
    },
    /// The kernel shows that a worker serves a connection that it has not answered for yet: it has written, and read all
    /// that there was. Told of those [that are asked about](super::Primary::to_ask_about).
    Served {
        /// Who.
        worker: WorkerId,
        /// The offer.
        seq: Seq,
    },
    /// A worker says that a connection has ended which it [took so](Self::TakenAndTold).
    EndTold {
        /// Who.
        worker: WorkerId,
        /// The offer.
        seq: Seq,
    },
    /// A worker does not survive a hand-over of a listener that it accepts from itself. Told before it asks for one.
    AcceptsAlone {
        /// Who.
        worker: WorkerId,
    },
    /// A worker has fewer rights than the primary: it gets no listener by which it would have more, unless that is
    /// [allowed](super::Confinement). Told before its first question.
    Confined {
        /// Who.
        worker: WorkerId,
    },
    /// The user wants a listener for as long as the primary is there, whether or not a worker asks for it: it is bound
    /// now, and the outcome is that of any other. Only [`CloseListener`](Self::CloseListener) closes it.
    Open {
        /// What is wanted.
        query: Query,
    },
    /// A worker is about to be started in this place with the sockets of all [those](super::Primary::kept): where each
    /// place has one of its own it is made, and [this](super::Primary::member_at) tells which it is.
    Seats {
        /// Where.
        seat: Seat,
    },
    /// A worker was started with the sockets of all [those](super::Primary::kept): it accepts from them by itself, and
    /// says nothing of it. Told right after [`Forked`](Self::Forked).
    Inherits {
        /// Who.
        worker: WorkerId,
    },
    /// A worker that [inherits](Self::Inherits) serves by now, as far as anybody can tell.
    Serves {
        /// Who.
        worker: WorkerId,
    },
    /// A worker broke the protocol once.
    Offence {
        /// Who.
        worker: WorkerId,
    },
    /// A worker's channel and lane were read to their end. Nothing more comes from it.
    Drained {
        /// Who.
        worker: WorkerId,
    },
    /// A worker's process was reaped.
    Exited {
        /// Who.
        worker: WorkerId,
        /// How.
        status: Exit,
    },
    /// The outcome of [`Action::Bind`](super::Action::Bind).
    Bound {
        /// Which listener.
        listener: ListenerId,
        /// What came of it, or why nothing did.
        outcome: Result<BoundTo, Errno>,
    },
    /// A connection was accepted. Only while the listener is
    /// [accepting](super::Primary::is_accepting).
    Accepted {
        /// From which listener.
        listener: ListenerId,
        /// The number it has from now on.
        conn: ConnId,
        /// The client's address. `None` for Unix-domain sockets, and for a client that reset at once.
        peer: Option<SocketAddr>,
        /// The address that it came to, where it is [needed](super::Primary::needs_local).
        local: Option<SocketAddr>,
    },
    /// The outcome of [`Action::BindMember`](super::Action::BindMember).
    MemberBound {
        /// Of which listener.
        listener: ListenerId,
        /// Which socket.
        member: MemberId,
        /// That it is there, or why not.
        outcome: Result<(), Errno>,
    },
    /// A connection has come: the outcome of [`Action::Watch`](super::Action::Watch).
    Stirred {
        /// To which listener.
        listener: ListenerId,
    },
    /// The outcome of [`Action::Survey`](super::Action::Survey).
    Surveyed {
        /// Of which listener.
        listener: ListenerId,
        /// How many connections wait in each of its sockets.
        queues: Vec<(MemberId, u32)>,
        /// None was seen waiting since the last survey. One that was accepted at once is not seen.
        quiet: bool,
    },
    /// A connection was accepted that had waited for a worker in the socket of its place:
    /// [`Action::Rescue`](super::Action::Rescue).
    Rescued {
        /// Of which listener.
        listener: ListenerId,
        /// From which socket.
        member: MemberId,
        /// The number it has from now on.
        conn: ConnId,
        /// The client's address, as of one that was [accepted](Self::Accepted).
        peer: Option<SocketAddr>,
        /// How long it has waited at least.
        waited: Duration,
    },
    /// What was seen of a connection's first bytes: the outcome of [`Action::Look`](super::Action::Look). May
    /// come for a connection that did not wait for it any more.
    Looked {
        /// Which connection.
        conn: ConnId,
        /// The client's address as a proxy tells it, if one does.
        source: Option<SocketAddr>,
        /// A number that stands for the value that was looked for, if it is there.
        key: Option<u64>,
        /// The slot that this value names, if it does.
        route: Option<u32>,
    },
    /// The outcome of [`Action::Count`](super::Action::Count).
    Counting {
        /// Of which listener.
        listener: ListenerId,
        /// Who tells when its connections end.
        by: Counter,
    },
    /// A connection that a worker had taken before its listener was counted. Only of a listener that the kernel
    /// counts; may come just before [`Counting`](Self::Counting).
    Found {
        /// Whose.
        worker: WorkerId,
        /// Where it came in.
        listener: ListenerId,
    },
    /// The kernel says that a connection has ended which this worker had taken while the kernel counted those of
    /// its listener ([`Counter::Kernel`]), also when it does not any more. Told once for each.
    Ended {
        /// Whose it was.
        worker: WorkerId,
        /// Its process was ending, or had ended: this may be what ended the connection.
        dying: bool,
    },
    /// Connections that have [ended](Self::Ended), as was told, before anybody knew that their worker was dying: that
    /// may be what ended them. Before [`Exited`](Self::Exited).
    EndedByDeath {
        /// Whose they were.
        worker: WorkerId,
        /// How many.
        count: u32,
    },
    /// How busy a worker's process was since the last time. Only while somebody
    /// [needs it](super::Primary::needs_cpu).
    Cpu {
        /// Who.
        worker: WorkerId,
        /// How busy.
        share: CpuShare,
    },
    /// `accept` failed.
    AcceptFailed {
        /// On which listener.
        listener: ListenerId,
        /// What to make of it.
        failure: AcceptFailure,
    },
    /// The outcome of [`Action::Shed`](super::Action::Shed).
    Shed {
        /// On which listener.
        listener: ListenerId,
        /// How many were accepted and closed.
        count: u32,
    },
    /// The answer to [`Action::Prove`](super::Action::Prove).
    Proof {
        /// Which connection.
        conn: ConnId,
        /// What is known of it.
        proof: Proof,
    },
    /// The user wants this worker to leave: Node's `worker.disconnect()`.
    Disconnect {
        /// Who.
        worker: WorkerId,
    },
    /// The same, where the worker is told in another way: it is sent nothing.
    Unlist {
        /// Who.
        worker: WorkerId,
    },
    /// Nobody counts on this worker any more, and it is made to end: it gets no new connection and no new listener. It
    /// is sent nothing, and its end is not planned. As with a death, what it listens on stays for its successor.
    GivenUp {
        /// Who.
        worker: WorkerId,
    },
    /// A listener is not wanted any more, whoever holds it.
    CloseListener {
        /// Which.
        listener: ListenerId,
    },
    /// A reload was committed: all workers of the crew that are to stay are of this generation. A listener that was
    /// never asked for by one of this generation is closed when nobody holds it: now, if its last holder has died, or
    /// with the death of that holder.
    Renewed {
        /// Which.
        generation: Generation,
    },
}

/// A socket that was bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BoundTo {
    /// What it is. Only the shell can say: a query may name a descriptor.
    pub kind: SocketKind,
    /// Its address; none for Unix-domain sockets.
    pub sockname: Option<SockName>,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// Status 0.
    #[must_use]
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Code(0))
    }
}

/// What an error of `accept` means for the listener (accept(2), "Error handling").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AcceptFailure {
    /// That one connection failed; the next may not (ECONNABORTED and the network errors).
    Connection,
    /// No descriptor is left (EMFILE, ENFILE), or none but those that are kept for other things: rest, or it spins, until
    /// one of ours is closed.
    Descriptors,
    /// Another resource ran out (ENOBUFS, ENOMEM) or the error is unknown: rest.
    Resource,
}

/// What is known of a connection whose worker is gone without an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// It never left the primary.
    NeverSent,
    /// The kernel shows that nobody read or wrote.
    Untouched,
    /// Somebody read or wrote.
    Touched,
    /// The client has gone.
    PeerGone,
    /// It was sent, and this kind of socket proves nothing.
    Unprovable,
}
