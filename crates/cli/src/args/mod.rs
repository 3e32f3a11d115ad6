//! The typed arguments: what was written on the command line, checked one by one and not yet given a meaning.
//!
//! What they mean together with the environment and the file system is decided in `plan`.

mod cli;
mod control;
mod crews;
mod environment;
mod identity;
mod listen;
mod name;
mod policy;
mod span;
mod supervision;
mod surroundings;
mod workers;

pub(crate) use cli::{Cli, Color, Command, DemoArgs, RunArgs};
pub(crate) use control::ControlArgs;
pub(crate) use crews::{
    CompletionsArgs, CrewsCommand, DoctorArgs, KillArgs, ListArgs, PolicyArgs, RestartArgs,
    ScaleArgs, Shell, Size, StopArgs, TargetArgs, as_name,
};
pub(crate) use environment::Assignment;
pub(crate) use identity::Identity;
pub(crate) use name::{ALL, CrewName};
pub(crate) use policy::{Policies, Policy, Sticky, nearest};
pub(crate) use supervision::{Deadline, Supervision};
pub(crate) use surroundings::Surroundings;
pub(crate) use workers::{MAX_WORKERS, Workers};
