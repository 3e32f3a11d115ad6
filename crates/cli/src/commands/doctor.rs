//! `portcrew doctor`: whether this machine suits crews, and what to change.

mod checks;
mod limits;
mod queues;

use serde_json::json;

use checks::{Check, Verdict};

use crate::args::DoctorArgs;
use crate::control::v1::API;
use crate::exit::ExitStatus;
use crate::output::{Page, Tone, print, print_json};

/// Looks at everything and prints it. What is bad makes the status 1; advice does not.
pub(crate) fn run(args: &DoctorArgs) -> ExitStatus {
    let mut checks = checks::kernel();
    checks.extend(limits::all());
    checks.extend(queues::all());
    checks.push(checks::control());
    if args.json {
        print_json(&json!({ "api": API, "checks": checks }));
    } else {
        let page = Page::of_stdout();
        print(&checks.iter().map(|it| text(it, page)).collect::<String>());
    }
    match checks.iter().any(|it| it.verdict == Verdict::Bad) {
        true => ExitStatus::CrewFailed,
        false => ExitStatus::Stopped,
    }
}

fn text(check: &Check, page: Page) -> String {
    let (word, tone) = match check.verdict {
        Verdict::Good => ("ok", Tone::Good),
        Verdict::Advice => ("advice", Tone::Busy),
        Verdict::Bad => ("bad", Tone::Bad),
    };
    let word = tone.paint(&format!("{word:<8}"), page.coloured);
    let line = format!("{word}{}: {}\n", check.what, check.found);
    match &check.next {
        Some(next) => format!("{line}        {next}\n"),
        None => line,
    }
}
