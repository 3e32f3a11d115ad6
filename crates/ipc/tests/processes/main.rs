//! The tests of this crate that start processes, one file per subject. What is closed here may be open for a moment
//! longer, in a child that has not become its program yet; tests of that are in `../it`.

mod children;
mod claiming;
#[path = "../common/mod.rs"]
mod common;
mod ends_holders;
mod ends_told;
mod exec_helper;
mod node_interop;
mod probe_table;
mod process_life;
mod spawn_child;
mod spawn_errors;
mod spawn_extra;
mod wire_descriptors;
