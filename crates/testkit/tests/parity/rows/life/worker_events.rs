//! What a Node worker hears, it hears on both of its objects.

use serde_json::{Value, json};

use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-events",
    asserts: "in a Node worker a message is emitted on process and on cluster.worker, and an error of process is passed \
              on to cluster.worker",
    verdict: Verdict::Passes,
    // A Rust worker is one object.
    proofs: &[Proof::rust_node(both_hear)],
    parts: &[],
};

const NODE_WORKER: &str = "
const { worker } = require('node:cluster');
const heard = [];
const hear = (who) => (message) => {
  heard.push(`${who} ${message}`);
  if (heard.length === 2) process.emit('error', new Error('forwarded'));
};
process.on('message', hear('process'));
worker.on('message', hear('worker'));
worker.on('error', (error) => say([...heard.sort(), error.message]));
";

fn both_hear(world: &World) {
    world.run(async {
        let mut primary = Primary::new(world.node_workers(NODE_WORKER));
        let worker = primary.fork().await;
        worker.send("word").expect("connected");
        let heard: Value = primary.message_of(worker.id()).await;
        assert_eq!(heard, json!(["process word", "worker word", "forwarded"]));
        primary.end().await;
    });
}
