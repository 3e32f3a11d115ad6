//! The testkit's own tests: each file deals with one behaviour.

#![forbid(unsafe_code)]
// Everything here is a test or serves one: a failed unwrap is a failed test, with its line.
#![allow(clippy::unwrap_used)]

mod class;
mod command;
mod fixtures;
mod keep_alive;
mod load;
mod node_primary;
mod proc_fs;
mod process;
mod server;
mod unix;
