//! Events, states and counts as the test reads them.

use std::collections::BTreeMap;
use std::error::Error;
use std::os::unix::process::ExitStatusExt as _;

use portcrew::{CloseReason, Event, ListenAddress, Snapshot, State, WorkerHandle, WorkerId};
use portcrew_testkit::fixture::{tell, use_it};
use serde_json::{Value, json};

/// Tells what happened. Sockets that came with messages are used, questions are answered: `"silence"` is not.
pub(crate) fn report(event: Event, known: &BTreeMap<WorkerId, WorkerHandle>) {
    match event {
        Event::Setup { .. } => tell("setup", &json!({})),
        Event::Fork { worker, .. } => {
            let pid = known.get(&worker).map(WorkerHandle::pid);
            tell("fork", &json!({ "worker": worker.0, "pid": pid }));
        }
        Event::Online { worker } => tell("online", &json!({ "worker": worker.0 })),
        Event::Listening { worker, address } => listening("listening", worker, &address),
        Event::SelfBound { worker, address } => listening("self-bound", worker, &address),
        Event::ListenFailed { worker, address, error, lacks } => {
            let fields = json!({
                "worker": worker.0, "errno": error.raw_os_error(), "address": address.address,
                "port": address.port, "fd": address.fd, "lacks": lacks.map(|it| it.to_string()),
            });
            tell("listen-failed", &fields);
        }
        Event::Message { worker, message, handle, .. } => {
            let handle = handle.map(|handle| use_it(handle, "primary".to_owned()));
            let message = message.json::<Value>().unwrap_or_default();
            tell("message", &json!({ "worker": worker.0, "message": message, "handle": handle }));
        }
        Event::Request { worker, request } => {
            let body = request.json::<Value>().unwrap_or_default();
            tell("request", &json!({ "worker": worker.0, "body": body }));
            if body != "silence" {
                // An asker that has gone needs no answer.
                let _ = request.reply(&json!({ "answer": body }));
            }
        }
        Event::Disconnect { worker, planned } => {
            tell("disconnect", &json!({ "worker": worker.0, "planned": planned }));
        }
        Event::Exit { worker, status, planned } => {
            let (code, signal) = (status.code(), status.signal());
            let fields =
                json!({ "worker": worker.0, "code": code, "signal": signal, "planned": planned });
            tell("exit", &fields);
        }
        Event::Error { worker, error } => {
            tell("error", &json!({ "worker": worker.map(|it| it.0), "error": chain(&error) }));
        }
        Event::Hangs { worker, reason, found, diagnosis, .. } => {
            let fields = json!({
                "worker": worker.0, "reason": format!("{reason:?}"), "found": format!("{found:?}"),
                "state": format!("{:?}", diagnosis.state), "threads": diagnosis.threads,
                "cpu": diagnosis.cpu, "waits_in": diagnosis.waits_in,
            });
            tell("hangs", &fields);
        }
        Event::DiedInside { worker, open, planned } => {
            tell("died-inside", &json!({ "worker": worker.0, "open": open, "planned": planned }));
        }
        Event::Misbehaved { worker } => tell("misbehaved", &json!({ "worker": worker.0 })),
        Event::Crew(notice) => tell("crew", &json!({ "notice": format!("{notice:?}") })),
        Event::Finished(outcome) => tell("finished", &json!({ "outcome": outcome.to_string() })),
        Event::Lagged { dropped } => tell("lagged", &json!({ "dropped": dropped })),
        other => tell("unknown", &json!({ "debug": format!("{other:?}") })),
    }
}

fn listening(kind: &str, worker: WorkerId, address: &ListenAddress) {
    let fields = json!({
        "worker": worker.0, "address": address.address, "port": address.port, "fd": address.fd,
        "type": format!("{:?}", address.address_type),
    });
    tell(kind, &fields);
}

/// An error with its causes.
pub(crate) fn chain(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        text.push_str(&format!(": {cause}"));
        next = cause.source();
    }
    text
}

/// Every worker that there ever was, as its handle says.
pub(crate) fn states(known: &BTreeMap<WorkerId, WorkerHandle>) -> Value {
    let workers = known.values().map(|worker| {
        json!({
            "worker": worker.id().0, "state": name(worker.state()), "connected": worker.is_connected(),
            "dead": worker.is_dead(), "exited_after_disconnect": worker.exited_after_disconnect(),
        })
    });
    json!({ "workers": workers.collect::<Vec<_>>() })
}

pub(crate) fn counts(snapshot: &Snapshot) -> Value {
    let ledger = &snapshot.ledger;
    let closed: BTreeMap<_, _> =
        CloseReason::ALL.iter().map(|reason| (reason.name(), ledger.closed_for(*reason))).collect();
    let workers = snapshot.workers.iter().map(|worker| {
        json!({ "worker": worker.id.0, "pid": worker.pid, "state": name(worker.state), "taken": worker.taken })
    });
    let listeners = snapshot.listeners.iter().map(|listener| {
        json!({ "key": listener.key, "shared": listener.shared, "accepting": listener.accepting,
            "held": listener.held, "holders": listener.holders.len(),
            "accepted": listener.accepted, "taken": listener.taken,
            "dropped": listener.accept_queue.and_then(|it| it.dropped) })
    });
    let mut told = json!({
        "closed": closed, "workers": workers.collect::<Vec<_>>(), "listeners": listeners.collect::<Vec<_>>(),
    });
    for (name, count) in ledger.counts() {
        told[name] = count.into();
    }
    told
}

/// Node's words.
const fn name(state: State) -> &'static str {
    match state {
        State::Started => "none",
        State::Online => "online",
        State::Listening => "listening",
        State::Disconnected => "disconnected",
        State::Dead => "dead",
    }
}
