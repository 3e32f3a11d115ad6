//! Decides. The sans-IO half of portcrew: state machines that take `(now, event)` and append actions.
//!
//! Nothing in this crate has a runtime, a clock, a descriptor or an environment (the crate's `clippy.toml`
//! is the fence). Time is an argument, waiting is a value, a connection is a number. So the whole system,
//! primary and workers together, runs in a seeded simulator, and a shell such as the crate `portcrew` only
//! carries out what is decided here.
//!
//! Start with the vocabulary: [`primary::Event`] and [`primary::Action`], [`worker::Event`] and
//! [`worker::Action`], [`supervise::Event`] and [`supervise::Action`]. Who has read those six lists knows
//! the design.
//!
//! ```
//! use portcrew_core::{primary, Time, WorkerId};
//!
//! let mut primary = primary::Primary::new(primary::Settings::default());
//! let (mut actions, worker) = (Vec::new(), WorkerId(1));
//! let forked = primary::Event::Forked { worker, origin: primary::Origin::alone(worker) };
//! primary.handle(Time::ZERO, forked, &mut actions);
//! assert_eq!(actions, [primary::Action::Notify(primary::Notice::Forked { worker })]);
//! ```
#![forbid(unsafe_code)]

mod backoff;
mod histogram;
mod ids;
mod ledger;
mod limits;
mod message;
pub mod primary;
pub mod scheduler;
pub mod supervise;
mod time;
mod timer;
pub mod worker;

pub use backoff::Backoff;
pub use histogram::Histogram;
pub use ids::{ConnId, ListenerId, MemberId, Seq, ServerId, WorkerId};
pub use ledger::{CloseReason, Ledger};
pub use limits::Limits;
pub use message::{
    Address, Errno, Family, FromWorker, Key, Query, Reply, SockName, SocketKind, ToWorker,
};
pub use time::Time;
pub use timer::TimerTable;
