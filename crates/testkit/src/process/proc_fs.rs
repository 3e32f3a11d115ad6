//! What the kernel says about a process: descriptors, threads, children, memory, CPU time, context switches.
//!
//! All figures are read from `/proc` at the moment of the call. A process that has gone is an `io::Error` of kind
//! `NotFound`; a thread or child that goes while its siblings are counted is left out, not an error.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::param::clock_ticks_per_second;

/// A process tree larger than this is not walked further: something forks without end.
pub const MAX_TREE: usize = 4096;

/// The number of descriptors that `pid` has open.
///
/// # Errors
/// `NotFound` when there is no such process, `PermissionDenied` when it belongs to another user.
pub fn fd_count(pid: u32) -> io::Result<usize> {
    Ok(std::fs::read_dir(proc_path(pid, "fd"))?.flatten().count())
}

/// The descriptors of `pid` in numerical order, each with what it refers to (`socket:[123]`, a path, `pipe:[7]`).
///
/// # Errors
/// As [`fd_count`].
pub fn fds(pid: u32) -> io::Result<Vec<(u32, String)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(proc_path(pid, "fd"))?.flatten() {
        let number = entry.file_name().to_string_lossy().parse();
        // A descriptor that was closed between the listing and the look has no target any more.
        if let (Ok(number), Ok(target)) = (number, std::fs::read_link(entry.path())) {
            found.push((number, target.to_string_lossy().into_owned()));
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// The number of threads of `pid`.
///
/// # Errors
/// As [`fd_count`].
pub fn threads(pid: u32) -> io::Result<usize> {
    Ok(tasks(pid)?.len())
}

/// How often the threads of `pid` went to sleep of their own will, over all threads that live now.
///
/// A wait for an event that has already happened does not count, so the difference over a burst of connections says
/// how many wake-ups the process had.
///
/// # Errors
/// As [`fd_count`].
pub fn voluntary_ctxt_switches(pid: u32) -> io::Result<u64> {
    let mut sum = 0;
    for task in tasks(pid)? {
        if let Ok(status) = std::fs::read_to_string(task.join("status")) {
            sum += status_field(&status, "voluntary_ctxt_switches:").unwrap_or(0);
        }
    }
    Ok(sum)
}

/// The direct children of `pid`, in the order of their numbers. Zombies are children too.
///
/// # Errors
/// As [`fd_count`].
pub fn children(pid: u32) -> io::Result<Vec<u32>> {
    state(pid)?;
    Ok(parents()?
        .into_iter()
        .filter(|(_, parent)| *parent == pid)
        .map(|(child, _)| child)
        .collect())
}

/// The children of `pid`, their children and so on, parents before children; without `pid` itself. At most
/// [`MAX_TREE`] of them.
#[must_use]
pub fn descendants(pid: u32) -> Vec<u32> {
    let parents = parents().unwrap_or_default();
    let mut found = vec![pid];
    let mut next = 0;
    while let Some(&parent) = found.get(next) {
        found.extend(parents.iter().filter(|(_, its)| *its == parent).map(|(child, _)| *child));
        found.truncate(MAX_TREE + 1);
        next += 1;
    }
    found.remove(0);
    found
}

/// Resident memory of `pid` in bytes.
///
/// # Errors
/// As [`fd_count`]; `InvalidData` for a zombie, which has no memory.
pub fn rss(pid: u32) -> io::Result<u64> {
    bytes(&std::fs::read_to_string(proc_path(pid, "status"))?, "VmRSS:")
}

/// The most resident memory that `pid` has had, in bytes.
///
/// # Errors
/// As [`rss`].
pub fn peak_rss(pid: u32) -> io::Result<u64> {
    bytes(&std::fs::read_to_string(proc_path(pid, "status"))?, "VmHWM:")
}

/// What a process weighs, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// Resident pages, shared ones included.
    pub rss: u64,
    /// The same with each shared page counted in parts.
    pub pss: u64,
    /// Resident pages of no file: what it has for itself.
    pub anonymous: u64,
}

/// The memory of `pid`, page by page: exact, where the kernel's running counts are some pages behind.
///
/// # Errors
/// As [`fd_count`]; `InvalidData` for a zombie.
pub fn memory(pid: u32) -> io::Result<Memory> {
    let rollup = std::fs::read_to_string(proc_path(pid, "smaps_rollup"))?;
    let field = |name| bytes(&rollup, name);
    Ok(Memory { rss: field("Rss:")?, pss: field("Pss:")?, anonymous: field("Anonymous:")? })
}

/// CPU time that the living threads of `pid` have used, by the scheduler's clock (nanoseconds, not ticks).
///
/// The time of a thread that has ended is not in it: take differences over a span in which no thread ends.
///
/// # Errors
/// As [`fd_count`].
pub fn cpu_time(pid: u32) -> io::Result<Duration> {
    let mut nanoseconds = 0;
    for task in tasks(pid)? {
        if let Ok(line) = std::fs::read_to_string(task.join("schedstat")) {
            nanoseconds += first_number(&line).unwrap_or(0);
        }
    }
    Ok(Duration::from_nanos(nanoseconds))
}

/// CPU time of `pid`, threads that have ended included, in the ticks of the kernel: mostly ten milliseconds.
///
/// # Errors
/// As [`fd_count`].
pub fn cpu_ticks(pid: u32) -> io::Result<Duration> {
    let stat = std::fs::read_to_string(proc_path(pid, "stat"))?;
    // As in `stat`: behind the name, of which the state is the first field; user and system time are the 12th and 13th.
    let ticks = stat.rsplit_once(") ").and_then(|(_, fields)| {
        let mut times = fields.split(' ').skip(11).map(str::parse::<u64>);
        Some(times.next()?.ok()? + times.next()?.ok()?)
    });
    let ticks = ticks
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unreadable /proc/<pid>/stat"))?;
    Ok(Duration::from_secs(ticks) / u32::try_from(clock_ticks_per_second()).unwrap_or(100))
}

/// CPU time of `pid` and all of its descendants that live now.
///
/// # Errors
/// As [`fd_count`], for `pid` itself; a descendant that goes meanwhile is left out.
pub fn tree_cpu_time(pid: u32) -> io::Result<Duration> {
    let own = cpu_time(pid)?;
    Ok(descendants(pid)
        .into_iter()
        .filter_map(|child| cpu_time(child).ok())
        .fold(own, |a, b| a + b))
}

/// The state letter of `pid`: `R`unning, `S`leeping, s`T`opped, `Z`ombie …
///
/// # Errors
/// As [`fd_count`].
pub fn state(pid: u32) -> io::Result<char> {
    Ok(stat(pid)?.0)
}

/// The process that `pid` is a child of.
///
/// # Errors
/// As [`fd_count`].
pub fn parent(pid: u32) -> io::Result<u32> {
    Ok(stat(pid)?.1)
}

/// Whether the environment that `pid` was started with holds `NAME=value`, byte for byte. None when there is nothing
/// to read: a zombie, or a program that is just being replaced by another.
#[must_use]
pub fn started_with(pid: u32, assignment: &str) -> Option<bool> {
    let block = std::fs::read(proc_path(pid, "environ")).ok().filter(|block| !block.is_empty())?;
    Some(block.split(|byte| *byte == 0).any(|entry| entry == assignment.as_bytes()))
}

/// Every process with its parent. The list that the kernel keeps per parent (`children`) would be shorter to read, but
/// it can miss one while another ends; this one holds whoever lives from the beginning of the call to its end.
fn parents() -> io::Result<Vec<(u32, u32)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc")?.flatten() {
        let Ok(pid) = entry.file_name().to_string_lossy().parse() else {
            continue;
        };
        if let Ok((_, parent)) = stat(pid) {
            found.push((pid, parent));
        }
    }
    Ok(found)
}

