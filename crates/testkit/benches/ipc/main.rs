//! The benchmark of what carries: the lane held against the kernel's own calls, the channel against Node's.
//!
//! `cargo bench -p portcrew-testkit --bench ipc` (or `just ipc`). Pairs of processes, primary and worker, are all up at
//! once; each sends for a slice in turn, forwards and backwards, and ratios are taken inside a round: **read the ratios**,
//! the single figures belong to this machine and this moment. It prints Markdown, whose tables are those of
//! docs/benchmarks/micro.md. Everything that is started is stopped.

#![forbid(unsafe_code)]

mod args;
#[path = "../common/columns.rs"]
mod columns;
mod contest;
#[path = "../common/interrupt.rs"]
mod interrupt;
#[path = "../common/machine.rs"]
mod machine;
mod order;
mod player;
#[path = "../common/print.rs"]
mod print;
mod report;
mod round;
#[path = "../common/stats.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod stats;
mod table;
#[path = "../common/target.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod target;

use args::{Args, Command};
use clap::Parser as _;
use interrupt::Interrupt;
use machine::Machine;
use report::Report;

/// Whatever ends the benchmark early.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    match args.command {
        // One of the processes that the run below starts.
        Some(Command::Play { player }) => player::play(player),
        None => measure(&args),
    }
}

fn measure(args: &Args) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let machine = Machine::look();
    let mut players = contest::start(machine.node.as_ref())?;
    let rows = round::run(&mut players, args, &interrupt)?;
    let report = Report::new(args, machine, rows);
    Ok(print::print(&report, args.json, table::print)?)
}
