//! The crew: workers wanted against workers there.
//!
//! Slots are numbered from 0 and each is to hold one worker of the current generation. The machine asks for
//! forks, tells workers to leave, restarts the dead with growing delays, gives up where that is hopeless, and
//! replaces everybody in a reload that either commits or rolls back. It knows no process: the shell feeds it
//! with what the primary's [`Notice`](crate::primary::Notice)s say, and performs its [`Action`]s.

mod action;
mod crew;
mod ending;
mod event;
mod forking;
mod member;
mod reload;
mod restart;
mod settings;

#[cfg(test)]
mod tests;

pub use action::{Action, Force, Notice, Outcome, Reason};
pub use crew::Crew;
pub use event::Event;
pub use member::{Life, SlotView, Step};
pub use settings::Settings;
