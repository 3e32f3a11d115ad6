//! The binary itself: what it prints, what it does with real programs, and how it exits.

#![forbid(unsafe_code)]
// Everything here is a test or serves one: a failed unwrap is a failed test, with its line.
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr)]

mod bad_input;
mod bad_programs;
mod broken_releases;
mod command;
mod control_api;
mod control_clients;
mod crew;
mod debugging;
mod demo;
mod describe;
mod doctor;
mod ending;
mod events;
mod explain;
mod flood;
mod following;
mod help;
mod home;
mod hostile_worker;
mod hung;
mod init;
mod list;
mod listen;
mod names;
mod nested;
mod output;
mod overload;
mod planted;
mod policies;
mod policy_change;
mod queues;
mod random_commands;
mod register;
mod release_directory;
mod reload;
mod reload_command;
mod reused_numbers;
mod rights;
mod scale;
mod secrets;
mod serving;
mod several;
mod signals;
mod size;
mod start;
mod stopping;
mod storms;
mod stuck_output;
mod supervision;
mod systemd;
mod tls_tickets;
mod why;
