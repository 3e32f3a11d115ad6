//! What the kernel offers, and the directory of the control sockets.

use rustix::net::{AddressFamily, SocketFlags, SocketType, netlink, socket_with, sockopt};
use rustix::process::{PidfdFlags, getpid, pidfd_open};
use serde::Serialize;

use crate::control::Directory;
use crate::output::words::doctor as words;

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Check {
    pub(super) what: &'static str,
    pub(super) verdict: Verdict,
    pub(super) found: String,
    /// What to change.
    pub(super) next: Option<String>,
    /// Whose queue it was, and its numbers.
    #[serde(flatten)]
    pub(super) queue: Option<Queue>,
}

/// An accept queue of a crew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Queue {
    pub(super) crew: String,
    pub(super) listener: String,
    /// The most that have waited in the kernel.
    pub(super) deepest: u32,
    pub(super) limit: u32,
    pub(super) dropped: Option<u32>,
    /// The most that have waited in the primary.
    pub(super) held_deepest: usize,
    /// The one that is advised.
    pub(super) backlog: Option<u64>,
}

/// What is to be thought of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Verdict {
    Good,
    /// It works, and would work better.
    Advice,
    /// Crews cannot work, or not with what they promise.
    Bad,
}

impl Check {
    pub(super) fn good(what: &'static str, found: String) -> Self {
        Self { what, verdict: Verdict::Good, found, next: None, queue: None }
    }

    pub(super) fn advice(what: &'static str, found: String, next: String) -> Self {
        Self { what, verdict: Verdict::Advice, found, next: Some(next), queue: None }
    }

    pub(super) fn bad(what: &'static str, found: String, next: String) -> Self {
        Self { what, verdict: Verdict::Bad, found, next: Some(next), queue: None }
    }
}

/// Features that crews need, or some policy does, each tried.
pub(super) fn kernel() -> Vec<Check> {
    let pidfd = pidfd_open(getpid(), PidfdFlags::empty()).map(drop);
    vec![
        tried(words::PIDFD, pidfd, Verdict::Bad, words::pidfd_next()),
        tried(words::REUSEPORT, reuseport(), Verdict::Advice, words::reuseport_next()),
        tried(words::SOCK_DIAG, sock_diag(), Verdict::Advice, words::sock_diag_next()),
    ]
}

/// The directory of the control sockets.
pub(super) fn control() -> Check {
    let directory = Directory::of_this_user();
    match directory.check() {
        Ok(true) => Check::good(words::CONTROL, directory.path().display().to_string()),
        Ok(false) => Check::good(words::CONTROL, words::not_made_yet(directory.path())),
        Err(reason) => Check::bad(words::CONTROL, reason, words::control_next()),
    }
}

fn tried(
    what: &'static str,
    result: rustix::io::Result<()>,
    otherwise: Verdict,
    next: String,
) -> Check {
    match result {
        Ok(()) => Check::good(what, words::there()),
        Err(error) => {
            let found = words::refused(&error);
            Check { what, verdict: otherwise, found, next: Some(next), queue: None }
        }
    }
}

fn reuseport() -> rustix::io::Result<()> {
    let socket = socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None)?;
    sockopt::set_socket_reuseport(&socket, true)
}

/// The kernel's word when a connection ends: least-connections counts by it.
fn sock_diag() -> rustix::io::Result<()> {
    let protocol = Some(netlink::SOCK_DIAG);
    socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, protocol).map(drop)
}
