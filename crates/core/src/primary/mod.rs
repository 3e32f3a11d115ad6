//! The primary: who listens, who is given which connection, and what becomes of each.
//!
//! Feed [`Primary::handle`] with what happened, perform the [`Action`]s it appends, in order, and call
//! [`Primary::handle_timeout`] when [`Primary::next_timeout`] has come.

mod action;
mod announced;
mod conns;
mod event;
mod handover;
mod listener;
mod listeners;
mod machine;
mod seconds;
#[cfg(test)]
mod tests;
mod worker;
mod workers;

pub use action::{Action, End, Mode, Notice};
pub use conns::{Place, View};
pub use event::{AcceptFailure, BoundTo, Event, Exit, Proof};
pub use machine::{Primary, Settings};
pub use worker::{Life, Stage};
