//! `portcrew run`: a crew in the foreground.

use std::env;
use std::time::Duration;

use portcrew::{Role, Settings, Stdio};

use super::control;
use crate::args::RunArgs;
use crate::crew::{self, Kind, Wish};
use crate::exit::ExitStatus;
use crate::output::words::commands as words;
use crate::output::{Style, say_plainly};
use crate::plan::{Host, RunPlan, meant, supervise};
use crate::register;

/// How often `--events` tells what the policies have decided, while they decide something.
const SUMMARY_EVERY: Duration = Duration::from_secs(5);

/// Plans the crew and leads it until it is told to stop.
pub(crate) fn run(args: &RunArgs, role: Role) -> ExitStatus {
    if args.json && args.control.detached.is_none() {
        say_plainly(&words::no_json_of_run());
        return ExitStatus::Usage;
    }
    if args.control.detached.is_some() {
        // Out of the terminal that started it. It fails for the leader of a process group, which is out already.
        let _ = rustix::process::setsid();
    }
    let planned = Host::current().and_then(|host| Ok((RunPlan::new(args, &host)?, host)));
    let (mut plan, host) = match planned {
        Ok(planned) => planned,
        Err(refusal) => {
            say_plainly(&refusal.to_string());
            return refusal.exit_status();
        }
    };
    let note = match preload(args, &mut plan, &host) {
        Ok(note) => note,
        Err(reason) => {
            say_plainly(&reason);
            return ExitStatus::Usage;
        }
    };
    match wish(args, &plan, role) {
        Ok(mut wish) => {
            wish.notes.extend(note);
            crew::run(wish, Style::new(args.raw, args.events, args.color))
        }
        Err((words, status)) => {
            say_plainly(&words);
            status
        }
    }
}

/// What the workers' Node is told on top of what the user and the environment tell it; or what to say instead.
fn preload(args: &RunArgs, plan: &mut RunPlan, host: &Host) -> Result<Option<String>, String> {
    if !args.surroundings.register {
        return Ok(None);
    }
    let note = register::note(plan.executable());
    if note.is_none() {
        let given = plan.env.iter().rev().find(|(key, _)| key == "NODE_OPTIONS");
        let before = given.map(|(_, value)| value.as_os_str());
        let before = before.or_else(|| host.variable("NODE_OPTIONS"));
        let is_for_others = plan.identity.is_another();
        let variables = register::variables(host, is_for_others, before, args.grace)?;
        plan.env.extend(variables);
    }
    Ok(note)
}

fn wish(args: &RunArgs, plan: &RunPlan, role: Role) -> Result<Wish, (String, ExitStatus)> {
    let settings = settings(args, plan);
    let mut notes: Vec<_> = plan.notes.iter().map(ToString::to_string).collect();
    let (is_given, options) = (args.name.is_some(), &args.control);
    let control = control::claim(&plan.name, is_given, options, &role, &settings, &mut notes)?;
    Ok(Wish {
        name: plan.name.as_str().to_owned(),
        kind: Kind::Run,
        workers: plan.workers,
        settings,
        policies: plan.policies.clone(),
        explain: args.explain,
        notes,
        init: args.surroundings.init,
        role,
        control,
    })
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
    settings.listen.clone_from(&args.listen);
    settings.listen_nonblocking = args.listen_nonblocking;
    supervise(args, &mut settings);
    plan.identity.apply(&mut settings);
    settings.stdout = Stdio::Piped;
    settings.stderr = Stdio::Piped;
    settings
}
