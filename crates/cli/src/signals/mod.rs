//! What a signal to the primary means. `meaning` is a pure table; `listen` waits for signals and asks it.
//!
//! SIGQUIT, SIGTSTP and all others keep what the kernel does by default.

mod disposition;
mod listen;
mod meaning;

pub(crate) use listen::Signals;
pub(crate) use meaning::{Command, Signal, Situation};
