//! Node.js's `cluster` for Rust, made whole: one port and a crew of worker processes. One that dies takes
//! nothing with it but the requests inside it, and one that is replaced takes nothing.
//!
//! A **primary** owns the listening sockets, starts **workers**, and hands them connections. The same
//! executable is both; [`role`] (or [`Builder::run`]) finds out which.
//!
//! ```no_run
//! use portcrew::{Cluster, Worker, Workers};
//! use tokio::io::AsyncWriteExt;
//!
//! fn main() -> portcrew::Result<()> {
//!     Cluster::builder().workers(Workers::PerCpu).run(async |worker: Worker| {
//!         let listener = worker.listen("127.0.0.1:3000").await?;
//!         while let Ok((mut stream, _peer)) = listener.accept().await {
//!             let hello = format!("hello from worker {}\n", worker.id());
//!             tokio::spawn(async move { stream.write_all(hello.as_bytes()).await });
//!         }
//!         Ok::<(), portcrew::Error>(()) // The worker was told to leave.
//!     })
//! }
//! ```
//!
//! # Who gets a connection
//!
//! | [`Policy`] | who accepts | use it for |
//! |---|---|---|
//! | [`RoundRobin`](Policy::RoundRobin) | the primary, which hands over | fairness; the default, as in Node |
//! | [`Shared`](Policy::Shared) | the workers, from one socket | parity with Node's `SCHED_NONE`; the best tail latency |
//! | [`LeastConnections`](Policy::LeastConnections) | the primary | mixed work, connections that stay; exact counts for any program |
//! | [`Sticky`](Policy::Sticky) | the primary | sessions and caches: a client stays with its worker |
//! | [`Kernel`](Policy::Kernel) | the workers, each from a socket of its own | the highest rate, also for unmodified Node workers |
//! | your own | the primary | [`Cluster::with_scheduler`] with a closure or a [`scheduler::Scheduler`] |
//!
//! [`Settings::policies`] gives single listeners a policy of their own, [`Cluster::set_policy`] changes one while the
//! crew runs, [`Event::Scheduling`] tells what came of it.
//!
//! # Three levels
//!
//! - [`Cluster::builder`]: one closure that serves. The primary's part is done for you.
//! - [`role`]: your own `main` for each [`Role`]; [`Cluster::start`] keeps a crew running, [`Cluster::fork`]
//!   starts single workers, [`Cluster::next_event`] tells what happens.
//! - `portcrew-ipc`: only Node's channel, spawn and inherit.
//!
//! # Node on the other side
//!
//! The channel is Node's own. A primary here runs unmodified Node.js workers
//! ([`Settings::program`]`("node", ["server.js"])`), and a worker here runs under a Node primary. The same without a
//! cluster: [`Child`] is `child_process.fork`, and [`Primary::take_parent`] the other end of it.
//!
//! # Pitfalls
//!
//! - Call [`role`] first in a plain `fn main`, not under `#[tokio::main]`: threads exist there already, and
//!   it refuses.
//! - A worker that is told to leave must end its connections itself: pass [`Worker::draining`] to your
//!   server's graceful shutdown, or use `axum08::serve` and `hyper1::Graceful` (features of these names), which lose
//!   no request of a kept connection either. Whoever does not leave within [`Settings::grace`] is made to.
//! - Linux only, for now; on Windows this is a compile error.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

#[cfg(windows)]
compile_error!("portcrew needs Unix: descriptor passing, process groups and Unix-domain sockets");

#[cfg(feature = "axum08")]
#[cfg_attr(docsrs, doc(cfg(feature = "axum08")))]
pub mod axum08;
pub mod blocking;
mod builder;
mod child;
mod error;
mod event;
#[cfg(feature = "hyper1")]
#[cfg_attr(docsrs, doc(cfg(feature = "hyper1")))]
pub mod hyper1;
mod link;
mod message;
mod net;
mod parent;
mod pipes;
mod primary;
mod request;
pub mod rights;
mod role;
mod settings;
mod wire;
mod worker;

pub use builder::Builder;
pub use child::Child;
pub use error::{Error, ListenError, Result};
pub use event::{AddressType, Event, ListenAddress};
pub use link::{Counted, Received};
pub use message::{
    CONNECTION_KEY_BYTES, CONNECTION_KEYS_LIMIT, EVENTS_BYTES, EVENTS_LIMIT, Handle, Message,
    OUTGOING_BYTES, OUTGOING_LIMIT,
};
pub use parent::Parent;
pub use portcrew_core::primary::{Counter, Counts, Exit, ListenerName, Scheduling};
pub use portcrew_core::scheduler::{LookFor, Sticky, StickyBy};
pub use portcrew_core::supervise::{
    Force, Found, Generation, Notice as CrewNotice, Outcome, Reason as RollbackReason, SlotId, Worn,
};
pub use portcrew_core::{CloseReason, Errno, Histogram, Ledger, ListenerId, WorkerId, scheduler};
pub use portcrew_ipc::error::MessageError;
pub use portcrew_ipc::inherit::InheritError;
pub use portcrew_ipc::spawn::{SpawnError, SpawnErrorKind};
pub use portcrew_ipc::strangers::reap as reap_strangers;
pub use primary::{
    AcceptQueue, Cluster, CrewSnapshot, Diagnosis, Dialect, ListenerSnapshot, Loan, ProcessState,
    Reserve, Signal, Snapshot, State, Window, WorkerHandle, WorkerSnapshot, names_a_socket,
};
pub use request::Request;
pub use role::{Primary, Role, role};
pub use settings::{
    Drain, ExtraFd, HttpGet, InspectPort, ListenOn, Liveness, Policy, Probing, Ready,
    Serialization, Settings, Stdio, Workers,
};
pub use worker::{
    BindUdp, Connection, Draining, Listen, ListenUnix, Listener, Open, UdpSocket, UnixListener,
    Worker,
};
