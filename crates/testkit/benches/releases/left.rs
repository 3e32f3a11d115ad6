//! What is left of a crew: processes by a variable that all of them inherit.

use std::fs;

use portcrew_testkit::process::proc_fs;
use rustix::process::{Pid, WaitOptions, waitpid};

/// The processes that were started with this assignment in their environment, wherever they went. Zombies have none.
pub(crate) fn carriers(assignment: &str) -> Vec<u32> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|it| it.file_name().to_string_lossy().parse().ok());
    pids.filter(|pid| proc_fs::started_with(*pid, assignment) == Some(true)).collect()
}

/// Takes the exit status of those that have lost their parent and have become children of this process.
pub(crate) fn reap(pids: &[u32]) {
    let pids = pids.iter().filter_map(|pid| Pid::from_raw(i32::try_from(*pid).ok()?));
    for pid in pids {
        // Most are children of others, and are reaped by them.
        let _ = waitpid(Some(pid), WaitOptions::NOHANG);
    }
}
