//! `portcrew demo`: a crew of the built-in hello server. This executable is both, the primary and each worker.

use portcrew::{Policy, Role, Settings};

use crate::args::{Color, DemoArgs};
use crate::crew::{self, Kind, Wish};
use crate::exit::ExitStatus;
use crate::hello;
use crate::output::Style;
use crate::plan::available_cpus;

/// Serves as a worker, or leads the crew until it is told to stop.
pub(crate) fn run(args: &DemoArgs, role: Role) -> ExitStatus {
    let role = match role {
        Role::Worker(worker) => return hello::serve(&worker, args.port),
        Role::Primary(_) => role,
    };
    let wish = Wish {
        name: "demo".to_owned(),
        kind: Kind::Demo,
        workers: args.workers.on(available_cpus()),
        settings: settings(),
        notes: Vec::new(),
        role,
    };
    crew::run(wish, Style::new(false, false, Color::Auto))
}

/// This executable with the same arguments. Whatever the environment says of policies: only a primary that hands over
/// can count for whom.
fn settings() -> Settings {
    let mut settings = Settings::default();
    settings.policy = Policy::RoundRobin;
    settings
}
