//! `portcrew run`: a crew in the foreground.

use std::env;
use std::time::Duration;

use portcrew::{Role, Settings, Stdio};

use crate::args::RunArgs;
use crate::crew::{self, Kind, Wish};
use crate::exit::ExitStatus;
use crate::output::{Style, say_plainly};
use crate::plan::{Host, RunPlan, meant};

/// How often `--events` tells what the policies have decided, while they decide something.
const SUMMARY_EVERY: Duration = Duration::from_secs(5);

/// Plans the crew and leads it until it is told to stop.
pub(crate) fn run(args: &RunArgs, role: Role) -> ExitStatus {
    match Host::current().and_then(|host| RunPlan::new(args, &host)) {
        Ok(plan) => {
            let style = Style::new(args.raw, args.events, args.color);
            crew::run(wish(args, &plan, role), style)
        }
        Err(refusal) => {
            say_plainly(&refusal.to_string());
            refusal.exit_status()
        }
    }
}

fn wish(args: &RunArgs, plan: &RunPlan, role: Role) -> Wish {
    Wish {
        name: plan.name.as_str().to_owned(),
        kind: Kind::Run,
        workers: plan.workers,
        settings: settings(args, plan),
        policies: plan.policies.clone(),
        explain: args.explain,
        notes: plan.notes.iter().map(ToString::to_string).collect(),
        role,
    }
}

fn settings(args: &RunArgs, plan: &RunPlan) -> Settings {
    let mut settings = Settings::program(plan.executable(), plan.arguments());
    settings.env.clone_from(&plan.env);
    // Only where it differs: entering a directory costs the child one more exec.
    let is_here = env::current_dir().is_ok_and(|here| here == plan.directory);
    settings.cwd = (!is_here).then(|| plan.directory.clone());
    settings.policy = meant(&plan.policies.common);
    settings.policies = plan.policies.of_listeners();
    settings.summary_every = args.events.then_some(SUMMARY_EVERY);
    settings.lane = plan.lane;
    settings.grace = args.grace;
    settings.start_deadline = args.start_deadline;
    settings.stdout = Stdio::Piped;
    settings.stderr = Stdio::Piped;
    settings
}
