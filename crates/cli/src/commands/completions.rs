//! `portcrew completions`: a script for a shell.

use clap::CommandFactory;
use clap_complete::{Shell as Known, generate};

use crate::args::{Cli, CompletionsArgs, Shell};
use crate::exit::ExitStatus;
use crate::output::print;

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs) -> ExitStatus {
    let shell = match args.shell {
        Shell::Bash => Known::Bash,
        Shell::Zsh => Known::Zsh,
        Shell::Fish => Known::Fish,
    };
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "portcrew", &mut script);
    print(&String::from_utf8_lossy(&script));
    ExitStatus::Stopped
}
