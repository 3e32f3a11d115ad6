//! From the parsed command line to the command.

use portcrew::Role;

use super::{demo, run};
use crate::args::{Cli, Command};
use crate::exit::ExitStatus;

/// Runs the command that the user named.
pub(crate) fn dispatch(cli: Cli, role: Role) -> ExitStatus {
    match cli.command {
        Command::Run(args) => run::run(&args, role),
        Command::Demo(args) => demo::run(&args, role),
    }
}
