//! The benchmark: portcrew, Node's own cluster and plain single-process servers, side by side in one run.
//!
//! `cargo bench -p portcrew-testkit --bench compare` (or `just bench`). All servers are up at once; the load goes from
//! one to the next and back, in short slices, so what disturbs the machine disturbs all of them. A ratio is taken inside
//! one round and printed as the median over the rounds with its quartiles: **read the ratios**, the single figures
//! belong to this machine and this moment. Loopback only; everything that is started is stopped.

#![forbid(unsafe_code)]

mod args;
mod client;
#[path = "../common/mod.rs"]
mod common;
mod contest;
mod report;
mod round;
mod table;

use std::io::{self, Write as _};

use args::Args;
use clap::Parser as _;
use common::Failure;
use common::fixture::{self, Command};
use common::interrupt::Interrupt;
use common::machine::Machine;

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    match &args.command {
        // One of the servers: this same program, started by the run below.
        Some(Command::Serve { fixture }) => fixture::serve(fixture),
        None => compare(&args),
    }
}

fn compare(args: &Args) -> Result<(), Failure> {
    let interrupt = Interrupt::listen()?;
    let machine = Machine::look();
    let servers = contest::start(args, machine.node.as_ref())?;
    let results = round::run(&servers, args, &interrupt)?;
    let report = report::Report::new(args, machine, &results);
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer_pretty(&mut out, &report)?;
        writeln!(out)?;
    } else {
        table::print(&mut out, &report)?;
    }
    Ok(())
}
