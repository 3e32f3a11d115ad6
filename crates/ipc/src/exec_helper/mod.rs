//! The exec helper: what `posix_spawn` cannot do, done in the child just before its program.
//!
//! Working directory, user and groups, resource limits, the parent death signal, `no_new_privs`,
//! `LISTEN_PID`, and a last sweep over the descriptors. [`spawn`](fn@crate::spawn::spawn) starts an
//! executable that calls [`run_if_asked`] first thing in its `main`, with the plan in the variable
//! `PORTCREW_EXEC`; that process carries the plan out and becomes the program by `execve`. The pid
//! stays the same, so the pidfd, the process group and the channel are the program's own.
//!
//! The order is fixed: limits (raising one needs the privileges that go next), groups, group, user,
//! capabilities, directory (with the rights of the user), `no_new_privs`, the death signal (a change of user
//! clears it), descriptors, program. Each step is fatal when it fails.

mod capabilities;
mod identity;
mod limit;
mod plan;
mod run;

pub use limit::{Limit, Resource};
pub(crate) use plan::Plan;
pub use run::run_if_asked;
