//! A place that everybody can enter, with what another user is to start.

use std::path::{Path, PathBuf};
use std::process::Command;

use portcrew_testkit::process::Program;
use portcrew_testkit::witness::Witness;

/// The user that may do nothing.
pub(crate) const NOBODY: &str = "65534";

/// Programs in a directory of their own.
pub(crate) struct Stage {
    place: Witness,
}

impl Stage {
    /// Nothing, visibly, where another user cannot be played.
    pub(crate) fn set() -> Option<Self> {
        let is_there = |name: &str| Command::new(name).arg("--version").output().is_ok();
        if !rustix::process::geteuid().is_root() || !is_there("setpriv") || !is_there("prlimit") {
            return skip("only root can play another user, by setpriv and prlimit");
        }
        Some(Self { place: Witness::new() })
    }

    pub(crate) fn copy(&self, file: impl AsRef<Path>) -> PathBuf {
        self.place.copy(file)
    }

    /// Sets a limit (`nofile`, `nproc`) of a process of that user; the user may, where root has not the right to.
    pub(crate) fn limit(&self, user: &str, pid: u32, what: &str, soft: &str) {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", user, "--regid", user, "--clear-groups", "--", "prlimit"]);
        command.args(["--pid".to_owned(), pid.to_string(), format!("--{what}={soft}:")]);
        assert!(command.current_dir(self.place.directory()).status().unwrap().success());
    }

    /// That command, run by a user of this number.
    pub(crate) fn run_as(&self, user: &str, command: &[&Path]) -> Program {
        Program::new("setpriv")
            .args(["--reuid", user, "--regid", user, "--clear-groups", "--"])
            .args(command)
            .cwd(self.place.directory())
            .env_remove("NODE_OPTIONS")
            .env_remove("NODE_CLUSTER_SCHED_POLICY")
            .stdin_pipe()
    }
}

/// Says visibly that a test was not made.
pub(crate) fn skip<T>(why: &str) -> Option<T> {
    use std::io::Write as _;
    // Written to the descriptor itself: the test framework hides what `eprintln!` writes in a passing test.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
    None
}
