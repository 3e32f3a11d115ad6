//! Reads what `/proc` shows of a process. It may wait, so it belongs on a thread of its own.

use std::fs::File;
use std::io::Read as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::stat::{nanoseconds, stack, stat, system_call, tracer, waits_in};
use super::{Diagnosis, ProcessState};

/// For how long it is looked at what processor time is used. Who waits for the worker waits for this too.
const SAMPLE: Duration = Duration::from_millis(50);

/// The most that is read of one file, in bytes. They are shorter.
const MOST: u64 = 4096;

/// The most threads whose processor time is added up.
const MOST_THREADS: usize = 64;

/// What this process is doing. The caller sees to it that the number is still that of the process that is meant.
pub(in crate::primary) fn read(pid: u32) -> Diagnosis {
    let mut found = state(pid);
    match found.state {
        // It does nothing, and whoever waits for it need not wait for that to be measured.
        ProcessState::Stopped
        | ProcessState::Traced
        | ProcessState::Dead
        | ProcessState::Unknown => return found,
        // In the kernel it is only by chance.
        ProcessState::Running => {
            found.cpu = cpu(pid);
            return found;
        }
        ProcessState::Sleeping | ProcessState::Uninterruptible => {}
    }
    found.cpu = cpu(pid);
    found.waits_in = file(pid, "wchan").as_deref().and_then(waits_in);
    found.system_call = file(pid, "syscall").as_deref().and_then(system_call);
    found.kernel_stack = file(pid, "stack").as_deref().map(stack).unwrap_or_default();
    found
}

fn state(pid: u32) -> Diagnosis {
    let (state, threads) = file(pid, "stat").as_deref().and_then(stat).unwrap_or_default();
    let tracer = file(pid, "status").as_deref().and_then(tracer);
    Diagnosis { state, tracer, threads, ..Diagnosis::default() }
}

fn cpu(pid: u32) -> Option<u32> {
    let (before, began) = (used(pid)?, Instant::now());
    sleep(SAMPLE);
    let (after, took) = (used(pid)?, began.elapsed());
    // A thread that has ended meanwhile takes its time with it.
    let used = u128::from(after.saturating_sub(before)) * 100;
    u32::try_from(used / took.as_nanos().max(1)).ok()
}

/// Nanoseconds of all its threads on a processor.
fn used(pid: u32) -> Option<u64> {
    let threads = std::fs::read_dir(format!("/proc/{pid}/task")).ok()?;
    let files = threads.flatten().take(MOST_THREADS).map(|it| it.path().join("schedstat"));
    files.filter_map(|path| nanoseconds(&text(&path)?)).reduce(u64::saturating_add)
}

fn file(pid: u32, name: &str) -> Option<String> {
    text(format!("/proc/{pid}/{name}").as_ref())
}

fn text(path: &std::path::Path) -> Option<String> {
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(MOST).read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_there_and_one_that_is_not_there_is_unknown() {
        let found = read(std::process::id());
        assert_ne!(found.state, ProcessState::Unknown);
        assert!(found.threads.is_some_and(|it| it > 1), "{found:?}");
        assert_eq!(read(u32::MAX), Diagnosis::default());
    }
}
