//! The crew's machine in the world: it decides who is started, told to leave and signalled.
//!
//! * `plan` draws its settings, `release` what a generation is started with, and what is broken about it.
//! * `wiring` is the library's `primary/crew.rs` over again: what the primary's machine notices the crew hears, and
//!   what the crew wants is done with model processes.
//! * `users` are those who command reloads, sizes and stops, the shell's regular looks, and pauses of the primary.
//! * `checker` knows from events and actions alone what the crew may do; `promises` hold after every step, and
//!   `whole` when faults have stopped.

mod checker;
mod hearing;
mod plan;
mod promises;
mod release;
mod served;
mod users;
mod whole;
mod wiring;

pub use checker::{Checker, Member};
pub use plan::CrewPlan;
pub use release::{Health, Release, TAKEN};
pub use wiring::CrewSeat;
