//! The tests of this crate from outside, one file per subject.
//!
//! No test here starts a process: a child has every socket of this process open until it has become its program, and
//! what a test closes meanwhile is not closed yet. Those that do are in `../processes`.

#[path = "../common/mod.rs"]
mod common;
mod ends_lost;
mod ends_ports;
mod ends_when;
mod peek_prefixes;
mod peek_registration;
mod peek_waiting;
mod reuseport_arrivals;
mod reuseport_order;
mod reuseport_steering;
mod reuseport_world;
mod wire_channel;
mod wire_in_a_row;
mod wire_lane;
mod wire_limits;
mod wire_pairing;
mod wire_socket;
