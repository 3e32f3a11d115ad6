//! The benchmark of releases: what a broken one, a good one, a crash loop and a worker that does not leave cost.
//!
//! `cargo bench -p portcrew-testkit --bench releases` (or `just releases`). Everything goes by the command itself, on
//! real processes, under a client that books what became of every request; PM2 does the same beside it where it is in
//! the cache. It prints Markdown, which is docs/releases.md. Loopback only; everything that is started is stopped.

#![forbid(unsafe_code)]

mod args;
mod broken;
#[path = "../common/build.rs"]
mod build;
mod built;
#[path = "../common/columns.rs"]
mod columns;
mod crash;
#[path = "../common/crew.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod crew;
mod good;
mod health;
mod hostile;
#[path = "../common/interrupt.rs"]
mod interrupt;
mod left;
#[path = "../common/machine.rs"]
mod machine;
mod peer;
#[path = "../common/place.rs"]
mod place;
#[path = "../common/pm2.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod pm2;
#[path = "../common/print.rs"]
mod print;
mod release;
mod report;
mod series;
mod small;
mod stops;
mod table;
#[path = "../common/target.rs"]
mod target;
mod targets;
#[path = "../common/traffic.rs"]
mod traffic;
mod world;

use args::Args;
use clap::Parser as _;
use report::Report;
use world::World;

/// Whatever ends the benchmark early.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let world = World::new(&args)?;
    let report = Report::new(&args, &world)?;
    Ok(print::print(&report, args.json, table::print)?)
}
