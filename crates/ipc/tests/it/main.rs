//! The tests of this crate from outside, one file per subject.

mod children;
mod claiming;
mod ends_holders;
mod ends_lost;
mod ends_ports;
mod ends_told;
mod ends_when;
mod ends_world;
mod exec_helper;
mod loopback;
mod node_interop;
mod peek_prefixes;
mod peek_registration;
mod peek_waiting;
mod probe_table;
mod process_life;
mod spawn_child;
mod spawn_errors;
mod spawn_extra;
mod wire;
mod wire_channel;
mod wire_descriptors;
mod wire_lane;
mod wire_limits;
mod wire_pairing;
mod wire_socket;
