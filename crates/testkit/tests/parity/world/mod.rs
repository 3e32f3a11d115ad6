//! What a proof is given: a directory of its own, a runtime, Node, and ways to be one side of a cluster.

pub(crate) mod checks;
mod client;
mod lead;
mod node;
mod order;
mod primary;
mod process;
mod root;

pub(crate) use client::{connect, read_all, said_at, still_answers, taken_port};
pub(crate) use lead::lead;
pub(crate) use node::{NodeProcess, told_once};
pub(crate) use primary::Primary;
pub(crate) use process::{is_reaped, kill_from_outside, wait_spinning};
pub(crate) use root::{HANG, World};
