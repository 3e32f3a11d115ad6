//! A place of its own for crews: their sockets, their logs, and the commands that find them there.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use portcrew_testkit::process::{Program, Stream};
use serde_json::Value;
use tempfile::TempDir;

use crate::Failure;

/// Only detects a hang.
pub(crate) const HANG: Duration = Duration::from_secs(60);

/// The directories of some crews. They are gone when this is.
#[derive(Debug)]
pub(crate) struct Place {
    directory: TempDir,
    portcrew: PathBuf,
}

/// What a command said, and how long it took.
#[derive(Debug)]
pub(crate) struct Answer {
    /// None: a signal ended it.
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) took: Duration,
}

impl Place {
    pub(crate) fn new(portcrew: &Path) -> Result<Self, Failure> {
        let directory = tempfile::Builder::new().prefix("portcrew-bench-").tempdir()?;
        fs::create_dir(directory.path().join("run"))?;
        Ok(Self { directory, portcrew: portcrew.to_path_buf() })
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// `portcrew` with these arguments, at home here.
    pub(crate) fn command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Program {
        Program::new(&self.portcrew)
            .args(args)
            .cwd(self.path())
            .env("XDG_RUNTIME_DIR", self.path().join("run"))
            .env("XDG_STATE_HOME", self.path().join("state"))
            .env("COLUMNS", "100")
            .env_remove("NODE_OPTIONS")
            .env_remove("NODE_CLUSTER_SCHED_POLICY")
            .env_remove("PORT")
    }

    /// Runs a command to its end.
    pub(crate) fn ask(&self, args: &[&str]) -> Answer {
        answer(self.command(args))
    }

    /// The status of the crew of this name, as `describe --json` has it.
    pub(crate) fn describe(&self, name: &str) -> Result<Value, Failure> {
        let answer = self.ask(&["describe", "--json", name]);
        let mut all: Value = serde_json::from_str(&answer.out)
            .map_err(|error| format!("{name}: {error}: {} {}", answer.out, answer.err))?;
        let status = all.pointer_mut("/crews/0").map(Value::take);
        Ok(status.ok_or_else(|| format!("there is no {name}"))?)
    }

    /// What crews have left in the directory of their sockets.
    pub(crate) fn left_over(&self) -> Result<Vec<PathBuf>, Failure> {
        let sockets = self.path().join("run/portcrew");
        let entries = fs::read_dir(sockets)?;
        Ok(entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?)
    }
}

/// Runs a program to its end.
pub(crate) fn answer(program: Program) -> Answer {
    let begun = Instant::now();
    let mut process = program.start();
    let status = process.wait_exit(HANG);
    let took = begun.elapsed();
    let (_, lines) = process.wait_output(HANG);
    let of = |stream| {
        let lines = lines.iter().filter(|line| line.stream == stream);
        lines.map(|line| format!("{}\n", line.text)).collect::<String>()
    };
    Answer { status: status.code(), out: of(Stream::Out), err: of(Stream::Err), took }
}
