//! Which worker gets the next connection: one trait, one file per policy.
//!
//! A scheduler is pure: it sees the connection and the workers and answers. It is called with a
//! connection at hand and at least one free worker, in the simulator as in the real primary.
//!
//! ```
//! use portcrew_core::ListenerId;
//! use portcrew_core::scheduler::{Incoming, Pick, Scheduler, WorkerView};
//!
//! // Always the newest free worker: a policy is a closure.
//! let mut newest = |_: &Incoming, workers: &[WorkerView]| {
//!     workers.iter().filter(|w| w.is_free()).map(|w| w.worker).max().map_or(Pick::Wait, Pick::Worker)
//! };
//! let incoming = Incoming::new(ListenerId(0), None);
//! assert_eq!(newest.pick(&incoming, &[]), Pick::Wait);
//! ```

mod contract;
mod policy;

pub use contract::{Incoming, Pick, Scheduler, WorkerView};
pub use policy::RoundRobin;
