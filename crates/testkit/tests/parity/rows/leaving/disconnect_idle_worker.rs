//! Workers that do nothing leave too.

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-disconnect-idle-worker",
    asserts: "cluster.disconnect with idle workers ends them, and leaves the table of workers empty. (Node's fork may be \
              called unbound, which shows where Node is the primary.)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| leave(world, world.node_workers(""))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| leave(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

fn leave(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        primary.fork().await;
        primary.fork().await;
        primary.online().await;
        primary.online().await;
        assert_eq!(primary.cluster.workers().len(), 2);
        primary.cluster.disconnect().await;
        assert!(primary.cluster.workers().is_empty());
        for _ in 0..2 {
            assert!(primary.disconnected().await.1);
            assert!(primary.exit_with(0).await.planned);
        }
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const { fork } = cluster;
        let online = 0;
        for (const worker of [fork(), fork()]) {
          worker.on('online', () => { online += 1; if (online === 2) cluster.disconnect(); });
        }
        process.on('exit', () => tell('table', { size: Object.keys(cluster.workers).length }));
        ",
    );
    for _ in 0..2 {
        let exit = primary.next("exit");
        assert!(exit["code"] == 0 && exit["planned"] == true, "{exit}");
    }
    assert_eq!(primary.next("table")["size"], 0);
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| worker.draining().await);
}
