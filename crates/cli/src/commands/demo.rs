//! `portcrew demo`: a crew of the built-in hello server. This executable is both, the primary and each worker.

use portcrew::{Role, Settings};

use crate::args::{Color, DemoArgs, Policy};
use crate::crew::{self, Kind, Wish};
use crate::exit::ExitStatus;
use crate::hello;
use crate::output::Style;
use crate::plan::{Policies, available_cpus, meant};

/// Serves as a worker, or leads the crew until it is told to stop.
pub(crate) fn run(args: &DemoArgs, role: Role) -> ExitStatus {
    let role = match role {
        Role::Worker(worker) => return hello::serve(&worker, args.port),
        Role::Primary(_) => role,
    };
    // Whatever the environment says: only a primary that hands over can count for whom.
    let policies = Policies::only(Policy::RoundRobin);
    let wish = Wish {
        name: "demo".to_owned(),
        kind: Kind::Demo,
        workers: args.workers.on(available_cpus()),
        settings: settings(&policies),
        policies,
        explain: false,
        notes: Vec::new(),
        role,
    };
    crew::run(wish, Style::new(false, false, Color::Auto))
}

/// This executable with the same arguments.
fn settings(policies: &Policies) -> Settings {
    let mut settings = Settings::default();
    settings.policy = meant(&policies.common);
    settings
}
