//! Node's own cluster suite, row by row: what each of its tests asserts, proven here by a test of our own between
//! real processes.
//!
//! A row is one file in `rows/`. It holds both sides of its story, the primary's and the workers', as Node's tests do:
//! this program is also every Rust worker that the rows start (`--part ROW/NAME`). `docs/node-parity.md` is printed
//! from the rows; `PORTCREW_WRITE_DOCS=1` writes it, and a test fails while it says something else.
//!
//! ```text
//! cargo test -p portcrew-testkit --test parity                      all rows
//! cargo test -p portcrew-testkit --test parity worker-death         one row
//! PORTCREW_NODE=/path/to/node cargo test … --test parity            with another Node
//! ```

#![forbid(unsafe_code)]
#![allow(clippy::panic, reason = "a proof fails by a panic")]

mod page;
mod part;
mod row;
mod rows;
mod suite;
mod tell;
mod totals;
mod trials;
mod world;

use std::process::ExitCode;

fn main() -> ExitCode {
    if let Some(part) = part::asked_for() {
        return part::play(&part);
    }
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials::all()).exit_code()
}
