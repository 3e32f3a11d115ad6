//! A worker ends itself, while it is connected and after.

use portcrew::{Role, Settings};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-destroy",
    asserts: "a worker may end itself while connected and after its disconnect: exit code 0 and planned, both times. \
              (That Node's disconnect returns the worker, for chaining, shows where Node is the worker.)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| ends_itself(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| ends_itself(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

// The interval would keep it alive for ever.
const NODE_WORKER: &str = "
const { worker } = require('node:cluster');
setInterval(() => {}, 1e6);
if (worker.id === 1) {
  worker.destroy();
} else {
  worker.on('disconnect', () => worker.destroy());
  assert.strictEqual(worker.disconnect(), worker);
}
";

fn ends_itself(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let (connected, after) = (primary.fork().await, primary.fork().await);
        for worker in [connected, after] {
            let left = primary.gone(worker.id()).await;
            assert_eq!((left.code(), left.planned), (Some(0), true), "{left:?}");
        }
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary("worker", "cluster.fork(); cluster.fork();");
    for _ in 0..2 {
        let exit = primary.next("exit");
        assert_eq!((&exit["code"], &exit["planned"]), (&json!(0), &json!(true)), "{exit}");
    }
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        worker.disconnect().await;
        assert!(!worker.is_connected());
        if worker.id().0 == 2 {
            worker.disconnect().await;
        }
        std::process::exit(0);
    });
}
