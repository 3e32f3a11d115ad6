//! `portcrew exec`: what a new child runs just before it becomes the worker's program. Hidden.

use crate::args::ExecArgs;
use crate::exit::ExitStatus;
use crate::output::say_plainly;

/// Becomes the program, or says why it cannot.
pub(crate) fn run(_args: &ExecArgs) -> ExitStatus {
    say_plainly("the exec helper is not built yet");
    ExitStatus::Internal
}
