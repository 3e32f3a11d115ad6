//! A crew of Python programs, which are beside this file.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use portcrew_testkit::http::{Load, Report, Target};
use portcrew_testkit::process::Program;

use crate::crew::{Crew, HANG, portcrew};

/// The programs of these tests.
pub(super) const PROGRAMS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/listen/programs");

/// Python itself: a version manager's stand-in takes a second to find it.
pub(super) fn python() -> Option<PathBuf> {
    let own = Path::new("/usr/bin/python3");
    if own.exists() {
        return Some(own.to_owned());
    }
    let search = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&search).map(|it| it.join("python3")).find(|it| it.is_file());
    if found.is_none() {
        eprintln!("skipped: python3 not found");
    }
    found
}

/// A program of this name, with its arguments behind it.
pub(super) fn script(name: &str) -> String {
    format!("{PROGRAMS}/{name}")
}

/// `portcrew run` with these options, which quickly counts a worker as ready.
pub(super) fn program(python: &Path, options: &[&str], name: &str, args: &[&str]) -> Program {
    portcrew("run")
        .args(["--no-control", "--stable", "100ms"])
        .args(options)
        .arg("--")
        .arg(python)
        // No file of compiled modules beside the programs.
        .arg("-B")
        .arg(script(name))
        .args(args)
}

/// The same, running.
pub(super) fn crew(python: &Path, options: &[&str], name: &str, args: &[&str]) -> Crew {
    Crew { process: program(python, options, name, args).start() }
}

/// A load that waits as long as it takes: how fast they are is no matter here.
pub(super) fn load(target: impl Into<Target>) -> Load {
    Load::new(target).per_try_timeout(HANG)
}

/// Whoever answered was a worker of these.
pub(super) fn assert_answered_by(report: &Report, pids: &BTreeSet<u32>) {
    report.assert_all_ok();
    for worker in report.by_worker.keys() {
        assert!(pids.contains(&worker.parse().unwrap()), "{worker} of {pids:?}");
    }
}
