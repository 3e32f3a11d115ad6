//! `portcrew run`: a crew in the foreground.

use std::io;

use crate::args::RunArgs;
use crate::exit::ExitStatus;
use crate::output::{Report, Style, say_plainly};
use crate::plan::{Host, Refusal, RunPlan};

/// Plans the crew and runs it until it is told to stop.
pub(crate) fn run(args: &RunArgs) -> ExitStatus {
    match Host::current().and_then(|host| RunPlan::new(args, &host)) {
        Ok(plan) => match perform(args, &plan) {
            Ok(status) => status,
            Err(error) => {
                say_plainly(&error.to_string());
                ExitStatus::Internal
            }
        },
        Err(refusal) => refuse(&refusal),
    }
}

fn refuse(refusal: &Refusal) -> ExitStatus {
    say_plainly(&refusal.to_string());
    refusal.exit_status()
}

fn perform(args: &RunArgs, plan: &RunPlan) -> io::Result<ExitStatus> {
    let report = Report::new(Style::new(args.raw, args.events, args.color))?;
    for note in &plan.notes {
        report.notice(&note.to_string());
    }
    report.notice("the running of a crew is not built yet");
    report.close();
    Ok(ExitStatus::Internal)
}
