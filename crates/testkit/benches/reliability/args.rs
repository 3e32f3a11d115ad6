//! What the benchmark can be asked for.

use clap::{Parser, ValueEnum};
use serde::Serialize;

/// What faults cost, on real processes, in the books of the clients and of the primary.
///
/// Workers that are killed under load and before they answer, a primary without descriptors, a worker that is stopped,
/// and a long run of restarts; the same kills with Node's cluster, PM2 and nginx beside, where they are there. Prints
/// Markdown. Takes about 20 minutes.
#[derive(Debug, Parser)]
#[command(name = "reliability")]
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
    /// What cargo says to a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Workers that are killed under load.
    Kills,
    /// Workers that are killed before they answer.
    Before,
    /// A primary that has no descriptor left.
    Starved,
    /// A worker that is stopped.
    Stopped,
    /// Workers of the policy `kernel` that are killed, stopped and replaced.
    Spread,
    /// Many restarts and connections.
    Soak,
    /// Kills with others than portcrew.
    Peers,
}

/// How often each thing is done.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Counts {
    /// Rust workers that are killed under load.
    pub(crate) rust_kills: u64,
    /// Node workers.
    pub(crate) node_kills: u64,
    /// Workers that die before they answer for what they were given.
    pub(crate) before: u64,
    /// Seconds without a descriptor.
    pub(crate) starved_s: u32,
    /// Clients meanwhile.
    pub(crate) starved_clients: usize,
    /// Rounds with and without a stopped worker.
    pub(crate) stops: u32,
    /// Workers of the policy `kernel` that are killed, of each kind.
    pub(crate) spread_kills: u64,
    /// Its reloads; it grows and shrinks half as often.
    pub(crate) spread_moves: u64,
    /// Restarts of the long run.
    pub(crate) restarts: u64,
    /// Its connections.
    pub(crate) connections: u64,
    /// Kills with each of the others.
    pub(crate) peer_kills: u64,
}

const FULL: Counts = Counts {
    rust_kills: 10_000,
    node_kills: 1_000,
    before: 10_000,
    starved_s: 10,
    starved_clients: 1_000,
    stops: 10,
    spread_kills: 500,
    spread_moves: 200,
    restarts: 100_000,
    connections: 1_000_000,
    peer_kills: 100,
};

const QUICK: Counts = Counts {
    rust_kills: 200,
    node_kills: 30,
    before: 200,
    starved_s: 3,
    starved_clients: 300,
    stops: 2,
    spread_kills: 20,
    spread_moves: 6,
    restarts: 500,
    connections: 10_000,
    peer_kills: 10,
};

impl Args {
    pub(crate) const fn counts(&self) -> Counts {
        if self.quick { QUICK } else { FULL }
    }

    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}
