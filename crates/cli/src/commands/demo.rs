//! `portcrew demo`: a crew of the built-in hello server. This executable is both, the primary and each worker.

use portcrew::{Role, Settings};

use super::control;
use crate::args::{Color, CrewName, DemoArgs, Policy};
use crate::crew::{self, Kind, Wish};
use crate::exit::ExitStatus;
use crate::hello;
use crate::output::{Style, say_plainly};
use crate::plan::{Policies, available_cpus, meant};

/// Serves as a worker, or leads the crew until it is told to stop.
pub(crate) fn run(args: &DemoArgs, role: Role) -> ExitStatus {
    let role = match role {
        Role::Worker(worker) => return hello::serve(&worker, args.port),
        Role::Primary(_) => role,
    };
    // Whatever the environment says: only a primary that hands over can count for whom.
    let policies = Policies::only(Policy::RoundRobin);
    let (settings, mut notes) = (settings(&policies), Vec::new());
    let name = CrewName::from_program("demo".as_ref());
    let control = control::claim(&name, false, &args.control, &role, &settings, &mut notes);
    let control = match control {
        Ok(control) => control,
        Err((words, status)) => {
            say_plainly(&words);
            return status;
        }
    };
    let wish = Wish {
        name: name.as_str().to_owned(),
        kind: Kind::Demo,
        workers: args.workers.on(available_cpus()),
        settings,
        policies,
        explain: false,
        notes,
        init: false,
        role,
        control,
    };
    crew::run(wish, Style::new(false, false, Color::Auto))
}

/// This executable with the same arguments.
fn settings(policies: &Policies) -> Settings {
    let mut settings = Settings::default();
    settings.policy = meant(&policies.common);
    settings
}
