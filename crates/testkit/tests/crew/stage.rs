//! A place that everybody can enter, with what another user is to start.

use std::path::{Path, PathBuf};
use std::process::Command;

use portcrew_testkit::process::Program;
use tempfile::TempDir;

/// The user that may do nothing.
pub(crate) const NOBODY: &str = "65534";

/// Programs in a directory of their own.
pub(crate) struct Stage {
    pub(crate) directory: TempDir,
}

impl Stage {
    /// Nothing, visibly, where another user cannot be played.
    pub(crate) fn set() -> Option<Self> {
        let is_there = |name: &str| Command::new(name).arg("--version").output().is_ok();
        if !rustix::process::geteuid().is_root() || !is_there("setpriv") || !is_there("prlimit") {
            return skip("only root can play another user, by setpriv and prlimit");
        }
        let directory = tempfile::tempdir().unwrap();
        open_to_all(directory.path());
        Some(Self { directory })
    }

    pub(crate) fn copy(&self, file: impl AsRef<Path>) -> PathBuf {
        let file = file.as_ref();
        let copy = self.directory.path().join(file.file_name().unwrap());
        std::fs::copy(file, &copy).unwrap();
        open_to_all(&copy);
        copy
    }

    /// Sets a limit (`nofile`, `nproc`) of a process of that user; the user may, where root has not the right to.
    pub(crate) fn limit(&self, user: &str, pid: u32, what: &str, soft: &str) {
        let mut command = Command::new("setpriv");
        command.args(["--reuid", user, "--regid", user, "--clear-groups", "--", "prlimit"]);
        command.args(["--pid".to_owned(), pid.to_string(), format!("--{what}={soft}:")]);
        assert!(command.current_dir(self.directory.path()).status().unwrap().success());
    }

    /// That command, run by a user of this number.
    pub(crate) fn run_as(&self, user: &str, command: &[&Path]) -> Program {
        Program::new("setpriv")
            .args(["--reuid", user, "--regid", user, "--clear-groups", "--"])
            .args(command)
            .cwd(self.directory.path())
            .env_remove("NODE_OPTIONS")
            .env_remove("NODE_CLUSTER_SCHED_POLICY")
            .stdin_pipe()
    }
}

fn open_to_all(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Says visibly that a test was not made.
pub(crate) fn skip<T>(why: &str) -> Option<T> {
    use std::io::Write as _;
    // Written to the descriptor itself: the test framework hides what `eprintln!` writes in a passing test.
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
    None
}
