//! Node workers with an inspector.

use portcrew::{Settings, Stdio};
use serde::Deserialize;
use serde_json::json;

use crate::world::{Primary, World};

/// Says which port its inspector has, or would have, and where it listens.
const NODE_WORKER: &str = "
say({ port: process.debugPort, url: require('node:inspector').url() ?? null });
";

/// What such a worker says.
#[derive(Debug, Deserialize)]
pub(super) struct Inspected {
    /// Node's `process.debugPort`.
    pub(super) port: u16,
    url: Option<String>,
}

impl Inspected {
    /// Where its inspector listens, as `127.0.0.1:9230`; none when it does not.
    pub(super) fn address(&self) -> Option<&str> {
        self.url.as_deref()?.strip_prefix("ws://")?.split('/').next()
    }
}

/// Settings for workers that are started with this option.
pub(super) fn workers(world: &World, option: &str) -> Settings {
    let mut workers = world.node_workers(NODE_WORKER).env("NODE_OPTIONS", "");
    workers.args.insert(0, option.into());
    // Each says there where its inspector listens.
    workers.stderr = Stdio::Null;
    workers
}

/// One more worker.
pub(super) async fn fork(primary: &mut Primary) -> Inspected {
    let worker = primary.fork().await;
    let inspected: Inspected = primary.message_of(worker.id()).await;
    // Where the kernel chooses, the primary does not know what.
    let told = worker.inspect_port();
    assert!(told == Some(inspected.port) || told == Some(0), "{told:?}: {inspected:?}");
    inspected
}

/// One more worker, which must have no inspector.
pub(super) async fn without(primary: &mut Primary) {
    let worker = primary.fork().await;
    let inspected: Inspected = primary.message_of(worker.id()).await;
    let found = json!([inspected.address(), worker.inspect_port()]);
    assert_eq!(found, json!([null, null]), "{inspected:?}");
}
