//! What the benchmark can be asked for.

use clap::{Parser, ValueEnum};
use serde::Serialize;

/// Releases, good and broken: what they cost, on real processes.
///
/// Broken releases under load, good ones by the hundred, a crash loop, the size of the primary, and stops of workers
/// that do not want to leave; PM2 beside, where it is in the cache. Prints Markdown. Takes about 25 minutes.
#[derive(Debug, Parser)]
#[command(name = "releases")]
pub(crate) struct Args {
    /// A glance of two or three minutes: few of everything.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print everything as JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Only this part; repeatable.
    #[arg(long)]
    only: Vec<Part>,
    /// Only this manager; both otherwise.
    #[arg(long)]
    manager: Option<Manager>,
    /// What cargo says to a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Part {
    /// Releases that cannot serve.
    Broken,
    /// Releases that can.
    Good,
    /// Workers that die, once and for ever.
    Crash,
    /// What the primary and the commands cost.
    Small,
    /// Workers that do not want to leave.
    Stops,
}

/// Who manages the crews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Manager {
    Portcrew,
    Pm2,
}

/// How often each thing is done.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Counts {
    /// Broken releases of each kind.
    pub(crate) broken: u32,
    /// The same with PM2.
    pub(crate) broken_pm2: u32,
    /// Good ones of a Node crew with `Connection: close`.
    pub(crate) node: u32,
    /// Of a Rust crew.
    pub(crate) rust: u32,
    /// Of either with kept connections.
    pub(crate) kept: u32,
    /// Of PM2, for each load.
    pub(crate) good_pm2: u32,
    /// Workers that are killed.
    pub(crate) kills: u32,
    /// Seconds for which the primary of a crash loop is looked at.
    pub(crate) loop_s: u32,
    /// Runs of each command.
    pub(crate) asks: u32,
    /// Crews that are listed.
    pub(crate) crews: u32,
    /// Stops in all.
    pub(crate) stops: u32,
}

const FULL: Counts = Counts {
    broken: 50,
    broken_pm2: 3,
    node: 300,
    rust: 1000,
    kept: 100,
    good_pm2: 10,
    kills: 100,
    loop_s: 30,
    asks: 100,
    crews: 50,
    stops: 1000,
};

const QUICK: Counts = Counts {
    broken: 3,
    broken_pm2: 1,
    node: 10,
    rust: 30,
    kept: 10,
    good_pm2: 3,
    kills: 10,
    loop_s: 10,
    asks: 20,
    crews: 50,
    stops: 32,
};

impl Args {
    pub(crate) const fn counts(&self) -> Counts {
        if self.quick { QUICK } else { FULL }
    }

    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    pub(crate) fn has(&self, manager: Manager) -> bool {
        self.manager.is_none_or(|it| it == manager)
    }
}
