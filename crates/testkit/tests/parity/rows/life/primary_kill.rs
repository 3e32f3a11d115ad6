//! A worker does not outlive its primary.

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, lead};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-primary-kill",
    asserts: "when the primary ends with status 0, its listening worker disappears",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| ends(world, &world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| ends(world, &world.rust_workers("worker"))),
    ],
    parts: &[Part::new("primary", primary), Part::new("worker", worker)],
};

const NODE_WORKER: &str = "require('node:http').createServer().listen(0, '127.0.0.1');";

fn ends(world: &World, workers: &Settings) {
    world.rust_leader("primary", workers).ends_with_its_workers(0);
}

fn under_node(world: &World) {
    let script = "cluster.fork(); cluster.on('listening', () => process.exit(0));";
    let told = world.node_primary("worker", script).ends_with_its_workers(0);
    assert!(told.iter().any(|it| it["event"] == "listening"), "{told:?}");
}

fn primary(role: Role) {
    lead(role, async |mut primary| {
        primary.fork().await;
        primary.listening().await;
        // Nothing is closed in an orderly way: the kernel does it.
        std::process::exit(0);
    });
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let _listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        worker.draining().await;
    });
}
