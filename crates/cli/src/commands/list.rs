//! `portcrew list`: all crews in one table.

use std::thread;
use std::time::Duration;

use serde_json::json;

use super::each::{find, names_of, refuse};
use crate::args::ListArgs;
use crate::control::v1::{API, Phase, Status};
use crate::control::{Crews, Found};
use crate::exit::ExitStatus;
use crate::output::words::commands as words;
use crate::output::{Cell, Column, Page, Tone, print, print_json, table};

/// Crews that are asked at once.
const AT_ONCE: usize = 16;

const COLUMNS: [Column; 10] = [
    Column { title: "crew", right: false, rank: 0 },
    Column { title: "state", right: false, rank: 0 },
    Column { title: "workers", right: true, rank: 1 },
    Column { title: "listens on", right: false, rank: 3 },
    Column { title: "pid", right: true, rank: 2 },
    Column { title: "up", right: true, rank: 4 },
    Column { title: "gen", right: true, rank: 7 },
    Column { title: "restarts", right: true, rank: 5 },
    Column { title: "cpu", right: true, rank: 8 },
    Column { title: "memory", right: true, rank: 6 },
];

/// One name and what was found behind it.
enum Row {
    Crew(Box<Status>),
    Silent(String, Option<u32>),
}

/// Asks all crews at once and prints a table.
pub(crate) fn run(args: &ListArgs) -> ExitStatus {
    let all = ["all".to_owned()];
    let targets = if args.targets.is_empty() { &all[..] } else { &args.targets };
    let (crews, meant) = match find(targets) {
        Ok(found) => found,
        // Nobody was asked for by name: an empty list is a good answer.
        Err((words, ExitStatus::NoCrew)) if args.targets.is_empty() && is_empty() => {
            return nothing(&words, args.json);
        }
        Err((words, status)) => return refuse(&words, args.json, status),
    };
    let (names, status) = names_of(meant);
    let rows = look(&crews, &names);
    if rows.is_empty() && status == ExitStatus::Stopped {
        return nothing(&words::no_crews(), args.json);
    }
    if args.json {
        print_json(&json(&rows));
    } else {
        let cells: Vec<_> = rows.iter().map(cells).collect();
        print(&table(&COLUMNS, &cells, Page::of_stdout()));
    }
    status
}

fn is_empty() -> bool {
    Crews::of_this_user().is_ok_and(|crews| crews.names.is_empty())
}

fn nothing(words: &str, as_json: bool) -> ExitStatus {
    if as_json {
        print_json(&json(&[]));
    } else {
        print(&format!("{words}\n"));
    }
    ExitStatus::Stopped
}

/// In the order of the names. Those whose primary has died are cleaned up behind and left out.
fn look(crews: &Crews, names: &[String]) -> Vec<Row> {
    let part = names.len().div_ceil(AT_ONCE).max(1);
    thread::scope(|scope| {
        let parts: Vec<_> = names
            .chunks(part)
            .map(|names| {
                scope
                    .spawn(move || names.iter().filter_map(|it| row(crews, it)).collect::<Vec<_>>())
            })
            .collect();
        parts.into_iter().flat_map(|it| it.join().unwrap_or_default()).collect()
    })
}

fn row(crews: &Crews, name: &str) -> Option<Row> {
    match crews.find(name) {
        Found::Crew(client) => Some(match client.get::<Status>("/v1/status") {
            Ok(status) => Row::Crew(Box::new(status)),
            Err(_) => Row::Silent(name.to_owned(), crews.holder(name)),
        }),
        Found::Silent(pid) | Found::Full(pid) => Some(Row::Silent(name.to_owned(), pid)),
        Found::Nobody => None,
    }
}

fn json(rows: &[Row]) -> serde_json::Value {
    let crews: Vec<_> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Crew(status) => Some(status),
            Row::Silent(..) => None,
        })
        .collect();
    let silent: Vec<_> = rows
        .iter()
        .filter_map(|row| match row {
            Row::Crew(_) => None,
            Row::Silent(name, pid) => Some(json!({ "name": name, "pid": pid })),
        })
        .collect();
    json!({ "api": API, "crews": crews, "silent": silent })
}

fn cells(row: &Row) -> Vec<Cell> {
    let status = match row {
        Row::Crew(status) => status,
        Row::Silent(name, pid) => return silent(name, *pid),
    };
    let (ready, wanted) = (status.ready, status.wanted);
    let missing = if ready < wanted { Tone::Busy } else { Tone::Plain };
    let (cpu, memory) = totals(status);
    let restarts: u64 = status.restarts.values().sum();
    vec![
        Cell::new(&status.name),
        state(status.phase),
        Cell::toned(format!("{ready}/{wanted}"), missing),
        Cell::new(match status.addresses.as_slice() {
            [] => "-".to_owned(),
            [one] => one.clone(),
            [first, rest @ ..] => format!("{first} +{}", rest.len()),
        }),
        Cell::new(status.pid.to_string()),
        Cell::new(words::age_of(Duration::from_millis(status.uptime_ms))),
        Cell::new(status.generation.to_string()),
        Cell::toned(restarts.to_string(), if restarts > 0 { Tone::Busy } else { Tone::Plain }),
        Cell::new(cpu.map_or_else(|| "-".to_owned(), |it| format!("{it:.1}%"))),
        Cell::new(memory.map_or_else(|| "-".to_owned(), words::size)),
    ]
}

fn silent(name: &str, pid: Option<u32>) -> Vec<Cell> {
    let unknown = || Cell::new("-");
    let mut cells = vec![Cell::new(name), Cell::toned("silent", Tone::Bad), unknown(), unknown()];
    cells.push(pid.map_or_else(unknown, |pid| Cell::new(pid.to_string())));
    cells.resize_with(COLUMNS.len(), unknown);
    cells
}

/// The state in its word and colour.
pub(super) fn state(phase: Phase) -> Cell {
    let (text, tone) = match phase {
        Phase::Starting => ("starting", Tone::Busy),
        Phase::Running => ("running", Tone::Good),
        Phase::Degraded => ("degraded", Tone::Bad),
        Phase::Reloading => ("reloading", Tone::Busy),
        Phase::RollingBack => ("rolling back", Tone::Bad),
        Phase::Stopping => ("stopping", Tone::Busy),
        Phase::Stopped => ("stopped", Tone::Bad),
    };
    Cell::toned(text, tone)
}

/// Of the primary and its workers together; what is not known of one is not known of all.
fn totals(status: &Status) -> (Option<f64>, Option<u64>) {
    let figures = || status.workers.iter().map(|it| it.figures).chain([status.figures]);
    (figures().map(|it| it.cpu_percent).sum(), figures().map(|it| it.memory).sum())
}
