//! One proof's surroundings.

use std::fs;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portcrew::Settings;
use portcrew_testkit::node::Node;
use portcrew_testkit::process::Program;
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

use super::node::{self, NodeProcess};
use crate::part;
use crate::row::Row;

/// Only detects a hang.
pub(crate) const HANG: Duration = Duration::from_secs(30);

/// What a proof is given.
pub(crate) struct World {
    row: &'static Row,
    node: Option<Node>,
    directory: TempDir,
    runtime: Runtime,
}

impl World {
    pub(crate) fn new(row: &'static Row, node: Option<Node>) -> std::io::Result<Self> {
        let directory = tempfile::Builder::new().prefix("parity-").tempdir()?;
        // A second thread, so that a client of the proof may block while the primary goes on.
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { row, node, directory, runtime })
    }

    /// Runs the proof's primary side.
    pub(crate) fn run<T>(&self, side: impl Future<Output = T>) -> T {
        self.runtime.block_on(side)
    }

    /// An empty directory that is removed at the end.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The Node of this proof.
    ///
    /// # Panics
    /// In a pairing without Node.
    pub(crate) fn node(&self) -> &Node {
        self.node.as_ref().expect("a pairing with Node")
    }

    /// Workers, or plain children, that run this JavaScript under a Rust primary or parent. `say(VALUE)` is there
    /// for `process.send(VALUE)`.
    pub(crate) fn node_workers(&self, script: &str) -> Settings {
        let path = self.write("worker.js", &format!("{}{script}", node::FOR_WORKERS));
        Settings::program(self.node().path(), [path])
    }

    /// Workers, or plain children, that play this part of the row under a Rust primary or parent.
    pub(crate) fn rust_workers(&self, part: &str) -> Settings {
        Settings::program(exe(), [part::FLAG.to_owned(), self.part(part)])
    }

    /// Node's primary with this script; its workers play `part`. See [`NodeProcess`] for what the script has.
    pub(crate) fn node_primary(&self, part: &str, script: &str) -> NodeProcess {
        NodeProcess::start(self.node_program(part, script))
    }

    /// As [`node_primary`](Self::node_primary), with Node's policy `SCHED_NONE`.
    pub(crate) fn node_primary_sharing(&self, part: &str, script: &str) -> NodeProcess {
        NodeProcess::start(self.node_program(part, script).env("NODE_CLUSTER_SCHED_POLICY", "none"))
    }

    /// As [`node_primary`](Self::node_primary), not started yet: for another directory, user or policy.
    pub(crate) fn node_program(&self, part: &str, script: &str) -> Program {
        let path = self.write("primary.js", &format!("{}{script}", node::FOR_PRIMARIES));
        let program = self.node().script(path).name(format!("node primary of {}", self.row.name));
        program
            .env("PARITY_EXE", exe())
            .env("PARITY_PART", self.part(part))
            .env("PARITY_DIRECTORY", self.directory())
            .stdin_pipe()
    }

    /// This program, to be started with that part of the row as a process of its own.
    pub(crate) fn rust_program(&self, part: &str) -> Program {
        Program::new(exe()).arg(part::FLAG).arg(self.part(part)).name(self.part(part)).stdin_pipe()
    }

    /// Writes a file into the proof's directory.
    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.directory().join(name);
        fs::write(&path, text).expect("a temporary directory can be written to");
        path
    }

    /// That part of the row, as [`part::FLAG`] wants it.
    pub(super) fn part(&self, part: &str) -> String {
        assert!(self.row.parts.iter().any(|it| it.name == part), "the row has no part {part:?}");
        format!("{}/{part}", self.row.name)
    }
}

pub(super) fn exe() -> PathBuf {
    std::env::current_exe().expect("the system knows it")
}
