//! The typed arguments: what was written on the command line, checked one by one and not yet given a meaning.
//!
//! What they mean together with the environment and the file system is decided in `plan`.

mod cli;
mod environment;
mod name;
mod policy;
mod span;
mod workers;

pub(crate) use cli::{Cli, Color, Command, DemoArgs, RunArgs};
pub(crate) use environment::Assignment;
pub(crate) use name::CrewName;
pub(crate) use policy::{Policies, Policy, Sticky};
pub(crate) use workers::{MAX_WORKERS, Workers};
