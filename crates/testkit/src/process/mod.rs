//! Real programs under test: started in a group of their own, watched, signalled, and gone when the test is over.
//!
//! [`Program`] says what to start, [`Process`] is it running. Dropping a `Process` kills and reaps everything that it
//! started, also what left its process group or lost its parent. [`proc_fs`] reads what the kernel knows of a process,
//! [`artifact`] finds the programs that cargo built.

pub mod artifact;
mod guard;
mod log;
pub mod proc_fs;
mod program;
mod reap;
mod signal;

pub use guard::{Process, at_last, eventually};
pub use log::{Line, MAX_CAPTURE, Mark, Stream};
pub use program::Program;
pub use reap::{signal_child, wait_dead};
pub use signal::Signal;
