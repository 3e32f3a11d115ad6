//! What the benchmark can be asked for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use serde::Serialize;

use crate::common::fixture::{Command, Hello};

/// The heavy tail: what a few slow requests cost all others, with portcrew and with Node's cluster, in one run.
///
/// Requests arrive at random whatever the servers do, each on a connection of its own; one in 100 takes 50 ms, the
/// others 0.1 ms. Prints the latency of those others, ratios taken inside each round, how evenly connections are
/// spread, and which targets are reached, all as Markdown. Takes about five minutes.
#[derive(Debug, Parser)]
#[command(name = "tail", args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// A glance of about a minute: fewer and shorter slices.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print everything as JSON, every slice included.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write everything as JSON into this file too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json_file: Option<PathBuf>,
    /// Rounds of each case. At most 1000.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: Option<u32>,
    /// Milliseconds of each slice. 100 to 60000.
    #[arg(long, value_parser = clap::value_parser!(u64).range(100..=60_000))]
    slice: Option<u64>,
    /// Workers of each crew.
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: u16,
    /// Requests per second where the slow ones block. 1 to 20000.
    #[arg(long, default_value_t = 1200, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    block_rate: u32,
    /// Requests per second where the slow ones spin. 1 to 20000.
    #[arg(long, default_value_t = 600, value_parser = clap::value_parser!(u32).range(1..=20_000))]
    spin_rate: u32,
    /// One request in so many is slow.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(2..))]
    pub(crate) one_in: u32,
    /// Milliseconds that a slow request takes. At most 1000.
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) slow_ms: u32,
    /// Microseconds of CPU that a fast request takes. At most 10000.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub(crate) fast_us: u32,
    /// Only these servers, by the names in the table; repeatable.
    #[arg(long, value_name = "NAME")]
    pub(crate) server: Vec<String>,
    /// Only this part; repeatable.
    #[arg(long)]
    only: Vec<Part>,
    /// What the Rust servers are written with.
    #[arg(long, default_value = "hyper")]
    pub(crate) hello: Hello,
    /// Another build of this benchmark, whose portcrew servers run in the same rounds as `… (other)`: before and after.
    #[arg(long, value_name = "EXECUTABLE")]
    pub(crate) other: Option<PathBuf>,
    /// What cargo says to a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// The parts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Part {
    /// Slow requests that block.
    Block,
    /// Slow requests that spin.
    Spin,
    /// How evenly connections are spread.
    Balance,
}

/// What a slow request does while it is slow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Case {
    /// It holds the worker's one thread and uses no CPU.
    Block,
    /// It uses CPU.
    Spin,
}

impl Args {
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 3 } else { 9 })
    }

    pub(crate) fn slice(&self) -> Duration {
        Duration::from_millis(self.slice.unwrap_or(if self.quick { 1000 } else { 2000 }))
    }

    pub(crate) const fn rate(&self, case: Case) -> u32 {
        match case {
            Case::Block => self.block_rate,
            Case::Spin => self.spin_rate,
        }
    }

    pub(crate) fn cases(&self) -> Vec<Case> {
        let parts = [(Part::Block, Case::Block), (Part::Spin, Case::Spin)];
        parts.into_iter().filter(|(part, _)| self.wants(*part)).map(|(_, case)| case).collect()
    }

    pub(crate) fn wants_balance(&self) -> bool {
        self.wants(Part::Balance)
    }

    fn wants(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }
}
