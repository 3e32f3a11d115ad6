//! A port that is taken, where the workers share the socket.

use portcrew::{Policy, Role, Settings};
use serde_json::Value;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, refusal, refused, taken_port};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-shared-handle-bind-error",
    asserts: "SCHED_NONE: a taken port is EADDRINUSE in the worker, which then exits with status 0",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| refuses(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(refuses_under_node),
        Proof::rust_rust(|world| refuses(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const server = require('node:net').createServer();
server.on('error', (error) => { say(refusal(error)); process.disconnect(); });
server.listen(+process.env.PARITY_PORT, '127.0.0.1');
";

fn refuses(world: &World, mut workers: Settings) {
    let (_owner, port) = taken_port();
    workers.policy = Policy::Shared;
    world.run(async {
        let mut primary = Primary::new(workers.env("PARITY_PORT", port.to_string()));
        let worker = primary.fork().await;
        let said: Value = primary.message_of(worker.id()).await;
        assert_eq!(said, refused("EADDRINUSE", "127.0.0.1", Some(port)));
        primary.exit_with(0).await;
        assert!(primary.keys().await.is_empty());
    });
}

// Node's primary sends the socket all the same; libuv keeps the error for the worker's `listen`.
fn refuses_under_node(world: &World) {
    let (_owner, port) = taken_port();
    let mut primary = world.node_primary_sharing("worker", "obey();");
    primary.fork(&[format!("PARITY_PORT={port}")]);
    let said = &primary.next("message")["message"];
    assert_eq!(said, &refused("EADDRINUSE", "127.0.0.1", Some(port)));
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let port: u16 = part::variable("PARITY_PORT");
        let error = worker.listen(([127, 0, 0, 1], port)).await.expect_err("it is taken");
        worker.send(&refusal(&error)).expect("connected");
        worker.disconnect().await;
    });
}
