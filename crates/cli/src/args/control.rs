//! How a crew is seen and steered from elsewhere: options that `run`, `start` and `demo` have in common.

use std::path::PathBuf;

use clap::Args;

use crate::output::words::commands as help;

/// The control socket of a crew that is started.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct ControlArgs {
    #[arg(long, help = help::NO_CONTROL)]
    pub(crate) no_control: bool,

    /// Where `portcrew start` wants the output; the standard input is then a pipe to it. Not for people.
    #[arg(long, hide = true, value_name = "DIRECTORY", conflicts_with = "no_control")]
    pub(crate) detached: Option<PathBuf>,
}
