//! The command `portcrew`: arguments (`args`) become a plan (`plan`), a command performs it (`commands`), people read
//! about it (`output`), and the shell gets a number (`exit`).
#![forbid(unsafe_code)]
#![expect(dead_code, unused_imports, reason = "used by the running of a crew")]
mod args;
mod commands;
mod exit;
mod output;
mod plan;
mod signals;

fn main() -> std::process::ExitCode {
    commands::dispatch(<args::Cli as clap::Parser>::parse()).into()
}
