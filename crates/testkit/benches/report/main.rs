//! The one benchmark: runs all others, and writes what they found as tables, plots and JSON into docs/benchmarks.
//!
//! `cargo bench -p portcrew-testkit --bench report` (or `just bench`). It measures nothing itself. Which targets were
//! reached it works out of what the others wrote; the plots are its own.

#![forbid(unsafe_code)]

mod args;
#[path = "../common/columns.rs"]
mod columns;
mod date;
mod figures;
#[path = "../common/interrupt.rs"]
mod interrupt;
mod page;
mod parts;
mod plots;
mod surroundings;
mod svg;
mod targets;

use args::Args;
use clap::Parser as _;
use figures::Figures;
use interrupt::Interrupt;
use surroundings::Surroundings;

/// Whatever ends the benchmark early.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let interrupt = Interrupt::listen()?;
    let measured = args.measured();
    if !args.render {
        std::fs::create_dir_all(&measured)?;
        Surroundings::look(args.quick).keep(&measured)?;
        parts::measure(&args, &interrupt)?;
    }
    let figures = Figures::read(&measured)?;
    page::write(&args.written(), &figures)
}