/// State and parent.
fn stat(pid: u32) -> io::Result<(char, u32)> {
    let stat = std::fs::read_to_string(proc_path(pid, "stat"))?;
    let read = || {
        // The command name stands in brackets and may contain anything, brackets and spaces too: look behind the last.
        let mut fields = stat.rsplit_once(") ")?.1.split(' ');
        Some((fields.next()?.chars().next()?, fields.next()?.parse().ok()?))
    };
    read().ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "unreadable /proc/<pid>/stat"))
}

fn proc_path(pid: u32, leaf: &str) -> PathBuf {
    Path::new("/proc").join(pid.to_string()).join(leaf)
}

fn tasks(pid: u32) -> io::Result<Vec<PathBuf>> {
    Ok(std::fs::read_dir(proc_path(pid, "task"))?.flatten().map(|entry| entry.path()).collect())
}

/// A size that the kernel keeps in KiB, in bytes.
fn bytes(text: &str, name: &str) -> io::Result<u64> {
    match status_field(text, name) {
        Some(kib) => Ok(kib * 1024),
        None => {
            let why = format!("no {name} the process is a zombie");
            Err(io::Error::new(io::ErrorKind::InvalidData, why))
        }
    }
}

fn status_field(status: &str, name: &str) -> Option<u64> {
    first_number(status.lines().find_map(|line| line.strip_prefix(name))?)
}

fn first_number(text: &str) -> Option<u64> {
    text.split_ascii_whitespace().next()?.parse().ok()
}
