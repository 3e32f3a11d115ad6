//! Everything that a primary can ask of its shell.

use std::sync::Arc;
use std::time::Duration;

use super::live::Counter;
use super::{Counts, Exit, ListenerName};
use crate::scheduler::{Failure, Look};
use crate::{
    CloseReason, ConnId, Errno, ListenerId, MemberId, Query, Seq, SockName, ToWorker, WorkerId,
};

/// What is to be done, in this order.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "an action that nobody performs leaves the machine and the world apart"]
pub enum Action {
    /// Send a message on the worker's channel.
    Send {
        /// To whom.
        worker: WorkerId,
        /// The number it carries.
        seq: Seq,
        /// What.
        message: ToWorker,
    },
    /// Hand a connection over, by the lane where there is one. Keep the copy.
    Offer {
        /// To whom.
        worker: WorkerId,
        /// The number that the answer will carry.
        seq: Seq,
        /// Which.
        conn: ConnId,
        /// Of which listener.
        listener: ListenerId,
    },
    /// Find out what is known of an offered connection and answer with
    /// [`Event::Proof`](super::Event::Proof).
    Prove {
        /// Which.
        conn: ConnId,
        /// The worker that it was offered to.
        worker: WorkerId,
        /// The offer's number.
        seq: Seq,
    },
    /// Close our copy of a connection.
    Release {
        /// Which.
        conn: ConnId,
        /// What became of it.
        end: End,
    },
    /// Make a socket, bind it, call `listen`, answer with [`Event::Bound`](super::Event::Bound).
    Bind {
        /// The number it has from now on.
        listener: ListenerId,
        /// What was asked for.
        query: Query,
        /// Who will accept from it.
        mode: Mode,
    },
    /// Begin or stop accepting from a listener.
    Accept {
        /// Which.
        listener: ListenerId,
        /// Begin, or stop.
        on: bool,
    },
    /// Accept connections that wait and close each at once, so many at most, also where descriptors are short: one that
    /// was kept for this is used. Answer with [`Event::Shed`](super::Event::Shed). The listener is not accepted from.
    Shed {
        /// From which listener.
        listener: ListenerId,
        /// How many at most.
        most: u32,
    },
    /// Look for something in a connection's first bytes, without taking them, and answer with
    /// [`Event::Looked`](super::Event::Looked). Not needed any more once it is offered or released.
    Look {
        /// Which.
        conn: ConnId,
        /// For what.
        look: Arc<Look>,
    },
    /// Begin or end to note connections of a TCP listener that workers take, to tell when they end. Beginning is
    /// answered with [`Event::Counting`](super::Event::Counting); from that on they are noted. Of those that were
    /// noted the end is told in any case: they count until then.
    Count {
        /// Which listener.
        listener: ListenerId,
        /// Begin, or end.
        on: bool,
    },
    /// Make one more socket of a listener that the kernel spreads connections over, on the same address, and answer with
    /// [`Event::MemberBound`](super::Event::MemberBound). The first, [`MemberId::FIRST`], comes with
    /// [`Bind`](Self::Bind).
    BindMember {
        /// Of which listener.
        listener: ListenerId,
        /// The number it has from now on.
        member: MemberId,
    },
    /// Close one of them. Nothing has come to it for long, and nothing waits in it.
    CloseMember {
        /// Of which listener.
        listener: ListenerId,
        /// Which.
        member: MemberId,
    },
    /// Have the kernel give new connections to these alone of a listener's sockets; to all, where there is none.
    Steer {
        /// Of which listener.
        listener: ListenerId,
        /// Those that somebody accepts from.
        live: Vec<MemberId>,
    },
    /// Say with [`Event::Stirred`](super::Event::Stirred) when a connection comes to one of a listener's sockets, once.
    Watch {
        /// Which listener.
        listener: ListenerId,
    },
    /// Look how many connections wait in each of a listener's sockets, and answer with
    /// [`Event::Surveyed`](super::Event::Surveyed).
    Survey {
        /// Which listener.
        listener: ListenerId,
    },
    /// Accept connections that wait in one of a listener's sockets, and tell each with
    /// [`Event::Rescued`](super::Event::Rescued): so many at most, and none after the first that is younger than this.
    Rescue {
        /// Of which listener.
        listener: ListenerId,
        /// From which socket.
        member: MemberId,
        /// How many at most.
        most: u32,
        /// How long the others are to have waited. Zero: however long.
        older: Duration,
    },
    /// Close a listener's socket: the port is free from here on. Connections of it that are counted go on to be.
    CloseListener {
        /// Which.
        listener: ListenerId,
    },
    /// Close a worker's channel and lane, if they are open. Answer with
    /// [`Event::Drained`](super::Event::Drained) unless it was said of this worker before. What was never
    /// sent stays known as such: a later [`Prove`](Self::Prove) asks for it.
    CloseChannel {
        /// Whose.
        worker: WorkerId,
    },
    /// Tell whoever listens.
    Notify(Notice),
}

