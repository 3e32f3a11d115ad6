//! The primary: who listens, who is given which connection, and what becomes of each.
//!
//! Feed [`Primary::handle`] with what happened, perform the [`Action`]s it appends, in order, and call
//! [`Primary::handle_timeout`] when [`Primary::next_timeout`] has come.

mod accepting;
mod action;
mod announced;
mod confinement;
mod conns;
mod event;
mod handover;
mod inside;
mod listener;
mod listeners;
mod live;
mod looking;
mod machine;
mod members;
mod owed;
mod pace;
mod renewed;
mod rescue;
mod rules;
mod seconds;
mod shedding;
mod summary;
#[cfg(test)]
mod tests;
mod unasked;
mod worker;
mod workers;

pub use action::{Action, End, Mode, Notice, Scheduling};
pub use confinement::Confinement;
pub use conns::{Place, View};
pub use event::{AcceptFailure, BoundTo, Event, Exit, Proof};
pub use listener::Counts;
pub use live::Counter;
pub use machine::{Primary, Settings};
pub use rules::{ListenerName, Rule, Rules};
pub use worker::{Life, Origin, Stage};
