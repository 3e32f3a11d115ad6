//! A Rust primary with a process of its own: it tells its events as JSON lines, as Node's primary does here.

use portcrew::{AddressType, Cluster, Event, Role, WorkerHandle, WorkerId};
use portcrew_testkit::fixture;
use serde_json::{Value, json};
use tokio::sync::mpsc::UnboundedReceiver;

use crate::row::Part;
use crate::world::lead;

/// For rows whose primary needs a directory, user, policy or descriptor of its own. Started by
/// [`World::rust_primary`](crate::world::World::rust_primary), it obeys the lines that a
/// [`NodeProcess`](crate::world::NodeProcess) writes, and `snapshot`. It ends when every worker that it started has
/// disconnected and exited. Where nobody can write to it, [`FORK`] starts a worker.
pub(crate) const PART: Part = Part::new("primary", primary);

/// The variable that has a primary start one worker by itself.
pub(crate) const FORK: &str = "PARITY_FORK";

fn primary(role: Role) {
    lead(role, |primary| tell_all(primary.cluster, fixture::commands()));
}

async fn tell_all(mut cluster: Cluster, mut commands: UnboundedReceiver<String>) {
    // Each worker comes once, and goes by a disconnect and an exit.
    let (mut started, mut gone) = (0, 0);
    if std::env::var_os(FORK).is_some() {
        obey(&cluster, "fork").await;
        started += 1;
    }
    while started == 0 || gone < 2 * started {
        tokio::select! {
            Some(line) = commands.recv() => {
                started += usize::from(line.starts_with("fork"));
                obey(&cluster, &line).await;
            }
            Some(event) = cluster.next_event() => {
                gone += usize::from(is_going(&event));
                tell(&event);
            }
        }
    }
}

async fn obey(cluster: &Cluster, line: &str) {
    let words = line.split(' ').collect::<Vec<_>>();
    match words[..] {
        ["fork", ref variables @ ..] => {
            let variables = variables.iter().filter_map(|it| it.split_once('='));
            cluster.fork_with(variables).await.expect("the program can be started");
        }
        ["send", id, word] => {
            let id = WorkerId(id.parse().expect("a number"));
            let sent = cluster.worker(id).and_then(|it| it.send(word));
            sent.expect("the worker is there");
        }
        ["disconnect"] => cluster.workers().iter().for_each(WorkerHandle::disconnect),
        ["snapshot"] => tell_snapshot(cluster).await,
        _ => panic!("{line:?} is no order"),
    }
}

fn is_going(event: &Event) -> bool {
    matches!(event, Event::Disconnect { .. } | Event::Exit { .. })
}

async fn tell_snapshot(cluster: &Cluster) {
    let snapshot = cluster.snapshot().await.expect("it is asked by its own process");
    let accepting = snapshot.listeners.iter().map(|it| it.accepting).collect::<Vec<_>>();
    fixture::tell("snapshot", &json!({ "accepting": accepting }));
}

/// With the fields that Node's primary tells, where there are such.
fn tell(event: &Event) {
    let (kind, worker, fields) = match event {
        Event::Fork { worker, process } => ("fork", worker, json!({ "pid": process.pid() })),
        Event::Online { worker } => ("online", worker, json!({})),
        Event::Listening { worker, address } => {
            let fields = json!({
                "address": address.address,
                "port": address.port,
                "addressType": number(address.address_type),
                "fd": address.fd,
            });
            ("listening", worker, fields)
        }
        Event::Message { worker, message, .. } => {
            let message: Value = message.json().expect("any JSON is a value");
            ("message", worker, json!({ "message": message }))
        }
        Event::Disconnect { worker, planned } => {
            ("disconnect", worker, json!({ "planned": planned }))
        }
        Event::Exit { worker, status, planned } => {
            ("exit", worker, json!({ "code": status.code(), "planned": planned }))
        }
        // Node has no such event, and no row asks for one.
        _ => return,
    };
    tell_of(kind, *worker, fields);
}

fn tell_of(kind: &str, worker: WorkerId, mut fields: Value) {
    fields["worker"] = json!(worker.0);
    fixture::tell(kind, &fields);
}

/// Node's `addressType` of a stream's address.
fn number(of: AddressType) -> Option<i32> {
    match of {
        AddressType::Tcp4 => Some(4),
        AddressType::Tcp6 => Some(6),
        AddressType::Unix => Some(-1),
        AddressType::Udp4 | AddressType::Udp6 | AddressType::Fd => None,
    }
}
