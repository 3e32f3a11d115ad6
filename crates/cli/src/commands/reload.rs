//! `portcrew reload` and `portcrew restart`: new workers in place of the old.

use std::time::Duration;

use serde_json::{Value, json};

use super::each::{Done, Undone, each, plain, undone};
use crate::args::{RestartArgs, TargetArgs};
use crate::control::Client;
use crate::control::v1::{Reloaded, Signal, Signalled, Status, WorkerState};
use crate::exit::ExitStatus;
use crate::output::say_plainly;
use crate::output::words::commands as words;

/// Asks each crew that is meant, waits for its verdict and tells what comes before it.
pub(crate) fn reload(args: &TargetArgs) -> ExitStatus {
    each(&args.targets, args.json, |name, client| reload_one(name, client, args.json))
}

/// The same, unless the old workers are to end first.
pub(crate) fn restart(args: &RestartArgs) -> ExitStatus {
    let which = &args.which;
    if args.hard {
        return each(&which.targets, which.json, restart_hard);
    }
    let mut is_said = which.json;
    each(&which.targets, which.json, |name, client| {
        if !std::mem::replace(&mut is_said, true) {
            say_plainly(&words::restart_is_reload());
        }
        reload_one(name, client, which.json)
    })
}

fn reload_one(name: &str, client: &Client, quiet: bool) -> Result<Done, Undone> {
    // A verdict has no time. A crew that answers nothing at all is found out by a question that has one.
    let _: Status = client.get("/v1/status").map_err(|it| undone(name, it))?;
    if !quiet {
        follow(name.to_owned(), client);
    }
    let reloaded: Reloaded =
        client.post("/v1/reload", &json!({})).map_err(|it| undone(name, it))?;
    let took = Duration::from_millis(reloaded.took_ms);
    Ok(Done::well(words::reloaded(name, reloaded.generation, took), &reloaded))
}

/// Tells how far the reload is, on a thread of its own that ends with this process. Without it the verdict comes all
/// the same.
fn follow(name: String, client: &Client) {
    let Ok(events) = client.events() else {
        return;
    };
    std::thread::spawn(move || {
        // A crew that falls silent is noticed by whoever waits for the verdict.
        for event in events.map_while(Result::ok).filter_map(|it| parse(&it)) {
            let number = |key: &str| event[key].as_u64().unwrap_or_default();
            if event["event"] == "reload-progress" {
                say_plainly(&words::reload_progress(&name, number("replaced"), number("of")));
            }
        }
    });
}

fn restart_hard(name: &str, client: &Client) -> Result<Done, Undone> {
    // Before the signal, so that none of what follows is missed.
    let events = client.events().map_err(|it| undone(name, it))?;
    let wish = Signal { signal: "SIGTERM".to_owned(), worker: None };
    let ended: Signalled =
        client.post_within("/v1/signal", &wish).map_err(|it| undone(name, it))?;
    let mut seen = (0, 0);
    for event in events {
        let Some(event) = parse(&event.map_err(|it| undone(name, it))?) else { continue };
        if !matches!(event["event"].as_str(), Some("listening" | "exit" | "error")) {
            continue;
        }
        let status: Status = client.get("/v1/status").map_err(|it| undone(name, it))?;
        let is_old = |id: &u64| ended.workers.contains(id);
        let ready = status.workers.iter().filter(|it| it.state == WorkerState::Ready);
        let ready = ready.filter(|it| !is_old(&it.id)).count();
        seen = (ready, status.wanted);
        if event["event"] == "error" {
            break;
        }
        if ready >= status.wanted && !status.workers.iter().any(|it| is_old(&it.id)) {
            let answer = json!({ "workers": ready });
            return Ok(Done::well(words::restarted(name, ready), &answer));
        }
    }
    Err(plain(words::restart_unfinished(name, seen.0, seen.1), ExitStatus::CrewFailed))
}

fn parse(event: &str) -> Option<Value> {
    serde_json::from_str(event).ok()
}
