//! A primary that fails takes its workers with it.

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, lead};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-primary-error",
    asserts: "an error that the primary does not catch ends it with its language's status (Node's 1, a panic's 101), \
              and its workers end too",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| panics(world, &world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| panics(world, &world.rust_workers("worker"))),
    ],
    parts: &[Part::new("primary", primary), Part::new("worker", worker)],
};

const NODE_WORKER: &str = "require('node:http').createServer().listen(0, '127.0.0.1');";

fn panics(world: &World, workers: &Settings) {
    world.rust_leader("primary", workers).ends_with_its_workers(101);
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        cluster.fork();
        cluster.fork();
        let listening = 0;
        cluster.on('listening', () => {
          listening += 1;
          if (listening === 2) throw new Error('nobody catches this');
        });
        ",
    );
    primary.ends_with_its_workers(1);
}

fn primary(role: Role) {
    lead(role, async |mut primary| {
        primary.fork().await;
        primary.fork().await;
        primary.listening().await;
        primary.listening().await;
        panic!("nobody catches this");
    });
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let _listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        worker.draining().await;
    });
}
