//! A message that is sent as soon as a worker is online arrives.

use portcrew::{Received, Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-init",
    asserts: "the worker object inside the worker is given a message that the primary sends at online",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| greets(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| greets(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const { worker } = require('node:cluster');
worker.on('message', (message) => say({ heard: message }));
";

fn greets(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        primary.online().await;
        worker.send(&json!({ "hello": worker.id().0 })).expect("connected");
        let heard: Value = primary.message_of(worker.id()).await;
        assert_eq!(heard, json!({ "heard": { "hello": 1 } }));
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        worker.on('online', () => worker.send({ hello: worker.id }));
        worker.on('message', () => worker.disconnect());
        ",
    );
    assert_eq!(primary.next("message")["message"], json!({ "heard": { "hello": 1 } }));
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let Some(Received::Message { message, .. }) = worker.recv().await else {
            panic!("no message")
        };
        let message: Value = message.json().expect("any value");
        worker.send(&json!({ "heard": message })).expect("connected");
        worker.draining().await;
    });
}
