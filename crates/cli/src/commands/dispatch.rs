//! From the parsed command line to the command.

use super::{demo, exec, run};
use crate::args::{Cli, Command};
use crate::exit::ExitStatus;

/// Runs the command that the user named.
pub(crate) fn dispatch(cli: Cli) -> ExitStatus {
    match cli.command {
        Command::Run(args) => run::run(&args),
        Command::Demo(args) => demo::run(&args),
        Command::Exec(args) => exec::run(&args),
    }
}
