//! Limits: descriptors, the queues of listeners.

use std::fs;

use rustix::process::{Resource, getrlimit};

use super::checks::Check;
use crate::output::words::doctor as words;

/// Descriptors below which a busy primary may run out: it holds one for each connection that waits, and some for each
/// worker.
const FEW_DESCRIPTORS: u64 = 4096;

/// A queue that is shorter than this fills in a moment in which no worker accepts.
const SHORT_QUEUE: u64 = 1024;

/// All of them.
pub(super) fn all() -> Vec<Check> {
    let somaxconn = somaxconn().map(|it| queue(words::SOMAXCONN, it));
    let syn = number("/proc/sys/net/ipv4/tcp_max_syn_backlog").map(|it| queue(words::SYN, it));
    std::iter::once(descriptors()).chain(somaxconn).chain(syn).collect()
}

/// The longest accept queue that any listener can have.
pub(super) fn somaxconn() -> Option<u64> {
    number("/proc/sys/net/core/somaxconn")
}

fn descriptors() -> Check {
    let limit = getrlimit(Resource::Nofile);
    // None is no limit.
    let (now, most) = (limit.current.unwrap_or(u64::MAX), limit.maximum.unwrap_or(u64::MAX));
    match now {
        FEW_DESCRIPTORS.. => Check::good(words::DESCRIPTORS, words::up_to(now)),
        _ => Check::advice(words::DESCRIPTORS, words::up_to(now), words::descriptors_next(most)),
    }
}

fn queue(what: &'static str, length: u64) -> Check {
    match length {
        SHORT_QUEUE.. => Check::good(what, words::up_to(length)),
        _ => Check::advice(what, words::up_to(length), words::queue_next(what, SHORT_QUEUE)),
    }
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}
