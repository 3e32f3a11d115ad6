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
    print(&for_people(&String::from_utf8_lossy(&script)));
    ExitStatus::Stopped
}

/// Without the option that one of our commands gives to another: the generators offer hidden ones too.
fn for_people(script: &str) -> String {
    let hidden = script.lines().filter(|line| !is_offer_of_hidden(line));
    hidden.map(|line| format!("{}\n", line.replace(" --detached ", " "))).collect()
}

/// A line that offers nothing else. In a script for bash several offers are in one line, and what remains below its
/// arm of a `case` is never reached.
fn is_offer_of_hidden(line: &str) -> bool {
    let line = line.trim_start();
    line.contains(")--detached=[")
        || (line.starts_with("complete ") && line.contains(" -l detached "))
}
