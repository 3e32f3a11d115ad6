//! Servers that can be started, and servers that are up: where they answer and what they have used.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use portcrew_testkit::process::{Process, Program, proc_fs};

use super::Failure;

/// How long a server may take until it listens.
const STARTED_WITHIN: Duration = Duration::from_secs(20);

/// A server that can be started.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) name: String,
    /// A primary accepts and hands over.
    pub(crate) hands_over: bool,
    pub(crate) program: Program,
    /// How many of its processes say that they listen.
    pub(crate) listeners: u16,
}

/// A server that is up. Dropping it ends its whole tree.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    /// A primary accepts and hands over: its own CPU is worth a column.
    pub(crate) hands_over: bool,
    pub(crate) address: SocketAddr,
    process: Process,
    /// Its workers; empty for a plain process.
    workers: Vec<u32>,
}

/// CPU time used so far.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cpu {
    pub(crate) tree: Duration,
    pub(crate) primary: Duration,
}

/// Starts those that are `wanted` by name (none is all), one after another, and returns when all listen.
pub(crate) fn start(entries: Vec<Entry>, wanted: &[String]) -> Result<Vec<Server>, Failure> {
    let known = |name: &String| entries.iter().any(|entry| entry.name == *name);
    if let Some(unknown) = wanted.iter().find(|name| !known(name)) {
        return Err(format!("no server {unknown:?} here").into());
    }
    let is_wanted = |it: &Entry| wanted.is_empty() || wanted.contains(&it.name);
    Ok(entries.into_iter().filter(is_wanted).map(Entry::start).collect())
}

/// The entries of this program, and of another build of it as `… (other)`.
pub(crate) fn with_other(
    other: Option<&Path>,
    ours: impl Fn(&Path) -> Vec<Entry>,
) -> Result<Vec<Entry>, Failure> {
    let mut entries = ours(&std::env::current_exe()?);
    let others = other.map(ours).unwrap_or_default();
    entries.extend(others.into_iter().map(|it| Entry { name: other_of(&it.name), ..it }));
    Ok(entries)
}

/// What the same server of another build is called.
pub(crate) fn other_of(name: &str) -> String {
    format!("{name} (other)")
}

impl Entry {
    fn start(self) -> Server {
        // Each of its own port, whatever this shell has set.
        let process = self.program.env_remove("PORT").start();
        let mut heard = 0;
        let line = process.wait_line(
            |line| {
                heard += u16::from(line.starts_with("LISTENING "));
                heard == self.listeners
            },
            STARTED_WITHIN,
        );
        let address = line.text.strip_prefix("LISTENING ").and_then(|it| it.trim().parse().ok());
        let Some(address) = address else { process.fail("it does not say where it listens") };
        let workers = proc_fs::descendants(process.pid());
        Server { name: self.name, hands_over: self.hands_over, address, process, workers }
    }
}

impl Server {
    /// # Panics
    /// With what the server said, when one of its processes is gone.
    pub(crate) fn cpu(&self) -> Cpu {
        let of = |pid| match proc_fs::cpu_time(pid) {
            Ok(time) => time,
            Err(error) => self.process.fail(&format!("process {pid} cannot be read: {error}")),
        };
        let primary = of(self.process.pid());
        Cpu { tree: self.workers.iter().fold(primary, |sum, pid| sum + of(*pid)), primary }
    }

    /// # Panics
    /// Always: with what the server said.
    pub(crate) fn fail(&self, why: &str) -> ! {
        self.process.fail(why)
    }
}
