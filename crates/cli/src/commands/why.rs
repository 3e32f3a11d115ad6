//! `portcrew why`: what befell a crew last.

use std::fmt::Write;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::each::{each_apart, undone};
use crate::args::TargetArgs;
use crate::control::v1::{Link, What, Why};
use crate::exit::ExitStatus;
use crate::output::unbroken;
use crate::output::words::commands as words;

/// Asks each crew that is meant.
pub(crate) fn run(args: &TargetArgs) -> ExitStatus {
    each_apart(&args.targets, args.json, |name, client| {
        let why: Why = client.get("/v1/why").map_err(|it| undone(name, it))?;
        Ok((text(&why), serde_json::to_value(&why).expect("a chain has text keys")))
    })
}

fn text(why: &Why) -> String {
    if why.chain.is_empty() {
        return format!("{}\n", words::nothing_befell(&why.name));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut text = format!("{}\n", why.name);
    for link in &why.chain {
        let age = now.saturating_sub(Duration::from_millis(link.time_ms));
        let _ = writeln!(text, "{:>12}  {}", words::ago(age), unbroken(&subject(link)));
        if let Some(inside) = inside(link) {
            let _ = writeln!(text, "{:>12}  {inside}", "");
        }
        if let Some(then) = &link.then {
            let _ = writeln!(text, "{:>12}  {}", "", unbroken(then));
        }
        for line in &link.output {
            let _ = writeln!(text, "{:>12}  | {}", "", unbroken(line));
        }
    }
    text
}

/// What the end of a worker cost, unless nothing.
fn inside(link: &Link) -> Option<String> {
    let is_death = link.what == What::Lost && link.worker.is_some();
    match link.died_inside {
        Some(0) => None,
        open => is_death.then(|| words::died_inside(open)),
    }
}

fn subject(link: &Link) -> String {
    let Some(worker) = link.worker else {
        return link.because.clone();
    };
    let place = [link.slot.map(|it| format!("slot {it}")), link.pid.map(|it| format!("pid {it}"))];
    let place: Vec<_> = place.into_iter().flatten().collect();
    // A roll-back says itself which worker it was.
    match link.because.contains("worker") {
        true => link.because.clone(),
        false => format!("worker {worker} ({}) {}", place.join(", "), link.because),
    }
}
