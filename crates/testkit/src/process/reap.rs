//! Ending a whole tree of processes, and waiting for ends without a signal handler.
//!
//! The tree is stopped from the root downwards before anything in it is killed: a stopped process starts no further
//! child, and it reaps none, so no number in the list can come to mean another process. The test program is a
//! *subreaper*: what loses its parent becomes its child and can be found and reaped.

use std::io;
use std::os::fd::OwnedFd;
use std::process::Child;
use std::sync::Once;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, WaitOptions, getpid, kill_process_group, pidfd_open, pidfd_send_signal,
    set_child_subreaper, waitpid,
};

use super::proc_fs;
use super::signal::Signal;

/// The variable by which a descendant is recognised wherever it went.
pub(super) const MARKER: &str = "PORTCREW_TESTKIT_RUN";

/// How long a process may take to stop; one that sleeps in the kernel stops when it comes back.
const STOP_WITHIN: Duration = Duration::from_millis(500);

/// For so long an orphan whose environment cannot be read is taken for one that is in the middle of an exec. It is
/// somebody else's, or has emptied its environment, when it stays so.
const UNREADABLE_FOR: Duration = Duration::from_secs(2);

/// Makes this process the one that orphans come to.
pub(super) fn adopt_orphans() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Without it the trees of well-behaved programs are still found; only orphans would escape.
        let _ = set_child_subreaper(Some(getpid()));
    });
}

pub(super) fn open(pid: u32) -> io::Result<OwnedFd> {
    Ok(pidfd_open(number(pid)?, PidfdFlags::empty())?)
}

pub(super) fn signal_handle(handle: &OwnedFd, signal: Signal) -> io::Result<()> {
    Ok(pidfd_send_signal(handle, signal.raw())?)
}

pub(super) fn signal(pid: u32, signal: Signal) -> io::Result<()> {
    signal_handle(&open(pid)?, signal)
}

/// Sends a signal to a child of `parent`, whoever started that. One look is enough for it, where all processes have to be
/// looked at for a descendant.
///
/// # Errors
/// `NotFound` when `pid` is not, or no longer, its child; else what the system says.
pub fn signal_child(parent: u32, pid: u32, signal: Signal) -> io::Result<()> {
    // First the handle, then the question: a number that was reused meanwhile fails the question.
    let handle = open(pid)?;
    if proc_fs::parent(pid)? != parent {
        return Err(io::Error::new(io::ErrorKind::NotFound, "no child of this process"));
    }
    signal_handle(&handle, signal)
}

/// Waits until `pid` has ended, reaped or not; false when it still lives after `within`.
#[must_use]
pub fn wait_dead(pid: u32, within: Duration) -> bool {
    open(pid).map_or(true, |handle| wait_handle(&handle, within))
}

/// Ends `root`, all that descends from it and all that carries its marker; returns what is still there afterwards.
pub(super) fn end_tree(root: &mut Child, reaped: bool, marker: &str, within: Duration) -> Vec<u32> {
    let deadline = Instant::now() + within;
    let mut left = Vec::new();
    if !reaped {
        let tree = freeze(root.id());
        // The group's number is the root's, and the root is not reaped yet: it is still ours.
        if let Ok(group) = number(root.id()) {
            let _ = kill_process_group(group, Signal::Kill.raw());
        }
        left.extend(end(&tree, deadline));
        if wait_dead(root.id(), left_until(deadline)) {
            let _ = root.wait();
        } else {
            left.push(root.id());
        }
        reap_adopted(&tree);
    }
    left.extend(sweep_orphans(marker, deadline));
    left
}

/// Stops `root` and everything below it, and returns everything below it.
fn freeze(root: u32) -> Vec<u32> {
    stop(root);
    let mut stopped = Vec::new();
    loop {
        // Who is stopped starts nobody, so each round finds children of the last round's processes only.
        let mut new = proc_fs::descendants(root);
        new.retain(|pid| !stopped.contains(pid));
        if new.is_empty() || stopped.len() > proc_fs::MAX_TREE {
            return stopped;
        }
        new.iter().copied().for_each(stop);
        stopped.append(&mut new);
    }
}

/// Stops one process, as far as it can be, and waits until it stands still.
fn stop(pid: u32) {
    let deadline = Instant::now() + STOP_WITHIN;
    let moves = |pid| proc_fs::state(pid).is_ok_and(|state| !"TtZX".contains(state));
    if signal(pid, Signal::Stop).is_ok() {
        while moves(pid) && Instant::now() < deadline {
            std::thread::yield_now();
        }
    }
}

/// Kills each of `tree`, waits for its end and returns those that did not end.
fn end(tree: &[u32], deadline: Instant) -> Vec<u32> {
    // All handles first: none can be reused while its stopped parent still holds it.
    let handles: Vec<_> = tree.iter().filter_map(|pid| Some((*pid, open(*pid).ok()?))).collect();
    for (_, handle) in &handles {
        let _ = signal_handle(handle, Signal::Kill);
    }
    let alive = |(_, handle): &(u32, OwnedFd)| !wait_handle(handle, left_until(deadline));
    handles.into_iter().filter(alive).map(|(pid, _)| pid).collect()
}

/// Takes the exit status of those in `tree` that have become our children.
fn reap_adopted(tree: &[u32]) {
    for pid in tree.iter().filter_map(|pid| number(*pid).ok()) {
        let _ = waitpid(Some(pid), WaitOptions::NOHANG);
    }
}

/// Ends what carries the marker and has lost its parent to us, until nothing more comes.
fn sweep_orphans(marker: &str, deadline: Instant) -> Vec<u32> {
    let mut patience = Instant::now() + UNREADABLE_FOR;
    loop {
        let children = proc_fs::children(std::process::id()).unwrap_or_default();
        let marked = |pid: &u32| proc_fs::started_with(*pid, marker);
        let ours: Vec<u32> =
            children.iter().copied().filter(|pid| marked(pid) == Some(true)).collect();
        let unread = |pid: &u32| {
            marked(pid).is_none() && proc_fs::state(*pid).is_ok_and(|state| state != 'Z')
        };
        if ours.is_empty() {
            if Instant::now() >= patience || !children.iter().any(unread) {
                return ours;
            }
            std::thread::yield_now();
            continue;
        }
        if Instant::now() >= deadline {
            return ours;
        }
        for orphan in ours {
            let mut tree = freeze(orphan);
            tree.push(orphan);
            let _ = end(&tree, deadline);
            reap_adopted(&tree);
        }
        patience = Instant::now() + UNREADABLE_FOR;
    }
}

fn wait_handle(handle: &OwnedFd, within: Duration) -> bool {
    let deadline = Instant::now() + within;
    loop {
        let timeout = Timespec::try_from(left_until(deadline)).ok();
        let mut ready = [PollFd::new(handle, PollFlags::IN)];
        match poll(&mut ready, timeout.as_ref()) {
            Ok(count) => return count > 0,
            Err(Errno::INTR) => {}
            Err(_) => return false,
        }
    }
}

fn left_until(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now())
}

fn number(pid: u32) -> io::Result<Pid> {
    let raw = i32::try_from(pid).ok().and_then(Pid::from_raw);
    raw.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "not a process id"))
}
