//! What a proof asks the kernel about a worker, or does to it behind its primary's back.

use std::time::Duration;

use portcrew_testkit::process::{eventually, proc_fs};
use rustix::process::{Pid, Signal, kill_process};

use super::HANG;

/// More than a process spends on reading a message and going to sleep again.
const SPINNING: Duration = Duration::from_millis(100);

/// SIGKILL from somebody who is not the primary.
///
/// # Panics
/// When there is no such process.
pub(crate) fn kill_from_outside(pid: u32) {
    let number = i32::try_from(pid).ok().and_then(Pid::from_raw).expect("a process id");
    kill_process(number, Signal::KILL).expect("the worker lives");
}

/// Waits until the process has used a good deal of CPU time from now on, as only a loop does.
///
/// # Panics
/// When it ends, or rests.
pub(crate) fn wait_spinning(pid: u32) {
    let used = || proc_fs::cpu_time(pid).expect("the worker lives");
    let before = used();
    eventually("the worker spins", HANG, || (used() >= before + SPINNING).then_some(()));
}

/// Whether its primary has waited for it: not even a zombie is left.
pub(crate) fn is_reaped(pid: u32) -> bool {
    proc_fs::state(pid).is_err()
}
