//! The shape of the command line.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use portcrew::ListenOn;

use super::{
    Assignment, ControlArgs, CrewName, CrewsCommand, Identity, Policies, Supervision, Surroundings,
    Workers, environment, listen, span,
};
use crate::output::words::{help, listen as listen_help};

/// The whole command line.
#[derive(Debug, Parser)]
#[command(name = "portcrew", version, about = help::ABOUT, after_help = help::AFTER)]
#[command(
    disable_help_subcommand = true,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// This process's command line.
    ///
    /// # Errors
    /// What is to be said instead of a command: help, the version, or why it cannot be read.
    pub(crate) fn read() -> Result<Self, clap::Error> {
        let words: Vec<OsString> = std::env::args_os().collect();
        Ok(Self::try_parse_from(&words)?.with_separator(&words))
    }

    /// The parser takes `--` away.
    fn with_separator(mut self, words: &[OsString]) -> Self {
        let (args, is_start) = match &mut self.command {
            // What `start` starts was typed as `start`.
            Command::Run(args) => {
                let is_start = args.control.detached.is_some();
                (Some(args), is_start)
            }
            Command::Crews(CrewsCommand::Start(args)) => (Some(args), true),
            Command::Demo(_) | Command::Crews(_) => (None, false),
        };
        if let Some(args) = args {
            args.is_start = is_start;
            let before = words.len().checked_sub(args.command.len() + 1);
            args.separated = before.is_some_and(|at| words[at] == "--");
        }
        self
    }
}

/// One sub-command with its arguments.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(about = help::RUN, override_usage = help::RUN_USAGE)]
    #[command(after_help = help::RUN_AFTER, after_long_help = help::RUN_AFTER_LONG)]
    Run(Box<RunArgs>),
    #[command(about = help::DEMO, after_help = help::DEMO_AFTER)]
    Demo(DemoArgs),
    #[command(flatten)]
    Crews(CrewsCommand),
}

/// Arguments of `portcrew run`.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    #[arg(short, long, value_name = "N|max|-N", help = help::WORKERS)]
    #[arg(default_value = "max", allow_negative_numbers = true)]
    pub(crate) workers: Workers,

    #[arg(long, value_name = "NAME", help = help::NAME)]
    pub(crate) name: Option<CrewName>,

    #[arg(long, value_name = "POLICY", help = help::POLICY, long_help = help::POLICY_LONG)]
    pub(crate) policy: Option<Policies>,

    #[arg(long, value_name = "ADDR", value_delimiter = ',', value_parser = listen::parse)]
    #[arg(help = listen_help::LISTEN, long_help = listen_help::LISTEN_LONG)]
    pub(crate) listen: Vec<ListenOn>,

    #[arg(long, help = listen_help::NONBLOCKING)]
    pub(crate) listen_nonblocking: bool,

    #[arg(long, help = help::EXPLAIN)]
    pub(crate) explain: bool,

    #[arg(long, value_name = "K=V", help = help::ENV, value_parser = environment::parser())]
    pub(crate) env: Vec<Assignment>,

    #[arg(long, value_name = "PROGRAM", help = help::INTERPRETER)]
    pub(crate) interpreter: Option<PathBuf>,

    #[arg(long, value_name = "TIME", help = help::GRACE)]
    #[arg(default_value = "10s", value_parser = span::parse)]
    pub(crate) grace: Duration,

    #[arg(long, value_name = "TIME", help = help::START_DEADLINE)]
    #[arg(default_value = "30s", value_parser = span::parse)]
    pub(crate) start_deadline: Duration,

    #[command(flatten)]
    pub(crate) surroundings: Surroundings,

    #[arg(long, help = help::RAW)]
    pub(crate) raw: bool,

    #[arg(long, help = help::EVENTS)]
    pub(crate) events: bool,

    #[arg(long, help = help::START_JSON)]
    pub(crate) json: bool,

    #[arg(long, value_enum, value_name = "WHEN", default_value = "auto", help = help::COLOR)]
    pub(crate) color: Color,

    #[command(flatten)]
    pub(crate) control: ControlArgs,

    #[command(flatten)]
    pub(crate) supervision: Supervision,

    #[command(flatten)]
    pub(crate) identity: Identity,

    /// `--` stands before the program: whatever follows it is meant for it.
    #[arg(skip)]
    pub(crate) separated: bool,

    /// `start` was typed.
    #[arg(skip)]
    pub(crate) is_start: bool,

    /// The program and its arguments in one list: everything after the program's name belongs to the program,
    /// also what looks like an option of ours.
    #[arg(value_name = "PROGRAM", required = true, trailing_var_arg = true, help = help::PROGRAM)]
    pub(crate) command: Vec<OsString>,
}

