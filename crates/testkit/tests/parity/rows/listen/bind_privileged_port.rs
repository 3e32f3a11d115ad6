//! A port that only a privileged user may have, under both policies.

use portcrew::{Role, Settings};
use portcrew_testkit::process::Program;

use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{
    LOW_PORT, NodeProcess, World, as_other_user, low_ports_are_refused,
    low_ports_are_refused_to_node, refusal, refused,
};
use crate::{part, tell};

pub(crate) const RR: Row = Row {
    name: "test-cluster-bind-privileged-port",
    asserts: "round robin: port 42 is EACCES in the worker of another user than root, and the worker exits with status 0",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| {
            refuses(world, rust(world, &world.node_workers(NODE_WORKER)), "rr");
        })
        .needs(low_ports_are_refused_to_node),
        Proof::node_rust(|world| refuses(world, node(world), "rr"))
            .needs(low_ports_are_refused_to_node),
        Proof::rust_rust(|world| refuses(world, rust(world, &world.rust_workers("worker")), "rr"))
            .needs(low_ports_are_refused),
    ],
    parts: &[tell::PART, Part::new("worker", worker)],
};

pub(crate) const NONE: Row = Row {
    name: "test-cluster-shared-handle-bind-privileged-port",
    asserts: "SCHED_NONE: port 42 is EACCES in the worker of another user than root, and the worker exits with status 0",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| {
            refuses(world, rust(world, &world.node_workers(NODE_WORKER)), "none");
        })
        .needs(low_ports_are_refused_to_node),
        Proof::node_rust(|world| refuses(world, node(world), "none"))
            .needs(low_ports_are_refused_to_node),
        Proof::rust_rust(|world| {
            refuses(world, rust(world, &world.rust_workers("worker")), "none");
        })
        .needs(low_ports_are_refused),
    ],
    parts: &[tell::PART, Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const server = require('node:net').createServer();
server.on('error', (error) => { say(refusal(error)); process.disconnect(); });
server.listen(42, '127.0.0.1');
";

fn rust(world: &World, workers: &Settings) -> Program {
    world.rust_primary(workers)
}

fn node(world: &World) -> Program {
    world.node_program("worker", "obey();")
}

fn refuses(world: &World, primary: Program, policy: &str) {
    let primary = as_other_user(world, primary.env("NODE_CLUSTER_SCHED_POLICY", policy));
    let mut primary = NodeProcess::start(primary);
    primary.fork(&[]);
    let said = &primary.next("message")["message"];
    assert_eq!(said, &refused("EACCES", "127.0.0.1", Some(LOW_PORT)));
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let error = worker.listen(([127, 0, 0, 1], LOW_PORT)).await.expect_err("it is a low port");
        worker.send(&refusal(&error)).expect("connected");
        worker.disconnect().await;
    });
}
