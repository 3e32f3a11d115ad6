//! `portcrew demo`: a crew of the built-in hello server.

use crate::args::DemoArgs;
use crate::exit::ExitStatus;
use crate::output::say_plainly;

/// Runs the demo until it is told to stop.
pub(crate) fn run(_args: &DemoArgs) -> ExitStatus {
    say_plainly("the demo is not built yet");
    ExitStatus::Internal
}
