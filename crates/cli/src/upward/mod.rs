//! Upwards: what this process owes to whoever started it, a service manager or a container's machine.
//!
//! `notify` is the text of systemd's notifications and `service` when which is due, both pure; `socket` carries them,
//! `systemd` puts the three together, with the watchdog. `init` is what is asked of process 1. `above` is both as the
//! crew's loop sees them.

mod above;
mod init;
mod notify;
mod service;
mod socket;
mod systemd;

pub(crate) use above::{Above, Turn};
