//! The words of `portcrew doctor`.

use std::fmt::Display;
use std::path::Path;
use std::time::Duration;

use super::notices::span;
use super::{count, of};
use crate::control::v1::AcceptQueue;

pub(crate) const PIDFD: &str = "pidfd";
pub(crate) const REUSEPORT: &str = "SO_REUSEPORT";
pub(crate) const SOCK_DIAG: &str = "sock_diag";
pub(crate) const CONTROL: &str = "control sockets";
pub(crate) const DESCRIPTORS: &str = "open descriptors";
pub(crate) const SOMAXCONN: &str = "net.core.somaxconn";
pub(crate) const SYN: &str = "net.ipv4.tcp_max_syn_backlog";
pub(crate) const OVERFLOWS: &str = "accept queues";
pub(crate) const QUEUE: &str = "accept queue";
pub(crate) const CREW: &str = "crew";

pub(crate) fn there() -> String {
    "works".to_owned()
}

pub(crate) fn refused(reason: &dyn Display) -> String {
    format!("is refused: {reason}")
}

pub(crate) fn pidfd_next() -> String {
    "workers are watched by it: Linux 5.4 or later is needed, and a sandbox that allows pidfd_open(2)".to_owned()
}

pub(crate) fn reuseport_next() -> String {
    "programs that bind their port by themselves (Bun, `reusePort`) can have one worker only"
        .to_owned()
}

pub(crate) fn sock_diag_next() -> String {
    "the policy least-connections counts by it: without it only Rust workers are counted; load the kernel module \
     inet_diag, or allow netlink sockets in the sandbox"
        .to_owned()
}

pub(crate) fn not_made_yet(path: &Path) -> String {
    format!("{}, which the first crew makes", path.display())
}

pub(crate) fn control_next() -> String {
    "without it crews serve, and cannot be listed or steered by name".to_owned()
}

pub(crate) fn up_to(number: u64) -> String {
    match number {
        u64::MAX => "unlimited".to_owned(),
        number => format!("up to {}", count(number)),
    }
}

pub(crate) fn descriptors_next(most: u64) -> String {
    let most = if most == u64::MAX { 65_536 } else { most };
    format!(
        "raise it before the start: `ulimit -n {most}`, or LimitNOFILE={most} in the systemd unit"
    )
}

pub(crate) fn queue_next(name: &str, length: u64) -> String {
    format!(
        "bursts longer than this are refused while nobody accepts: `sysctl {name}={length}` or more"
    )
}

pub(crate) fn no_overflow() -> String {
    "none has overflowed since the machine was started".to_owned()
}

pub(crate) fn overflowed(times: u64) -> String {
    format!("{} dropped since the machine was started, by any program", of(times, "connection"))
}

pub(crate) fn overflow_next() -> String {
    "if crews are among them: give the listener a longer backlog (listen(port, host, backlog) in Node), raise \
     net.core.somaxconn to the same, then stop and start the crew; or add workers"
        .to_owned()
}

/// `port 80 of api: 512 of 511 at most, 7 dropped; 256 in the primary at most`
pub(crate) fn queue_found(
    listener: &str,
    crew: &str,
    queue: &AcceptQueue,
    held_deepest: usize,
) -> String {
    let mut text = format!("{listener} of {crew}: {} of {} at most", queue.deepest, queue.limit);
    if let Some(dropped) = queue.dropped.filter(|it| *it > 0) {
        text += &format!(", {} dropped", count(dropped.into()));
    }
    text + &format!("; {} in the primary at most", count(held_deepest as u64))
}

/// `too_low` is the system's limit, where that is less. Where workers accept for themselves, each new one listens anew;
/// where the primary does, it has listened once.
pub(crate) fn backlog_next(
    backlog: u64,
    too_low: Option<u64>,
    crew: &str,
    workers_listen: bool,
) -> String {
    let raise = match too_low {
        Some(_) => format!(", raise net.core.somaxconn: `sysctl net.core.somaxconn={backlog}`"),
        None => String::new(),
    };
    let then = if workers_listen {
        format!("then `portcrew reload {crew}`")
    } else {
        format!("then stop and start {crew} (a reload keeps its listener)")
    };
    format!(
        "set backlog to {backlog} (listen(port, host, backlog) in Node){raise}, {then}; or more workers: \
         `portcrew scale {crew} +1`"
    )
}

pub(crate) fn silent_next() -> String {
    "while it starts or ends that is as it should be".to_owned()
}

pub(crate) fn hangs(crew: &str, after: Duration) -> String {
    format!("{crew} has a socket and has not answered within {}", span(after))
}

pub(crate) fn hangs_next(crew: &str) -> String {
    format!("its primary is stopped or overloaded: `portcrew kill {crew}` ends it")
}

pub(crate) fn unreadable(crew: &str) -> String {
    format!("{crew} does not say how its queues are")
}

pub(crate) fn unreadable_next(crew: &str) -> String {
    format!("try again; `portcrew describe {crew}` may say why")
}
