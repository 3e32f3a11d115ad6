//! The requests of the benchmark: portcrew, Node's own cluster, nginx, PM2 and plain servers, side by side in one run.
//!
//! `cargo bench -p portcrew-testkit --bench compare`; `just bench` runs it with all others. All servers are up at once; the load goes from
//! one to the next and back, in short slices, so what disturbs the machine disturbs all of them. A ratio is taken inside
//! one round and printed as the median over the rounds with its quartiles: **read the ratios**, the single figures
//! belong to this machine and this moment. Loopback only; everything that is started is stopped.

#![forbid(unsafe_code)]

mod args;
#[path = "../common/columns.rs"]
mod columns;
#[path = "../common/mod.rs"]
mod common;
mod contest;
#[path = "../common/crew.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod crew;
#[path = "../common/nginx.rs"]
mod nginx;
#[path = "../common/peers.rs"]
mod peers;
#[path = "../common/place.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod place;
#[path = "../common/pm2.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod pm2;
#[path = "../common/print.rs"]
mod print;
mod report;
mod round;
mod table;

use std::fs::File;
use std::num::NonZeroU64;

use args::Args;
use clap::Parser as _;
use common::Failure;
use common::fixture::{self, Command};
use common::interrupt::Interrupt;
use common::machine::Machine;
use peers::Peers;

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
    let peers = Peers::find(machine.node.as_ref());
    let servers = contest::start(args, machine.node.as_ref(), &peers)?;
    // Arrivals are due to the microsecond; by default the kernel may be 50 µs late. The servers are not concerned.
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
    let results = round::run(&servers, args, &interrupt)?;
    let report = report::Report::new(args, machine, peers.found(), &results);
    if let Some(path) = &args.json_file {
        serde_json::to_writer(File::create(path)?, &report)?;
    }
    Ok(print::print(&report, args.json, table::print)?)
}
