//! Options about what is round the crew: what its programs load, and what this process is to the machine.

use clap::Args;

use crate::output::words::help;

/// Options of `portcrew run` that change neither the crew nor its program.
#[derive(Debug, Clone, Copy, Default, Args)]
pub(crate) struct Surroundings {
    #[arg(long, help = help::REGISTER)]
    pub(crate) register: bool,

    #[arg(long, help = help::INIT)]
    pub(crate) init: bool,
}