/// Arguments of `portcrew demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    #[arg(short, long, value_name = "N|max|-N", help = help::WORKERS)]
    #[arg(default_value = "max", allow_negative_numbers = true)]
    pub(crate) workers: Workers,

    #[arg(long, value_name = "PORT", default_value_t = 8000, help = help::DEMO_PORT)]
    pub(crate) port: u16,

    #[command(flatten)]
    pub(crate) control: ControlArgs,
}

/// When prefixes are coloured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Color {
    Auto,
    Always,
    Never,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn run(words: &[&str]) -> Result<RunArgs, clap::Error> {
        let words = ["portcrew", "run"].iter().chain(words);
        match Cli::try_parse_from(words)?.command {
            Command::Run(args) => Ok(*args),
            Command::Demo(_) | Command::Crews(_) => panic!("`run` is the command here"),
        }
    }

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn without_options_the_defaults_hold() {
        let args = run(&["server.js"]).unwrap();
        assert_eq!(args.workers, Workers::Max);
        assert_eq!(args.policy, None);
        assert_eq!(args.grace, Duration::from_secs(10));
        assert_eq!(args.start_deadline, Duration::from_secs(30));
        assert_eq!(args.command, ["server.js"]);
    }

    #[test]
    fn what_follows_the_program_belongs_to_the_program() {
        let args = run(&["-w", "2", "server.js", "-w", "9", "--raw", "--", "x"]).unwrap();
        assert_eq!(args.workers, Workers::Exactly(2));
        assert!(!args.raw);
        assert_eq!(args.command, ["server.js", "-w", "9", "--raw", "--", "x"]);
    }

    #[test]
    fn two_dashes_end_our_options() {
        let args = run(&["--raw", "--", "-odd-name", "-w"]).unwrap();
        assert_eq!(args.command, ["-odd-name", "-w"]);
    }

    #[test]
    fn two_dashes_count_where_they_stand_before_the_program() {
        for (words, expected) in [
            (&["-w", "2", "--", "x", "-w"][..], true),
            (&["--", "x"], true),
            (&["x", "--", "-w"], false),
            (&["-w", "2", "x"], false),
        ] {
            let words: Vec<OsString> =
                ["portcrew", "run"].iter().chain(words).map(Into::into).collect();
            let cli = Cli::try_parse_from(&words).unwrap().with_separator(&words);
            let Command::Run(args) = cli.command else { panic!("`run` is the command here") };
            assert_eq!(args.separated, expected, "{words:?}");
        }
    }

    #[test]
    fn an_unknown_option_before_the_program_is_refused() {
        let error = run(&["--wrokers", "2", "server.js"]).unwrap_err();
        assert_eq!(error.kind(), clap::error::ErrorKind::UnknownArgument);
    }

    #[test]
    fn a_negative_number_of_workers_is_a_value_and_not_an_option() {
        assert_eq!(run(&["-w", "-1", "x"]).unwrap().workers, Workers::AllBut(1));
        assert_eq!(run(&["--workers=-2", "x"]).unwrap().workers, Workers::AllBut(2));
    }

    #[test]
    fn env_may_be_given_more_than_once() {
        let args = run(&["--env", "A=1", "--env", "B=x=y", "x"]).unwrap();
        let pairs: Vec<_> = args.env.iter().map(|a| (a.key.clone(), a.value.clone())).collect();
        assert_eq!(pairs, [("A".into(), "1".into()), ("B".into(), "x=y".into())]);
    }
}
