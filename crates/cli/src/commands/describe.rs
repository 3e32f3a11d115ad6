//! `portcrew describe`: everything about a crew.

use std::fmt::Write;
use std::time::Duration;

use super::each::{each_apart, undone};
use super::list::state;
use crate::args::TargetArgs;
use crate::control::v1::{Listener, Status, Worker, WorkerState};
use crate::exit::ExitStatus;
use crate::output::words::commands as words;
use crate::output::{Cell, Column, Page, Tone, table, unbroken};

const WORKERS: [Column; 10] = [
    Column { title: "worker", right: true, rank: 0 },
    Column { title: "slot", right: true, rank: 2 },
    Column { title: "pid", right: true, rank: 1 },
    Column { title: "state", right: false, rank: 0 },
    Column { title: "gen", right: true, rank: 7 },
    Column { title: "up", right: true, rank: 3 },
    Column { title: "taken", right: true, rank: 4 },
    Column { title: "live", right: true, rank: 8 },
    Column { title: "cpu", right: true, rank: 6 },
    Column { title: "memory", right: true, rank: 5 },
];

const LISTENERS: [Column; 7] = [
    Column { title: "listener", right: false, rank: 0 },
    Column { title: "policy", right: false, rank: 0 },
    Column { title: "accepted", right: true, rank: 5 },
    Column { title: "waiting", right: true, rank: 1 },
    Column { title: "most", right: true, rank: 4 },
    Column { title: "unaccepted", right: false, rank: 3 },
    Column { title: "workers", right: false, rank: 2 },
];

/// Asks each crew that is meant.
pub(crate) fn run(args: &TargetArgs) -> ExitStatus {
    let page = Page::of_stdout();
    each_apart(&args.targets, args.json, |name, client| {
        let status: Status = client.get("/v1/status").map_err(|it| undone(name, it))?;
        Ok((text(&status, page), serde_json::to_value(&status).expect("a status has text keys")))
    })
}

fn text(status: &Status, page: Page) -> String {
    let mut text = String::new();
    let Cell { text: phase, tone } = state(status.phase);
    let phase = tone.paint(&phase, page.coloured);
    let up = words::age_of(Duration::from_millis(status.uptime_ms));
    for (key, value) in [
        ("crew", status.name.clone()),
        ("state", format!("{phase}, {} of {} workers ready", status.ready, status.wanted)),
        ("program", status.program.clone()),
        ("directory", status.directory.clone()),
        ("primary", format!("pid {}, up {up}, portcrew {}", status.pid, status.version)),
        ("listens on", or_none(&status.addresses.join(", "))),
        ("policy", policies(status)),
        ("generation", status.generation.to_string()),
        ("restarts", restarts(status)),
        ("connections", ledger(status)),
    ] {
        let _ = writeln!(text, "{key:<12} {}", unbroken(&value));
    }
    if let Some(reload) = status.reload {
        let _ = writeln!(text, "{:<12} {} of {} replaced", "reload", reload.replaced, reload.of);
    }
    if let Some(logs) = &status.logs {
        let _ = writeln!(text, "{:<12} {}\n{:<12} {}", "output", logs.out, "errors", logs.err);
    }
    if status.output_lost > 0 {
        let _ = writeln!(text, "{:<12} {}", "lost", words::lines_of_output(status.output_lost));
    }
    text.push('\n');
    text.push_str(&table(&WORKERS, &status.workers.iter().map(worker).collect::<Vec<_>>(), page));
    if !status.listeners.is_empty() {
        let rows: Vec<_> = status.listeners.iter().map(listener).collect();
        let _ = write!(text, "\n{}", table(&LISTENERS, &rows, page));
    }
    text
}

fn policies(status: &Status) -> String {
    let own = status.own_policies.iter().map(|it| format!(", {}={}", it.listener, it.policy));
    status.policy.clone() + &own.collect::<String>()
}

fn restarts(status: &Status) -> String {
    let each: Vec<_> =
        status.restarts.iter().map(|(why, count)| format!("{count} {why}")).collect();
    or_none(&each.join(", "))
}

fn ledger(status: &Status) -> String {
    let it = &status.ledger;
    // Datagrams are no connections.
    let has_unknown =
        status.listeners.iter().any(|it| it.accepted.is_none() && !it.key.contains(":udp"));
    let known = format!("{} accepted, {} taken", it.accepted, it.taken);
    let mut text = match (has_unknown, it.accepted) {
        (true, 0) => words::UNKNOWN_BESIDES.to_owned(),
        (true, _) => format!("{known}, {}", words::UNKNOWN_BESIDES),
        (false, _) => known,
    };
    for (what, count) in [("waiting", it.held), ("offered", it.offered)] {
        if count > 0 {
            let _ = write!(text, ", {count} {what}");
        }
    }
    for (why, count) in it.closed.iter().filter(|(_, count)| **count > 0) {
        let _ = write!(text, ", {count} closed ({why})");
    }
    for (what, inside, uncounted) in
        [("died", it.died_inside, it.died_uncounted), ("were cut", it.cut_inside, it.cut_uncounted)]
    {
        if inside + uncounted > 0 {
            let _ = write!(text, ", {}", words::lost_with_workers(what, inside, uncounted));
        }
    }
    text
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "none".to_owned() } else { text.to_owned() }
}

fn worker(it: &Worker) -> Vec<Cell> {
    let (state, tone) = match it.state {
        WorkerState::Started => ("started", Tone::Busy),
        WorkerState::Online => ("online", Tone::Busy),
        WorkerState::Ready => ("ready", Tone::Good),
        WorkerState::Draining => ("draining", Tone::Busy),
        WorkerState::Ended => ("ended", Tone::Bad),
    };
    let known = |text: Option<String>| Cell::new(text.unwrap_or_else(|| "-".to_owned()));
    vec![
        Cell::new(it.id.to_string()),
        known(it.slot.map(|it| it.to_string())),
        Cell::new(it.pid.to_string()),
        Cell::toned(state, tone),
        known(it.generation.map(|it| it.to_string())),
        known(it.uptime_ms.map(|it| words::age_of(Duration::from_millis(it)))),
        known(it.taken.map(|it| it.to_string())),
        known(it.live.map(|it| it.to_string())),
        known(it.figures.cpu_percent.map(|it| format!("{it:.1}%"))),
        known(it.figures.memory.map(words::size)),
    ]
}

fn listener(it: &Listener) -> Vec<Cell> {
    let workers: Vec<_> = it.workers.iter().map(u64::to_string).collect();
    vec![
        Cell::new(&it.key),
        Cell::new(&it.policy),
        Cell::new(it.accepted.map_or_else(|| words::UNKNOWN.to_owned(), |it| it.to_string())),
        Cell::new(it.held.to_string()),
        Cell::new(it.deepest.to_string()),
        Cell::new(it.accept_queue.map_or_else(|| "-".to_owned(), |it| words::accept_queue(&it))),
        Cell::new(workers.join(" ")),
    ]
}
