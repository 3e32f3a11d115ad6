//! When and where a page was made.

use std::fs;
use std::process::Command;
use std::thread;

/// As 2026-01-31, UTC.
pub(crate) fn today() -> String {
    let output = Command::new("date").args(["-u", "+%F"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// The processors and the kernel.
pub(crate) fn machine() -> String {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    // The host's own suffix says nothing to anybody else.
    let release = release.trim().split('-').next().unwrap_or_default();
    format!("{cores} cores, Linux {release} ({})", std::env::consts::ARCH)
}
