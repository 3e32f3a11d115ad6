//! The library with real processes: each file deals with one behaviour.
//!
//! `PORTCREW_SOAK=1` makes the runs under load as long as the promises that they stand for.

#![forbid(unsafe_code)]
// Everything here is a test or serves one: a failed unwrap is a failed test, with its line.
#![allow(clippy::unwrap_used, clippy::panic)]

mod drain;
mod environment;
mod examples;
mod faults;
mod foreign;
mod forms;
mod handed_down;
mod handles;
mod handles_counted;
mod handles_large;
mod handles_lost;
mod handles_many;
mod handles_order;
mod hostile;
mod hung;
mod hygiene;
mod in_a_row;
mod in_flight;
mod inside;
mod inspect_ports;
mod kept;
mod kept_reload;
mod kernel;
mod kid;
mod kills;
mod least_connections;
mod life;
mod listen_errors;
mod listen_forms;
mod listen_keys;
mod liveness;
mod local;
mod max_connections;
mod node_primary;
mod node_workers;
mod orphaned;
mod overload;
mod parting;
mod points;
mod readiness;
mod recycle;
mod register;
mod reload;
mod reload_numbers;
mod requests;
mod rights;
mod serialization;
mod setup;
mod share;
mod shared;
mod soak;
mod stage;
mod starved;
mod sticky;
mod support;
mod switching;
mod tls_tickets;
mod told;
mod udp;
mod unix_paths;
mod unstartable;
