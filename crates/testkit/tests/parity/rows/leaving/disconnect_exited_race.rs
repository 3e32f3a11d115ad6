//! A worker that leaves by its own will is known to do so when its channel ends.

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

/// At the same time.
const WORKERS: usize = 3;

pub(crate) const ROW: Row = Row {
    name: "test-cluster-disconnect-exitedAfterDisconnect-race",
    asserts: "a worker that disconnects itself waits until the primary has heard it: at its disconnect the primary \
              knows that this was planned, always; exit code 0",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| all_are_planned(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| all_are_planned(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const { worker } = require('node:cluster');
worker.on('disconnect', () => process.exit(worker.exitedAfterDisconnect ? 0 : 1));
worker.disconnect();
";

fn all_are_planned(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        for _ in 0..WORKERS {
            primary.fork().await;
        }
        for _ in 0..WORKERS {
            let (worker, planned) = primary.disconnected().await;
            assert!(planned, "worker {worker}");
            assert!(primary.exit_with(0).await.planned);
        }
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let script = "for (let at = 0; at < COUNT; at += 1) cluster.fork();";
    let primary = world.node_primary("worker", &script.replace("COUNT", &WORKERS.to_string()));
    for _ in 0..WORKERS {
        assert_eq!(primary.next("disconnect")["planned"], true);
        let exit = primary.next("exit");
        assert!(exit["code"] == 0 && exit["planned"] == true, "{exit}");
    }
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| worker.disconnect().await);
}
