//! The benchmark of what a crew costs beside its requests: start, memory, more and more workers, idle connections, the end
//! of a connection, the death of a worker.
//!
//! `cargo bench -p portcrew-testkit --bench costs`; `just bench` runs it with all others. Loopback only; everything that
//! is started is stopped.

#![forbid(unsafe_code)]

mod args;
#[path = "../common/build.rs"]
mod build;
#[path = "../common/columns.rs"]
mod columns;
#[path = "../common/mod.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod common;
#[path = "../common/crew.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod crew;
mod ends;
mod growth;
mod idle;
mod loss;
mod memory;
#[path = "../common/nginx.rs"]
mod nginx;
#[path = "../common/oldest.rs"]
mod oldest;
#[path = "../common/peers.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
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
mod start;
mod table;
#[path = "../common/traffic.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod traffic;
mod world;

use std::fs::File;

use args::Args;
use clap::Parser as _;
use common::Failure;
use common::fixture::{self, Command};
use report::Report;
use world::World;

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    match &args.command {
        // One of the servers: this same program, started by the run below.
        Some(Command::Serve { fixture }) => fixture::serve(fixture),
        None => measure(&args),
    }
}

fn measure(args: &Args) -> Result<(), Failure> {
    let report = Report::new(args, World::new()?)?;
    if let Some(path) = &args.json_file {
        serde_json::to_writer(File::create(path)?, &report)?;
    }
    Ok(print::print(&report, args.json, table::print)?)
}
