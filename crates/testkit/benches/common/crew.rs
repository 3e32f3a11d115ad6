//! A crew in the foreground, steered by the commands that a user has.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use portcrew_testkit::process::{self, Process, Program, eventually, proc_fs};

use crate::Failure;
use crate::place::{Answer, HANG, Place};

/// All crews have it: each is in a place of its own.
pub(crate) const NAME: &str = "app";

/// Workers of each, unless it is said otherwise.
pub(crate) const WORKERS: usize = 2;

/// A running crew. Dropping it ends the whole tree.
#[derive(Debug)]
pub(crate) struct Crew<'a> {
    place: &'a Place,
    pub(crate) process: Process,
    /// From which the times of its lines count.
    pub(crate) started: Instant,
}

/// `portcrew run` of two workers, still without a program.
pub(crate) fn command(place: &Place, options: &[&str]) -> Program {
    command_of(WORKERS, place, options)
}

/// The same of so many.
pub(crate) fn command_of(workers: usize, place: &Place, options: &[&str]) -> Program {
    let workers = workers.to_string();
    place.command(["run", "--name", NAME, "-w", &workers]).args(options)
}

impl<'a> Crew<'a> {
    /// Starts it and returns when every worker is ready.
    pub(crate) fn start(place: &'a Place, program: Program) -> Self {
        let crew = Self::begin(place, program);
        eventually("every worker is ready", HANG, || crew.is_complete().then_some(()));
        crew
    }

    /// Whether every worker that is wanted is ready.
    pub(crate) fn is_complete(&self) -> bool {
        let status = self.place.describe(NAME).unwrap_or_default();
        status["phase"] == "running" && status["ready"] == status["wanted"]
    }

    /// Starts it and returns at once.
    pub(crate) fn begin(place: &'a Place, program: Program) -> Self {
        let started = Instant::now();
        Self { place, process: program.start(), started }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Where its workers listen.
    pub(crate) fn address(&self) -> Result<SocketAddr, Failure> {
        let status = self.place.describe(NAME)?;
        let address = status["addresses"][0].as_str().ok_or("it listens nowhere")?;
        Ok(address.parse()?)
    }

    pub(crate) fn generation(&self) -> Result<u64, Failure> {
        let status = self.place.describe(NAME)?;
        Ok(status["generation"].as_u64().ok_or("it has no generation")?)
    }

    /// Its worker processes, those that are leaving included.
    pub(crate) fn workers(&self) -> Result<BTreeSet<u32>, Failure> {
        Ok(proc_fs::children(self.pid())?.into_iter().collect())
    }

    pub(crate) fn reload(&self) -> Answer {
        self.place.ask(&["reload", NAME])
    }

    /// Waits until no process but these is its child; false when others stay.
    pub(crate) fn settles(&self, wanted: &BTreeSet<u32>, within: Duration) -> bool {
        let deadline = Instant::now() + within;
        let others = self.workers().map(|all| all.difference(wanted).copied().collect::<Vec<_>>());
        others.is_ok_and(|others| others.into_iter().all(|pid| gone_by(pid, deadline)))
    }

    /// Stops it as a user does.
    pub(crate) fn stop(mut self) -> Answer {
        let answer = self.place.ask(&["stop", NAME]);
        self.process.wait_exit(HANG);
        answer
    }
}

/// Waits for the end of a process; false when it lives on.
pub(crate) fn gone_by(pid: u32, deadline: Instant) -> bool {
    process::wait_dead(pid, deadline.saturating_duration_since(Instant::now()))
}
