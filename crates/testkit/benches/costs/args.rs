//! What the benchmark can be asked for.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use serde::Serialize;

use crate::common::fixture::Command;

/// What a crew costs beside its requests: start, memory, more workers, idle connections, the end of a connection, and
/// the death of a worker. portcrew, Node's cluster, PM2 and nginx, where they are there.
///
/// Prints Markdown. Takes about five minutes.
#[derive(Debug, Parser)]
#[command(name = "costs", args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// A glance of about 45 seconds: few of everything.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print everything as JSON, every slice included.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write everything as JSON into this file too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json_file: Option<PathBuf>,
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
    /// From the start of the primary to answers.
    Start,
    /// Before and after many connections.
    Memory,
    /// CPU of a connection with more and more workers.
    Growth,
    /// Many connections that do nothing.
    Idle,
    /// From the worker's close to the client's end.
    Ends,
    /// Requests that a killed worker takes with it.
    Loss,
}

/// How often each thing is done.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct Counts {
    /// Starts of each server with so many workers: the first numbers are the workers.
    pub(crate) starts: [(u16, u32); 3],
    /// Short connections between the two looks at memory.
    pub(crate) connections: u64,
    /// Of the one crew whose primary must not grow.
    pub(crate) long: u64,
    /// Rounds with more and more workers.
    pub(crate) growth: u32,
    /// Idle connections of each server.
    pub(crate) idle: u32,
    /// Rounds with and without them.
    pub(crate) idle_rounds: u32,
    /// Rounds of connections that end.
    pub(crate) ends: u32,
    /// Kills of each server.
    pub(crate) kills: u32,
}

const FULL: Counts = Counts {
    starts: [(2, 7), (8, 5), (32, 5)],
    connections: 20_000,
    long: 1_000_000,
    growth: 9,
    idle: 10_000,
    idle_rounds: 9,
    ends: 9,
    kills: 10,
};

const QUICK: Counts = Counts {
    starts: [(2, 2), (8, 1), (32, 1)],
    connections: 3_000,
    long: 30_000,
    growth: 2,
    idle: 2_000,
    idle_rounds: 2,
    ends: 2,
    kills: 3,
};

impl Args {
    pub(crate) const fn counts(&self) -> Counts {
        if self.quick { QUICK } else { FULL }
    }

    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}
