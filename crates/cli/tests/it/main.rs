//! The binary itself: what it prints, what it does with real programs, and how it exits.

#![forbid(unsafe_code)]
// Everything here is a test or serves one: a failed unwrap is a failed test, with its line.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod bad_input;
mod bad_programs;
mod command;
mod crew;
mod debugging;
mod demo;
mod events;
mod explain;
mod help;
mod nested;
mod output;
mod policies;
mod reload;
mod serving;
mod signals;
mod size;
mod stopping;
mod tls_tickets;
