//! The commands that start, find and steer crews by their names.

use clap::{Args, Subcommand, ValueEnum};

use super::{CrewName, Policies, RunArgs};
use crate::output::words::commands as help;

/// One command with its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum CrewsCommand {
    #[command(about = help::START, override_usage = help::START_USAGE, after_help = help::START_AFTER)]
    Start(Box<RunArgs>),
    #[command(about = help::LIST, visible_aliases = ["ls", "status"])]
    List(ListArgs),
    #[command(about = help::DESCRIBE, visible_alias = "show")]
    Describe(TargetArgs),
    #[command(about = help::RELOAD, after_help = help::RELOAD_AFTER)]
    Reload(TargetArgs),
    #[command(about = help::RESTART, after_help = help::RESTART_AFTER)]
    Restart(RestartArgs),
    #[command(about = help::SCALE, after_help = help::SCALE_AFTER)]
    Scale(ScaleArgs),
    #[command(about = help::CHANGE_POLICY, after_help = help::CHANGE_POLICY_AFTER)]
    Policy(PolicyArgs),
    #[command(about = help::STOP)]
    Stop(StopArgs),
    #[command(about = help::DELETE)]
    Delete(TargetArgs),
    #[command(about = help::EVENTS)]
    Events(TargetArgs),
    #[command(about = help::WHY)]
    Why(TargetArgs),
    #[command(about = help::KILL)]
    Kill(KillArgs),
    #[command(about = help::DOCTOR)]
    Doctor(DoctorArgs),
    #[command(about = help::COMPLETIONS)]
    Completions(CompletionsArgs),
}

/// Which crews, and in which form to answer.
#[derive(Debug, Args)]
pub(crate) struct TargetArgs {
    #[arg(value_name = "CREW", required = true, help = help::TARGETS)]
    pub(crate) targets: Vec<String>,

    #[arg(long, help = help::JSON)]
    pub(crate) json: bool,
}

/// Arguments of `portcrew list`.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[arg(value_name = "CREW", help = help::TARGETS)]
    pub(crate) targets: Vec<String>,

    #[arg(long, help = help::JSON)]
    pub(crate) json: bool,
}

/// Arguments of `portcrew restart`.
#[derive(Debug, Args)]
pub(crate) struct RestartArgs {
    #[command(flatten)]
    pub(crate) which: TargetArgs,

    #[arg(long, help = help::HARD)]
    pub(crate) hard: bool,
}

/// Arguments of `portcrew scale`.
#[derive(Debug, Args)]
pub(crate) struct ScaleArgs {
    // A difference may be negative, and is looked at as a name first.
    #[arg(value_name = "CREW", required = true, allow_negative_numbers = true, help = help::TARGETS)]
    pub(crate) targets: Vec<String>,

    #[arg(value_name = "N|+N|-N", required = true, allow_negative_numbers = true, help = help::SIZE)]
    pub(crate) size: Size,

    #[arg(long, help = help::JSON)]
    pub(crate) json: bool,
}

/// Arguments of `portcrew policy`.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    #[arg(value_name = "CREW", required = true, help = help::TARGETS)]
    pub(crate) targets: Vec<String>,

    #[arg(value_name = "POLICY", required = true, help = help::NEW_POLICY)]
    pub(crate) policies: Policies,

    #[arg(long, help = help::JSON)]
    pub(crate) json: bool,
}

/// Arguments of `portcrew stop`.
#[derive(Debug, Args)]
pub(crate) struct StopArgs {
    #[command(flatten)]
    pub(crate) which: TargetArgs,

    #[arg(long, help = help::NOW)]
    pub(crate) now: bool,
}

/// Arguments of `portcrew kill`.
#[derive(Debug, Args)]
pub(crate) struct KillArgs {
    #[arg(value_name = "CREW", default_value = "all", help = help::TARGETS)]
    pub(crate) targets: Vec<String>,

    #[arg(long, help = help::JSON)]
    pub(crate) json: bool,
}

/// Arguments of `portcrew doctor`.
#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[arg(long, help = help::JSON)]
    pub(crate) json: bool,
}

/// Arguments of `portcrew completions`.
#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    #[arg(value_enum, help = help::SHELL)]
    pub(crate) shell: Shell,
}

/// Shells whose completions are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shell {
    Bash,
    Zsh,
    Fish,
}

/// How many workers, or how many more or fewer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Size {
    Exactly(usize),
    By(i64),
}

impl std::str::FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let size = match text.strip_prefix(['+', '-']) {
            Some(_) => text.parse().ok().map(Self::By),
            None => text.parse().ok().map(Self::Exactly),
        };
        size.ok_or_else(help::size_unreadable)
    }
}

/// A target that may be a name. What is none cannot be the name of a directory either.
pub(crate) fn as_name(target: &str) -> Option<CrewName> {
    target.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_makes_a_number_of_workers_a_difference() {
        assert_eq!("4".parse(), Ok(Size::Exactly(4)));
        assert_eq!("+4".parse(), Ok(Size::By(4)));
        assert_eq!("-4".parse(), Ok(Size::By(-4)));
        for text in ["", "+", "four", "1.5", "--4"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
    }
}
