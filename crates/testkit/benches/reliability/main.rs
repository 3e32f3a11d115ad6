//! The benchmark of reliability: workers that are killed, stopped or starved under load, and what it costs their clients.
//!
//! `cargo bench -p portcrew-testkit --bench reliability` (or `just reliability`). Real processes under a client that books
//! what became of every attempt; its books are held against the primary's. Node's cluster, PM2 and nginx have workers
//! killed under the same client, where they are there. It prints Markdown, whose tables are those of
//! docs/reliability.md. Loopback only; everything that is started is stopped.

#![forbid(unsafe_code)]

mod args;
mod before;
mod books;
#[path = "../common/build.rs"]
mod build;
#[path = "../common/columns.rs"]
mod columns;
#[path = "../common/crew.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod crew;
mod fleet;
#[path = "../common/interrupt.rs"]
mod interrupt;
mod kills;
mod level;
#[path = "../common/machine.rs"]
mod machine;
#[path = "../common/nginx.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod nginx;
#[path = "../common/oldest.rs"]
mod oldest;
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
mod soak;
mod spread;
mod starved;
#[path = "../common/stats.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
mod stats;
mod stopped;
#[path = "../../tests/crew/support.rs"]
#[allow(dead_code, clippy::unwrap_used, reason = "the tests of crews use the rest of it")]
mod support;
mod table;
#[path = "../common/target.rs"]
mod target;
mod targets;
#[path = "../common/traffic.rs"]
#[allow(dead_code, reason = "another benchmark uses the rest of it")]
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
    let world = World::new()?;
    let report = Report::new(&args, &world)?;
    Ok(print::print(&report, args.json, table::print)?)
}
