//! What the benchmark can be asked for.

use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};

use crate::player::Player;

/// Descriptors by the lane and messages by the channel, against the kernel's own calls and Node's channel, in one run.
///
/// Takes about 70 seconds; on a busy machine take more rounds.
#[derive(Debug, Parser)]
#[command(name = "ipc", args_conflicts_with_subcommands = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// A glance of about 10 seconds: fewer and shorter slices.
    #[arg(long)]
    quick: bool,
    /// Print everything as JSON, every slice included.
    #[arg(long)]
    pub(crate) json: bool,
    /// Rounds. At most 1000.
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: Option<u32>,
    /// Milliseconds of each slice. 10 to 10000.
    #[arg(long, value_parser = clap::value_parser!(u64).range(10..=10_000))]
    slice: Option<u64>,
    /// Only this part.
    #[arg(long)]
    only: Option<Part>,
    /// What cargo says to a benchmark.
    #[arg(long, hide = true)]
    bench: bool,
}

/// What the program can be other than the benchmark.
#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum Command {
    /// Be one of the processes.
    #[command(hide = true)]
    Play {
        /// Which.
        player: Player,
    },
}

/// A part of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Descriptors from a primary to a worker.
    Lane,
    /// Messages from a worker to its primary.
    Messages,
}

impl Args {
    pub(crate) fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(if self.quick { 3 } else { 15 })
    }

    pub(crate) fn slice(&self) -> Duration {
        Duration::from_millis(self.slice.unwrap_or(if self.quick { 100 } else { 300 }))
    }

    /// Interpreters compile what is hot before anything counts.
    pub(crate) fn warm_up(&self) -> Duration {
        3 * self.slice()
    }

    pub(crate) fn wants(&self, part: Part) -> bool {
        self.only.is_none_or(|only| only == part)
    }
}
