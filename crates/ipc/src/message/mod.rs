//! The messages of Node's channel, one per line, in JSON.
//!
//! Pure: [`parse`] turns one line into a [`Packet`], [`Packet::encode`] turns it back, with the fields in
//! the very order in which Node writes them. Unknown fields are ignored and missing ones tolerated, so every
//! Node since version 8 is understood.
//!
//! **Internal or not.** An object whose `cmd` is a string of more than five characters beginning with
//! `NODE_` is internal and never reaches user code. Everything else, any JSON value at all, is a user
//! message.

mod cluster;
mod dialect;
mod encode;
mod json;
mod lines;
mod packet;
mod parse;
mod plain;
mod query;
mod text;
mod wire;

#[cfg(test)]
mod captured;

pub use cluster::{ClusterBody, ClusterMessage, Key, Reply, ReplyErrno, SockName};
pub use dialect::Dialect;
pub use json::{RawJson, UserMessage};
pub use lines::UserLines;
pub use packet::{Inner, Packet};
pub(crate) use parse::plain_message;
pub use parse::{CLUSTER_BYTES, NESTED_HANDLES, parse};
pub use query::{AddressType, Query};
