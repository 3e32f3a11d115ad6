//! What a primary's user is told. The names are those of Node's events.

use std::process::ExitStatus;
use std::sync::Arc;

use portcrew_core::supervise;

use crate::{
    Counted, Diagnosis, Handle, ListenerId, ListenerName, Message, Request, Scheduling, Settings,
    WorkerHandle, WorkerId,
};

/// Something that happened in a cluster. See [`Cluster::next_event`](crate::Cluster::next_event).
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// Workers are started with these settings from now on; and, as in Node, before each start those that it uses.
    Setup {
        /// How workers are started.
        settings: Arc<Settings>,
    },
    /// A worker process was started.
    Fork {
        /// Who.
        worker: WorkerId,
        /// Its handle. Whoever wants its piped output takes it from here: a worker that dies at once may be
        /// gone from [`Cluster::workers`](crate::Cluster::workers) before this event is read.
        process: WorkerHandle,
    },
    /// The primary listens by itself ([`Settings::listen`]): told before any worker is started. What its workers make of
    /// it nobody tells.
    Opened {
        /// Which listener.
        listener: ListenerId,
        /// Where.
        address: ListenAddress,
    },
    /// A worker said its first word: it runs and speaks the protocol.
    Online {
        /// Who.
        worker: WorkerId,
    },
    /// A worker listens; once for each of its listeners.
    Listening {
        /// Who.
        worker: WorkerId,
        /// Where.
        address: ListenAddress,
    },
    /// The listener of the [`Listening`](Self::Listening) before this is not the primary's: the worker has bound the
    /// address itself, as Bun does with TCP, without asking. Its connections never come to the primary: the kernel
    /// chooses among all who have bound the port with `SO_REUSEPORT`, and the policy does not apply.
    SelfBound {
        /// Who.
        worker: WorkerId,
        /// Where.
        address: ListenAddress,
    },
    /// The primary could not give a worker the listener that it asked for.
    ListenFailed {
        /// Who.
        worker: WorkerId,
        /// For which address.
        address: ListenAddress,
        /// Why not.
        error: std::io::Error,
        /// What [`Settings::allow`] would have to name, where that is why: the worker has fewer rights than the primary.
        lacks: Option<ListenerName>,
    },
    /// A worker sent a message.
    #[non_exhaustive]
    Message {
        /// Who.
        worker: WorkerId,
        /// What.
        message: Message,
        /// A socket that came with it. It does not block when it comes from portcrew or Node; the mode is the
        /// socket's own, and so the same for all who hold it. What the sender had read from it is the sender's
        /// business: only bytes that nobody has read yet can be read here.
        handle: Option<Handle>,
        /// Where the sender counts its connections: to be kept as long as the connection.
        counted: Option<Counted>,
    },
    /// A worker asks and waits for an answer.
    Request {
        /// Who.
        worker: WorkerId,
        /// What; answer with [`Request::reply`].
        request: Request,
    },
    /// A worker's channel is closed. Comes before or after [`Exit`](Self::Exit), as in Node.
    Disconnect {
        /// Who.
        worker: WorkerId,
        /// Node's `exitedAfterDisconnect`: it was asked to leave, or said that it would.
        planned: bool,
    },
    /// A worker's process has ended.
    Exit {
        /// Who.
        worker: WorkerId,
        /// How: [`code`](ExitStatus::code) and [`Signal::of`](crate::Signal::of) are what Node's event has.
        status: ExitStatus,
        /// Node's `exitedAfterDisconnect`.
        planned: bool,
    },
    /// What the end of a worker cost: connections that it had taken and open. Comes when it has both disconnected and
    /// exited, if nobody had asked it to leave, or it had to be ended by a signal. (What it had not answered for goes to
    /// another worker, or is closed and counted: [`Ledger`](crate::Ledger).)
    DiedInside {
        /// Who.
        worker: WorkerId,
        /// How many. Those are included that it had closed, as long as their clients had not let go of them. `None` where
        /// no policy counts connections, or the worker accepts by itself.
        open: Option<u32>,
        /// As in [`Exit`](Self::Exit).
        planned: bool,
    },
    /// A worker said how it is, by `STATUS=` on its notify socket; see [`Ready::Notify`](crate::Ready::Notify).
    Status {
        /// Who.
        worker: WorkerId,
        /// In its own words, at most 512 bytes.
        text: String,
    },
    /// A worker of a crew [hangs](crate::Liveness). One that is [`Able`](supervise::Found::Able) gets
    /// [`Settings::hang_signal`](crate::Settings::hang_signal) now, one that is [`Stopped`](supervise::Found::Stopped)
    /// is killed, and either is replaced: [`Crew`](Self::Crew) tells of that. One that is
    /// [`Traced`](supervise::Found::Traced) is left alone; it is looked at again, and told of again when it has shown
    /// life in between.
    #[non_exhaustive]
    Hangs {
        /// Who.
        worker: WorkerId,
        /// How that was noticed.
        reason: supervise::Reason,
        /// What it was found to be.
        found: supervise::Found,
        /// What it was doing. Nothing is known when that was not found out within half a second.
        diagnosis: Box<Diagnosis>,
    },
    /// Something about a worker failed that ends neither it nor the cluster.
    Error {
        /// Who; `None` when it concerns the primary itself.
        worker: Option<WorkerId>,
        /// What.
        error: crate::Error,
    },
    /// A worker broke the protocol too often; its channel is closed.
    Misbehaved {
        /// Who.
        worker: WorkerId,
    },
    /// News of how a listener's connections are dealt out: its policy, who counts its open connections, what its
    /// scheduler did wrong, and from time to time the counts ([`Settings::summary_every`](crate::Settings::summary_every)).
    Scheduling {
        /// Which listener.
        listener: ListenerId,
        /// What it was asked for as.
        address: ListenAddress,
        /// What about it.
        news: Scheduling,
    },
    /// News of the crew as a whole; only with [`Cluster::start`](crate::Cluster::start).
    Crew(supervise::Notice),
    /// The crew has ended: the last event of a crew.
    Finished(supervise::Outcome),
    /// This many events were dropped because nobody read them; see
    /// [`EVENTS_LIMIT`](crate::EVENTS_LIMIT).
    Lagged {
        /// How many.
        dropped: u64,
    },
}

/// Where a worker listens: the four keys of Node's `listening` event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// The address in text or the path; `None` for every address, or for a descriptor.
    pub address: Option<String>,
    /// The port that it got; `None` for Unix-domain sockets.
    pub port: Option<u16>,
    /// What kind of address.
    pub address_type: AddressType,
    /// The primary's descriptor, when one was asked for.
    pub fd: Option<i32>,
}

/// Node's `addressType`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AddressType {
    /// `4`
    Tcp4,
    /// `6`
    Tcp6,
    /// `-1`
    Unix,
    /// `"udp4"`
    Udp4,
    /// `"udp6"`
    Udp6,
    /// A descriptor.
    Fd,
}

impl std::fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match (&self.address, self.port, self.fd) {
            (_, _, Some(fd)) => write!(f, "descriptor {fd}"),
            (Some(address), Some(port), None) if address.contains(':') => {
                write!(f, "[{address}]:{port}")
            }
            (Some(address), Some(port), None) => write!(f, "{address}:{port}"),
            (Some(path), None, None) => f.write_str(path),
            (None, Some(port), None) => write!(f, "port {port}"),
            (None, None, None) => f.write_str("an unnamed address"),
        }
    }
}
