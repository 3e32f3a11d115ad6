//! The worker's side of the conversation: which listeners it holds, whom a connection is for, how it leaves.
//!
//! Feed [`Worker::handle`] and perform the [`Action`]s in order. It needs no clock: nothing on this side
//! waits for time.

mod action;
mod event;
mod indexes;
mod leaving;
mod machine;
mod servers;
mod telling;
#[cfg(test)]
mod tests;
mod untaken;

pub use action::{Action, Verdict};
pub use event::{Carrier, Event};
pub use machine::Worker;
