//! A worker is told to leave before it has asked for its listener.

use portcrew::{Policy, Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, told_once};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-disconnect-leak",
    asserts: "with shared sockets: a disconnect right after the fork, while the worker calls listen, gives its \
              disconnect and its exit, and no listener is left",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| leaves_nothing(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| leaves_nothing(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "require('node:net').createServer().listen(0, '127.0.0.1');";

fn leaves_nothing(world: &World, mut workers: Settings) {
    workers.policy = Policy::Shared;
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        worker.disconnect();
        let left = primary.gone(worker.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
        let listeners = primary.cluster.snapshot().await.expect("driven").listeners;
        assert!(listeners.is_empty(), "{listeners:?}");
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    // Node ends only when nothing is left: neither a worker nor a listening socket.
    let primary = world.node_primary_sharing("worker", "cluster.fork().disconnect();");
    let exit = primary.next("exit");
    assert!(exit["code"] == 0 && exit["planned"] == true, "{exit}");
    told_once(&primary.ends_with_its_workers(0), &["disconnect", "exit"]);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        // Told in time it gets none, which is no mistake of anybody's.
        let _listener = worker.listen("127.0.0.1:0").await;
        worker.draining().await;
    });
}
