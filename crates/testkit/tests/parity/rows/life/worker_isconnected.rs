//! Both sides know whether the channel is open.

use portcrew::{Role, Settings};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-isconnected",
    asserts: "isConnected is true before disconnect and false in its event, in the primary and in the worker",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| connected(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| connected(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

// What it sees after the end it can say by its exit code alone.
const NODE_WORKER: &str = "
const { worker } = require('node:cluster');
say(worker.isConnected());
worker.on('disconnect', () => process.exit(worker.isConnected() ? 1 : 42));
";

fn connected(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        assert!(primary.message_of::<bool>(worker.id()).await, "in the worker");
        assert!(worker.is_connected());
        worker.disconnect();
        primary.disconnect_of(worker.id()).await;
        assert!(!worker.is_connected());
        primary.exit_with(42).await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        worker.on('message', () => {
          tell('connected', { is: worker.isConnected() });
          worker.disconnect();
        });
        worker.on('disconnect', () => tell('connected', { is: worker.isConnected() }));
        ",
    );
    assert_eq!(primary.next("message")["message"], true);
    assert_eq!(primary.next("connected")["is"], true);
    assert_eq!(primary.next("connected")["is"], false);
    assert_eq!(primary.next("exit")["code"], json!(42));
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        worker.send(&worker.is_connected()).expect("connected");
        worker.draining().await;
        worker.disconnect().await;
        std::process::exit(if worker.is_connected() { 1 } else { 42 });
    });
}
