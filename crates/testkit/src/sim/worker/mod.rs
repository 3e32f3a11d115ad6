//! The simulated worker process: core's own machine or a model of Node, its shell, its user, its vices.

mod brain;
mod delivery;
mod ending;
mod node;
mod process;
mod reading;
mod telling;
mod user;

pub use process::{Process, Run};
