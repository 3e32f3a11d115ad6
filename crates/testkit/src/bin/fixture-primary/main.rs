//! A primary of the library that does what its standard input says and tells every event.
//!
//! ```text
//! fixture-primary PROGRAM [ARG...]
//! ```
//!
//! Standard output has one JSON object per line, its kind in `event`; workers write to it too. The policy comes from
//! `NODE_CLUSTER_SCHED_POLICY`; `LANE=0` keeps portcrew's own workers on Node's channel; `RESPAWN=1` forks anew at
//! once when a worker dies; `FORGET=1` keeps nothing of one that has ended, for long runs; `GRACE_MS`, `STABLE_MS` and
//! `START_MS` are the crew's times, `ANSWER_MS` and `HEARTBEAT_MS` are how it notices that one hangs, `HANG_SIGNAL` what
//! such a one gets; `MAX_CONNECTIONS` is what a worker may take, `SHED=1` closes what finds no room, `LEAST=1` counts
//! connections, `KERNEL=1` has the kernel spread them, `STICKY` is a header to look for, `DRAIN` the text that tells it to leave; `DIRECTORY` is
//! where workers start, `RUN_AS` the user `UID:GID[:GROUP]` that they run as, `ALLOW` the paths and ports, with commas,
//! that they may have then. Commands:
//!
//! ```text
//! fork [N] [KEY=VALUE...]    program PROGRAM [ARG...]    disconnect [ID]    kill ID SIGNAL
//! start N    scale BY    reload    stop    stop-now
//! send ID JSON    broadcast JSON    give ID listener|stream|udp    crowd ID COUNT BYTES
//! ask ID MILLISECONDS JSON
//! hold tcp|udp|file|unix:PATH    opens that and tells its number    drop-held    closes them
//! state    snapshot    quit
//! ```

#![forbid(unsafe_code)]

mod obey;
mod report;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::time::Duration;

use portcrew::{
    Cluster, Drain, Event, ListenerName, LookFor, Policy, Primary, Role, Settings, Signal, Sticky,
    WorkerHandle, WorkerId,
};
use portcrew_testkit::fixture::{commands, runtime, tell};
use serde_json::json;

/// The primary, and every worker that it ever had.
struct Fixture {
    cluster: Cluster,
    known: BTreeMap<WorkerId, WorkerHandle>,
    respawn: bool,
    forget: bool,
    /// Descriptors that workers may ask for by their numbers.
    held: Vec<OwnedFd>,
}

fn main() -> portcrew::Result<()> {
    match portcrew::role()? {
        Role::Primary(primary) => runtime()?.block_on(lead(primary)),
        Role::Worker(_) => Err(std::io::Error::other("this fixture is no worker").into()),
    }
}

async fn lead(primary: Primary) -> portcrew::Result<()> {
    let mut args = std::env::args_os().skip(1);
    let program = args.next().unwrap_or_default();
    let mut fixture = Fixture {
        cluster: primary.cluster(settings(program, args))?,
        known: BTreeMap::new(),
        respawn: std::env::var_os("RESPAWN").is_some(),
        forget: std::env::var_os("FORGET").is_some(),
        held: Vec::new(),
    };
    let mut lines = commands();
    tell("ready", &json!({ "pid": std::process::id() }));
    loop {
        tokio::select! {
            event = fixture.cluster.next_event() => match event {
                Some(event) => fixture.heard(event).await?,
                None => return Ok(()),
            },
            line = lines.recv() => {
                let line = line.unwrap_or_else(|| "quit".to_owned());
                if line == "quit" {
                    fixture.cluster.disconnect().await;
                    return Ok(());
                }
                if let Err(error) = fixture.obey(&line).await {
                    tell("failed", &json!({ "command": line, "error": report::chain(&*error) }));
                }
            }
        }
    }
}

impl Fixture {
    async fn heard(&mut self, event: Event) -> portcrew::Result<()> {
        let died = matches!(event, Event::Exit { planned: false, .. });
        if let Event::Fork { worker, .. } = event {
            if let Ok(handle) = self.cluster.worker(worker) {
                self.known.insert(worker, handle);
            }
        }
        let ended = match &event {
            Event::Exit { worker, .. } if self.forget => Some(*worker),
            _ => None,
        };
        report::report(event, &self.known);
        if let Some(worker) = ended {
            self.known.remove(&worker);
        }
        if died && self.respawn {
            self.cluster.fork().await?;
        }
        Ok(())
    }
}

fn settings(program: OsString, args: impl Iterator<Item = OsString>) -> Settings {
    let mut settings = Settings::program(program, args);
    settings.lane = std::env::var("LANE").as_deref() != Ok("0");
    let number = |name: &str| -> Option<u64> { std::env::var(name).ok()?.parse().ok() };
    let set = |time: &mut Duration, name: &str| {
        if let Some(given) = number(name) {
            *time = Duration::from_millis(given);
        }
    };
    set(&mut settings.grace, "GRACE_MS");
    set(&mut settings.stable_for, "STABLE_MS");
    set(&mut settings.start_deadline, "START_MS");
    let ms = |name: &str| number(name).map(Duration::from_millis);
    settings.liveness.answer_within = ms("ANSWER_MS").or(settings.liveness.answer_within);
    settings.liveness.heartbeat = ms("HEARTBEAT_MS");
    settings.hang_signal = std::env::var("HANG_SIGNAL").ok().and_then(|it| Signal::from_name(&it));
    if std::env::var_os("LEAST").is_some() {
        settings.policy = Policy::LeastConnections;
    }
    if std::env::var_os("KERNEL").is_some() {
        settings.policy = Policy::Kernel;
    }
    if let Ok(header) = std::env::var("STICKY") {
        settings.policy = Policy::Sticky(Sticky::by_value(LookFor::Header(header)));
    }
    settings.max_connections = number("MAX_CONNECTIONS");
    settings.shed = std::env::var_os("SHED").is_some();
    rights(&mut settings);
    if let Ok(text) = std::env::var("DRAIN") {
        settings.drain = Drain::Message(text);
    }
    settings
}

/// Where and as whom workers run, and what they may have.
fn rights(settings: &mut Settings) {
    settings.cwd = std::env::var_os("DIRECTORY").map(Into::into);
    if let Ok(text) = std::env::var("RUN_AS") {
        let ids: Vec<u32> = text.split(':').filter_map(|it| it.parse().ok()).collect();
        (settings.uid, settings.gid) = (ids.first().copied(), ids.get(1).copied());
        settings.groups = ids.get(2..).unwrap_or_default().to_vec();
    }
    for name in std::env::var("ALLOW").unwrap_or_default().split(',').filter(|it| !it.is_empty()) {
        settings.allow.insert(match (name.parse(), name.strip_prefix("fd:")) {
            (Ok(port), _) => ListenerName::Port(port),
            (Err(_), Some(fd)) => ListenerName::Fd(fd.parse().unwrap_or(-1)),
            (Err(_), None) => ListenerName::Path(name.to_owned()),
        });
    }
}
