//! A crew under `portcrew run` or `portcrew demo`, started and watched for a test.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::net::SocketAddr;
use std::time::Duration;

use portcrew_testkit::process::{Line, Process, Program, Stream, eventually, proc_fs};

/// Only detects a hang.
pub(crate) const HANG: Duration = Duration::from_secs(30);

/// The binary with a sub-command, in an environment that does not change what a test sees.
///
/// Each has a place of its own for its control socket, its logs and the module of `--register`: crews of other tests
/// have the same names. It is not in the checkout, which may belong to another user: root makes no socket there.
pub(crate) fn portcrew(command: &str) -> Program {
    let place = tempfile::tempdir().unwrap();
    let [runtime, state] = ["run", "state"].map(|name| place.path().join(name));
    std::fs::create_dir(&runtime).unwrap();
    Program::new(env!("CARGO_BIN_EXE_portcrew"))
        .arg(command)
        .env_remove("NODE_OPTIONS")
        .env_remove("NODE_CLUSTER_SCHED_POLICY")
        .env_remove("PORT")
        .env("XDG_RUNTIME_DIR", runtime)
        .env("XDG_STATE_HOME", state)
        .keep(place)
        .name(format!("portcrew {command}"))
}

/// Starts `portcrew run` with these arguments.
pub(crate) fn run<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Crew {
    Crew { process: portcrew("run").args(args).start() }
}

/// A running crew.
pub(crate) struct Crew {
    pub(crate) process: Process,
}

impl Crew {
    /// Where it listens, as soon as the primary has said so.
    pub(crate) fn address(&self) -> SocketAddr {
        let line = self.says("listening on ");
        line.text.rsplit(' ').next().unwrap().parse().unwrap()
    }

    /// Waits until the primary says a line with this in it.
    pub(crate) fn says(&self, words: &str) -> Line {
        self.process.wait_line(is_said(words), HANG)
    }

    /// Waits until so many different workers have printed `LISTENING`, and gives the address.
    pub(crate) fn serving(&self, workers: usize) -> SocketAddr {
        self.all_serve(workers);
        self.address()
    }

    /// Waits until so many different workers have printed `LISTENING`, wherever that is.
    pub(crate) fn all_serve(&self, workers: usize) {
        let mut names = BTreeSet::new();
        let is_last = |line: &str| {
            if let Some((name, _)) = line.split_once(" | LISTENING ") {
                names.insert(name.to_owned());
            }
            names.len() == workers
        };
        self.process.wait_line(is_last, HANG);
    }

    /// The workers' pids.
    pub(crate) fn pids(&self) -> BTreeSet<u32> {
        proc_fs::children(self.process.pid()).unwrap().into_iter().collect()
    }

    /// Waits until there are exactly so many workers, and gives their pids.
    pub(crate) fn pids_when(&self, workers: usize) -> BTreeSet<u32> {
        eventually("the number of workers", HANG, || {
            Some(self.pids()).filter(|pids| pids.len() == workers)
        })
    }

    /// What the primary has said so far.
    pub(crate) fn said(&self) -> Vec<String> {
        let lines = self.process.lines();
        lines
            .into_iter()
            .filter(|line| line.stream == Stream::Err)
            .filter_map(|line| line.text.strip_prefix("portcrew: ").map(str::to_owned))
            .collect()
    }

    /// Waits for the end, and for the last line; gives the exit status.
    pub(crate) fn status(&mut self) -> i32 {
        let (status, _) = self.process.wait_output(HANG);
        status.code().unwrap_or_else(|| self.process.fail("it was ended by a signal"))
    }
}

/// A line of the primary with this in it.
pub(crate) fn is_said(words: &str) -> impl FnMut(&str) -> bool {
    move |line| line.starts_with("portcrew: ") && line.contains(words)
}

/// Asserts that none of these processes is there any more.
pub(crate) fn assert_gone(pids: &BTreeSet<u32>) {
    for pid in pids {
        assert!(proc_fs::state(*pid).is_err(), "process {pid} is still there");
    }
}
