//! What the benchmark can be asked for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use serde::Serialize;

use crate::common::fixture::{Command, Hello};

/// Short connections and keep-alive: portcrew against Node's cluster and plain single processes, in one run.
///
/// Prints a table for each, with ratios taken inside each round. Takes about 75 seconds; on a busy machine take more rounds.
#[derive(Debug, Parser)]
#[command(name = "compare", args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// A glance of about 15 seconds: fewer and shorter slices.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print everything as JSON, every slice included.
    #[arg(long)]
    pub(crate) json: bool,
    /// Rounds of short connections; keep-alive gets half of them. At most 1000.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: Option<u32>,
    /// Milliseconds of each slice. 10 to 10000.
    #[arg(long, value_parser = clap::value_parser!(u64).range(10..=10_000))]
    slice: Option<u64>,
    /// Closed-loop clients.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..=400))]
    pub(crate) clients: u16,
    /// Workers of each crew.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub(crate) workers: u16,
    /// Only these servers, by the names in the table; repeatable.
    #[arg(long, value_name = "NAME")]
    pub(crate) server: Vec<String>,
    /// Only this kind of load.
    #[arg(long)]
    pub(crate) only: Option<Load>,
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

/// How the clients connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Load {
    /// A connection for each request: `Connection: close`.
    Short,
    /// One connection for each client.
    KeepAlive,
}

impl Args {
    pub(crate) fn rounds(&self, load: Load) -> u32 {
        let rounds = self.rounds.unwrap_or(if self.quick { 3 } else { 14 });
        match load {
            Load::Short => rounds,
            Load::KeepAlive => rounds.div_ceil(2),
        }
    }

    pub(crate) fn slice(&self) -> Duration {
        Duration::from_millis(self.slice.unwrap_or(if self.quick { 200 } else { 400 }))
    }

    /// Interpreters compile what is hot before anything counts.
    pub(crate) fn warm_up(&self) -> Duration {
        self.slice().max(Duration::from_millis(if self.quick { 500 } else { 800 }))
    }

    pub(crate) fn loads(&self) -> Vec<Load> {
        match self.only {
            Some(load) => vec![load],
            None => vec![Load::Short, Load::KeepAlive],
        }
    }
}
