//! What a worker that hangs is doing, as far as the kernel shows it: found out before it is signalled.

mod read;
mod stat;
mod state;

pub use state::{Diagnosis, ProcessState};

pub(super) use read::read;
