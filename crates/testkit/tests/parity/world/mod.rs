//! What a proof is given: a directory of its own, a runtime, Node, and ways to be one side of a cluster.

mod client;
mod node;
mod order;
mod primary;
mod root;

pub(crate) use client::{connect, read_all, said_at};
pub(crate) use node::NodeProcess;
pub(crate) use primary::{Left, Primary};
pub(crate) use root::{HANG, World};
