//! From the parsed command line to the command.

use portcrew::Role;

use super::{
    completions, demo, describe, doctor, events, list, policy, reload, run, scale, start, stop, why,
};
use crate::args::{Cli, Command, CrewsCommand};
use crate::exit::ExitStatus;

/// Runs the command that the user named.
pub(crate) fn dispatch(cli: Cli, role: Role) -> ExitStatus {
    match cli.command {
        Command::Run(args) => run::run(&args, role),
        Command::Demo(args) => demo::run(&args, role),
        // These lead no crew in this process, whatever it is.
        Command::Crews(command) => crews(command),
    }
}

fn crews(command: CrewsCommand) -> ExitStatus {
    match command {
        CrewsCommand::Start(args) => start::run(&args),
        CrewsCommand::List(args) => list::run(&args),
        CrewsCommand::Describe(args) => describe::run(&args),
        CrewsCommand::Reload(args) => reload::reload(&args),
        CrewsCommand::Restart(args) => reload::restart(&args),
        CrewsCommand::Scale(args) => scale::run(&args),
        CrewsCommand::Policy(args) => policy::run(&args),
        CrewsCommand::Stop(args) => stop::stop(&args),
        CrewsCommand::Delete(args) => stop::delete(&args),
        CrewsCommand::Events(args) => events::run(&args),
        CrewsCommand::Why(args) => why::run(&args),
        CrewsCommand::Kill(args) => stop::kill(&args),
        CrewsCommand::Doctor(args) => doctor::run(&args),
        CrewsCommand::Completions(args) => completions::run(&args),
    }
}
