//! What the benchmark can be asked for.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use serde::Serialize;

use crate::common::fixture::{Command, Hello};

/// Short connections, keep-alive, and latency at a given rate: portcrew against Node's cluster, nginx, PM2 and plain
/// servers, in one run.
///
/// Prints a table for each, with ratios taken inside each round. Takes about five minutes; on a busy machine take more
/// rounds.
#[derive(Debug, Parser)]
#[command(name = "compare", args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// A glance of about 45 seconds: fewer and shorter slices.
    #[arg(long)]
    pub(crate) quick: bool,
    /// Print everything as JSON, every slice included.
    #[arg(long)]
    pub(crate) json: bool,
    /// Write everything as JSON into this file too.
    #[arg(long, value_name = "FILE")]
    pub(crate) json_file: Option<PathBuf>,
    /// Rounds of short connections; keep-alive and the open loop get half of them. At most 1000.
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
    /// Only this kind of load; repeatable.
    #[arg(long)]
    only: Vec<Load>,
    /// Requests per second of the open loop: what the slowest server can do. 1 to 100000.
    #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) open_rate: u32,
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

/// How the requests come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Load {
    /// Clients that ask again when they were answered, with a connection for each request: `Connection: close`.
    Short,
    /// The same, one connection for each client.
    KeepAlive,
    /// Short connections at random moments, whatever the servers do.
    Open,
}

impl Args {
    pub(crate) fn rounds(&self, load: Load) -> u32 {
        let rounds = self.rounds.unwrap_or(if self.quick { 3 } else { 14 });
        match load {
            Load::Short => rounds,
            Load::KeepAlive | Load::Open => rounds.div_ceil(2),
        }
    }

    /// In the open loop slices are longer: its percentiles need requests. So they are where connections are kept: to
    /// hand 64 of them over at its start is to be little beside what is asked on them.
    pub(crate) fn slice(&self, load: Load) -> Duration {
        let default = match (load, self.quick) {
            (Load::Short | Load::KeepAlive, true) => 200,
            (Load::Short, false) => 400,
            (Load::Open, true) => 300,
            (Load::KeepAlive | Load::Open, false) => 1000,
        };
        Duration::from_millis(self.slice.unwrap_or(default))
    }

    /// Interpreters compile what is hot before anything counts.
    pub(crate) fn warm_up(&self, load: Load) -> Duration {
        match (load, self.quick) {
            // The others came before, as a rule.
            (Load::Open, _) => Duration::from_millis(200),
            (Load::Short | Load::KeepAlive, true) => Duration::from_millis(400),
            (Load::Short | Load::KeepAlive, false) => Duration::from_millis(800),
        }
    }

    pub(crate) fn loads(&self) -> Vec<Load> {
        let all = [Load::Short, Load::KeepAlive, Load::Open];
        all.into_iter().filter(|it| self.only.is_empty() || self.only.contains(it)).collect()
    }
}
