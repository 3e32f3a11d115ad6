//! A worker's exit code reaches the primary.

use portcrew::{Role, Settings};
use serde_json::json;

use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-death",
    asserts: "a worker's exit code 42 is on the worker's and on the cluster's exit event",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| dies(world, world.node_workers("process.exit(42);"))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| dies(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

fn dies(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        let left = primary.exit_with(42).await;
        assert_eq!((left.worker, left.planned), (worker.id(), false));
        assert_eq!(worker.exit_status(), Some(left.status));
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "cluster.fork().on('exit', (code, signal) => tell('own exit', { code, signal }));",
    );
    let own = primary.next("own exit");
    assert_eq!((&own["code"], &own["signal"]), (&json!(42), &json!(null)));
    let exit = primary.next("exit");
    assert_eq!((&exit["code"], &exit["planned"]), (&json!(42), &json!(false)));
    primary.ends_with(0);
}

fn worker(_role: Role) {
    std::process::exit(42);
}