/// What became of a connection that the primary lets go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// A worker has it.
    Taken(WorkerId),
    /// Nobody has it.
    Closed(CloseReason),
}

/// Who accepts from a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// The primary, which hands connections over.
    Handover,
    /// The workers, from one socket: Node's SCHED_NONE, and for UDP where the policy is not the next.
    Shared,
    /// The workers, each place from a socket of its own: the kernel spreads connections over these (SO_REUSEPORT,
    /// socket(7)), and what waits too long at one of them is handed to another. For TCP and UDP.
    Kernel,
}

/// What users of a primary are told. The names are Node's.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// A worker process was started.
    Forked {
        /// Who.
        worker: WorkerId,
    },
    /// A worker said its first word.
    Online {
        /// Who.
        worker: WorkerId,
    },
    /// A worker listens; once for each of its listeners.
    Listening {
        /// Who.
        worker: WorkerId,
        /// What it asked for.
        query: Query,
        /// What it got.
        port: u16,
        /// Its first listener: the worker is ready.
        first: bool,
    },
    /// The listener of the [`Listening`](Self::Listening) before this is the worker's own: it never asked for that
    /// address. The primary sees none of its connections, so no policy applies to them and nothing is known of them.
    SelfBound {
        /// Who.
        worker: WorkerId,
        /// What it says of the address.
        query: Query,
        /// The port.
        port: u16,
    },
    /// The primary could not give a worker the listener that it asked for.
    ListenFailed {
        /// Who asked.
        worker: WorkerId,
        /// For what.
        query: Query,
        /// Why not.
        errno: Errno,
        /// What would have to be [allowed](super::Confinement::allowed), where that is why.
        lacks: Option<ListenerName>,
    },
    /// A listener's socket is there.
    Bound {
        /// Which.
        listener: ListenerId,
        /// What was asked for.
        query: Query,
        /// Its address; none for Unix-domain sockets.
        sockname: Option<SockName>,
    },
    /// A worker's channel is closed.
    Disconnected {
        /// Who.
        worker: WorkerId,
        /// It was asked to leave, or said that it would.
        planned: bool,
    },
    /// A worker's process has ended.
    Exited {
        /// Who.
        worker: WorkerId,
        /// How.
        status: Exit,
        /// It was asked to leave, or said that it would: Node's `exitedAfterDisconnect`.
        planned: bool,
    },
    /// What the end of a worker's process cost beyond what it had not answered for: connections that it had taken. Told
    /// when nothing more can come from it, if it was not asked to leave, or was and was ended by a signal.
    DiedInside {
        /// Who.
        worker: WorkerId,
        /// How many were open in it; `None` where nobody counts them.
        open: Option<u32>,
        /// It was asked to leave, or said that it would.
        planned: bool,
    },
    /// A worker broke the protocol too often; its channel is being closed.
    Misbehaved {
        /// Who.
        worker: WorkerId,
        /// How often.
        offences: u32,
    },
    /// A listener rests because `accept` failed for want of a resource. Not told again while that goes on.
    AcceptPaused {
        /// Which.
        listener: ListenerId,
    },
    /// About the choice of workers for a listener's connections.
    Scheduling {
        /// Which listener.
        listener: ListenerId,
        /// What about it.
        news: Scheduling,
    },
}

/// News of how a listener's connections are dealt out.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Scheduling {
    /// Its policy, when its socket is there and when the policy changes.
    Policy {
        /// What it is called.
        name: &'static str,
    },
    /// Its policy counts open connections, and this is who tells of their ends.
    Counted {
        /// Who. The workers' own word has to do where the kernel does not tell; a worker that says nothing cannot
        /// be counted, and then the connections are dealt out in turn.
        by: Counter,
    },
    /// A worker's connections cannot be counted, so its policy deals in turn. Told once for each worker.
    Uncounted {
        /// Whose.
        worker: WorkerId,
    },
    /// Its scheduler did what it must not, for the first time; round-robin decides in its place.
    Failed {
        /// What it did.
        failure: Failure,
    },
    /// What was decided up to now, told from time to time ([`Limits::summary_every`](crate::Limits::summary_every)).
    Summary {
        /// What its policy is called.
        policy: &'static str,
        /// What its scheduler decided.
        counts: Counts,
        /// How many connections each of its workers was given.
        given: Vec<(WorkerId, u64)>,
    },
}
