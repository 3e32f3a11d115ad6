//! Starting a process with a channel: `posix_spawn`, so that a large or threaded primary is never
//! copied, and exactly the promised descriptors in the child.
//!
//! | in the child | what |
//! |---|---|
//! | 0, 1, 2 | as [`SpawnSpec`] says; `/dev/null` when not asked for anything else |
//! | 3 | the channel, named by `NODE_CHANNEL_FD` (when asked for) |
//! | 4 | the lane, named by `PORTCREW_LANE_FD` (when asked for) |
//! | 3 to 255 | what the caller wants there; channel and lane take the lowest numbers left |
//! | 3 and up | listening sockets for `LISTEN_FDS` (only without a channel) |
//!
//! The child starts with an empty signal mask, with the default action for every signal (Rust
//! programs ignore SIGPIPE, and an ignored signal would otherwise be inherited) and in a process
//! group of its own, so that Ctrl-C at the terminal reaches the primary alone.
//!
//! What `posix_spawn` cannot do (directory, user, limits …) the [exec helper](crate::exec_helper)
//! does in the child just before the program.

mod descriptors;
mod environment;
mod error;
mod lasting;
mod place;
mod resolve;
mod signals;
mod spec;
mod start;

pub use descriptors::close_on_exec_from;
pub(crate) use error::explain_exec;
pub use error::{SpawnError, SpawnErrorKind};
pub use resolve::resolve_program;
pub(crate) use signals::restore_default;
pub use signals::{reset_inherited_signals, unblock_inherited_signals};
pub use spec::{Extra, LAST_EXTRA_FD, Limit, Resource, SpawnSpec, Stdio};
pub use start::{Spawned, spawn};
