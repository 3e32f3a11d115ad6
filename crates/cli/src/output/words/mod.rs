//! All words that a user reads, in one place: commands, plans and errors take their texts from here.
//!
//! Each error names the thing, the reason and the next step. Words about a running crew are in `notices`.

pub(crate) mod commands;
pub(crate) mod control;
pub(crate) mod doctor;
mod error;
pub(crate) mod help;
pub(crate) mod hung;
pub(crate) mod identity;
pub(crate) mod listen;
pub(crate) mod metrics;
pub(crate) mod notes;
pub(crate) mod notices;
mod number;
pub(crate) mod policies;
pub(crate) mod refusals;
pub(crate) mod register;
pub(crate) mod scheduling;
pub(crate) mod supervision;
pub(crate) mod upward;
pub(crate) mod usage;

pub(crate) use error::chain;
pub(crate) use notices::signal_name;
pub(crate) use number::{count, of};
