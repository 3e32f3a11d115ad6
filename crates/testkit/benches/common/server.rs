//! Servers that can be started, and servers that are up: where they answer and what they have used.

use std::fmt::Debug;
use std::io;
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

/// Whatever keeps a server up: dropping it ends the whole tree.
pub(crate) trait Keeper: Debug {
    /// The process that owns the others.
    fn primary(&self) -> u32;

    /// # Panics
    /// Always: with what the server said.
    fn fail(&self, why: &str) -> !;
}

/// A server that is up. Dropping it ends its whole tree.
#[derive(Debug)]
pub(crate) struct Server {
    pub(crate) name: String,
    /// A primary accepts and hands over: its own CPU is worth a column.
    pub(crate) hands_over: bool,
    pub(crate) address: SocketAddr,
    keeper: Box<dyn Keeper>,
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
pub(crate) fn start(entries: Vec<Entry>, wanted: &[String]) -> Vec<Server> {
    entries.into_iter().filter(|it| is_wanted(&it.name, wanted)).map(Entry::start).collect()
}

/// Whether it was asked for: nobody by name is all.
pub(crate) fn is_wanted(name: &str, wanted: &[String]) -> bool {
    wanted.is_empty() || wanted.iter().any(|it| it == name)
}

/// An error for a name that nobody here has.
pub(crate) fn check(wanted: &[String], names: &[String]) -> Result<(), Failure> {
    match wanted.iter().find(|it| !names.contains(it)) {
        Some(unknown) => {
            Err(format!("no server {unknown:?} here; there are: {}", names.join(", ")).into())
        }
        None => Ok(()),
    }
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
    pub(crate) fn start(self) -> Server {
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
        Server::up(self.name, self.hands_over, address, Box::new(process))
    }
}

impl Keeper for Process {
    fn primary(&self) -> u32 {
        self.pid()
    }

    fn fail(&self, why: &str) -> ! {
        Self::fail(self, why)
    }
}

impl Server {
    /// One that answers by now, with all its workers.
    pub(crate) fn up(
        name: String,
        hands_over: bool,
        address: SocketAddr,
        keeper: Box<dyn Keeper>,
    ) -> Self {
        let workers = proc_fs::descendants(keeper.primary());
        Self { name, hands_over, address, keeper, workers }
    }

    /// # Panics
    /// With what the server said, when one of its processes is gone.
    pub(crate) fn cpu(&self) -> Cpu {
        let of = |pid| match used(pid) {
            Ok(time) => time,
            Err(error) => self.fail(&format!("process {pid} cannot be read: {error}")),
        };
        let primary = of(self.primary());
        Cpu { tree: self.workers.iter().fold(primary, |sum, pid| sum + of(*pid)), primary }
    }

    /// The process that owns the others.
    pub(crate) fn primary(&self) -> u32 {
        self.keeper.primary()
    }

    /// The others.
    pub(crate) fn workers(&self) -> &[u32] {
        &self.workers
    }

    /// # Panics
    /// Always: with what the server said.
    pub(crate) fn fail(&self, why: &str) -> ! {
        self.keeper.fail(why)
    }
}

/// By the scheduler's clock, which forgets the threads that have ended; where it did, by the kernel's ticks.
fn used(pid: u32) -> io::Result<Duration> {
    Ok(proc_fs::cpu_time(pid)?.max(proc_fs::cpu_ticks(pid)?))
}
