//! How it is found out that a worker of a crew is ready: by its own word, or by a probe.
//!
//! Each worker that is probed, or that has a socket for notifications, has one task. It tells the driver by a command;
//! what follows is decided by the crew's machine.

mod hear;
mod http;
mod notify;
mod probe;
mod watch;

pub(super) use hear::{is_ready, says_ready};
pub(super) use notify::{MEANT_FOR_ONE, NotifySocket};
pub(super) use watch::{Sign, Watch};
