//! Programs of others as they are: other runtimes as workers, and the servers that people write with frameworks.
//!
//! A plain `cargo test` runs what needs nothing but the system's Node. With `PORTCREW_INTEROP=1`, that is by
//! `just interop`, everything runs, and what is missing is installed into a cache first (`cache`).

#![forbid(unsafe_code)]
// Everything here is a test or serves one: a failed unwrap is a failed test, with its line.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod cache;
#[path = "../it/crew.rs"]
#[allow(dead_code, reason = "another test target uses the rest of it")]
mod crew;
mod frameworks;
mod machine;
mod recipes;
mod runtimes;
mod scripts;
