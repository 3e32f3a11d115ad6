//! A Rust primary with a process of its own, for rows that are about the primary's own life.

use std::future::Future;
use std::path::PathBuf;

use portcrew::{Role, Settings};
use portcrew_testkit::process::Program;

use super::{NodeProcess, Primary, World};
use crate::{part, tell};

/// Its workers: the program and its arguments, as a JSON array.
const WORKERS: &str = "PARITY_WORKERS";

impl World {
    /// A Rust primary that plays `part` by [`lead`], with these workers.
    pub(crate) fn rust_leader(&self, part: &str, workers: &Settings) -> NodeProcess {
        NodeProcess::start(self.leader(part, workers))
    }

    /// A Rust primary with a process of its own that tells its events and obeys as Node's does, not started yet: for
    /// another directory, user or policy. The row must have [`tell::PART`].
    pub(crate) fn rust_primary(&self, workers: &Settings) -> Program {
        self.leader(tell::PART.name, workers)
    }

    fn leader(&self, part: &str, workers: &Settings) -> Program {
        let exec = workers.exec.clone().expect("a row names its workers' program");
        let args = workers.args.iter().map(PathBuf::from);
        let command = std::iter::once(exec).chain(args).collect::<Vec<_>>();
        let command = serde_json::to_string(&command).expect("a row's arguments are text");
        self.rust_program(part).env(WORKERS, command).env_remove("NODE_CLUSTER_SCHED_POLICY")
    }
}

/// Plays a primary with the workers that the row gave it. When `side` returns, its workers are not waited for.
///
/// # Panics
/// When this process was not started by [`World::rust_leader`].
pub(crate) fn lead<F: Future<Output = ()>>(role: Role, side: impl FnOnce(Primary) -> F) {
    let command = std::env::var(WORKERS).expect("started as a primary");
    let mut command: Vec<PathBuf> = serde_json::from_str(&command).expect("a list of texts");
    let args = command.split_off(1);
    let settings = Settings::program(command.remove(0), args);
    part::primary(role, settings, |cluster| side(Primary::of(cluster)));
}
