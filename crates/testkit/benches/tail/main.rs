//! The benchmark of the heavy tail: what a few slow requests cost all the others, and how connections are spread.
//!
//! `cargo bench -p portcrew-testkit --bench tail` (or `just tail`). portcrew and Node's own cluster under each of their
//! policies, side by side in one run: all servers are up at once, in each round every one of them gets the same random
//! arrivals, and a ratio is taken inside one round. docs/benchmarks/method.md has the method. Loopback only; everything
//! that is started is stopped.

#![forbid(unsafe_code)]

mod args;
mod balance;
#[path = "../common/columns.rs"]
mod columns;
#[path = "../common/mod.rs"]
mod common;
mod contest;
#[path = "../common/print.rs"]
mod print;
mod report;
mod round;
mod table;
mod targets;

use std::fs::File;
use std::num::NonZeroU64;

use args::Args;
use clap::Parser as _;
use common::Failure;
use common::fixture::{self, Command};
use common::interrupt::Interrupt;
use common::machine::Machine;
use report::Report;

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    match &args.command {
        // One of the servers: this same program, started by the run below.
        Some(Command::Serve { fixture }) => fixture::serve(fixture),
        None => measure(&args),
    }
}

fn measure(args: &Args) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let machine = Machine::look();
    let servers = contest::start(args, machine.node.as_ref())?;
    // Arrivals are due to the microsecond; by default the kernel may be 50 µs late. The servers are not concerned.
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
    let results = round::run(&servers, args, &interrupt)?;
    let balances =
        if args.wants_balance() { balance::run(&servers, args, &interrupt)? } else { Vec::new() };
    let report = Report::new(args, machine, &results, balances);
    if let Some(path) = &args.json_file {
        serde_json::to_writer(File::create(path)?, &report)?;
    }
    Ok(print::print(&report, args.json, table::print)?)
}
