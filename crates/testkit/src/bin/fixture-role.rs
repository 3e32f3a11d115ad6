//! Says what `role()` made of it, to whoever started it, and starts a crew of its own where it is told to.
//!
//! Told by a message `"report"` it sends its descriptors, its variables, and those of a child that it starts. Told
//! `"nest"` it becomes the primary of one more worker of the same program and passes on what that one reports.

#![forbid(unsafe_code)]
// Its output is how a test follows it.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::io;
use std::process::{Command, Stdio};

use portcrew::{Cluster, Event, Primary, Received, Role, Settings, Worker};
use portcrew_testkit::fixture::runtime;
use serde_json::{Value, json};

/// The argument of a child that only looks at itself.
const CHILD: &str = "look-at-yourself";

fn main() -> portcrew::Result<()> {
    if std::env::args().nth(1).as_deref() == Some(CHILD) {
        println!("{}", own()?);
        return Ok(());
    }
    let role = portcrew::role()?;
    // Before the runtime opens descriptors of its own.
    let found = report()?;
    match role {
        Role::Worker(worker) => runtime()?.block_on(work(&worker, &found)),
        Role::Primary(primary) => runtime()?.block_on(lead(primary, &found)),
    }
}

async fn work(worker: &Worker, found: &Value) -> portcrew::Result<()> {
    worker.send(&json!({ "role": "worker", "id": worker.id().0 }))?;
    loop {
        let received = tokio::select! {
            received = worker.recv() => received,
            // Told to leave: it has nothing to finish.
            () = worker.draining() => None,
        };
        let Some(received) = received else { return Ok(()) };
        let Received::Message { message, .. } = received else { continue };
        match message.json::<String>().as_deref() {
            Ok("report") => worker.send(found)?,
            Ok("nest") => {
                let cluster = Cluster::new(Settings::default())?;
                nest(cluster, |inner| worker.send(inner)).await?;
            }
            _ => {}
        }
    }
}

async fn lead(mut primary: Primary, found: &Value) -> portcrew::Result<()> {
    let Some(parent) = primary.take_parent() else {
        println!("{}", json!({ "role": "primary", "parent": false }));
        return Ok(());
    };
    parent.send(&json!({ "role": "primary", "parent": true }))?;
    while let Some(received) = parent.recv().await {
        let Received::Message { message, .. } = received else { continue };
        match message.json::<String>().as_deref() {
            Ok("report") => parent.send(found)?,
            Ok("nest") => {
                let cluster = primary.cluster(Settings::default())?;
                nest(cluster, |inner| parent.send(inner)).await?;
            }
            _ => {}
        }
    }
    Ok(())
}

/// One worker of a crew of its own: what it says is passed on, and then it is let go.
async fn nest(
    mut cluster: Cluster,
    pass: impl Fn(&Value) -> portcrew::Result<()>,
) -> portcrew::Result<()> {
    let worker = cluster.fork().await?;
    worker.send("report")?;
    while let Some(event) = cluster.next_event().await {
        match event {
            Event::Message { message, .. } => {
                let inner = message.json::<Value>()?;
                pass(&json!({ "inner": inner }))?;
                if inner["fds"].is_array() {
                    worker.disconnect();
                }
            }
            Event::Exit { status, planned, .. } => {
                return pass(&json!({ "inner-exit": status.code(), "planned": planned }));
            }
            _ => {}
        }
    }
    Ok(())
}

/// This process's descriptors and variables, and those of a child.
fn report() -> io::Result<Value> {
    let mut found = own()?;
    let child = Command::new(std::env::current_exe()?).arg(CHILD).stdin(Stdio::null()).output()?;
    found["child"] = serde_json::from_slice(&child.stdout)?;
    Ok(found)
}

/// This process's descriptors and variables.
fn own() -> io::Result<Value> {
    let variables: Vec<_> =
        std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned()).collect();
    Ok(json!({ "fds": fds()?, "variables": variables }))
}

/// Each descriptor with what it is and whether an exec closes it.
fn fds() -> io::Result<Vec<Value>> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir("/proc/self/fd")?.flatten() {
        let number: u32 = entry.file_name().to_string_lossy().parse().map_err(io::Error::other)?;
        let target = std::fs::read_link(entry.path())?.to_string_lossy().into_owned();
        let info = std::fs::read_to_string(format!("/proc/self/fdinfo/{number}"))?;
        let flags = info.lines().find_map(|line| line.strip_prefix("flags:")).unwrap_or("0").trim();
        let flags = u32::from_str_radix(flags, 8).map_err(io::Error::other)?;
        // The one by which this list is being read.
        if !target.ends_with("/fd") {
            found.insert(
                number,
                json!({ "fd": number, "is": target, "cloexec": flags & 0o2_000_000 != 0 }),
            );
        }
    }
    Ok(found.into_values().collect())
}
