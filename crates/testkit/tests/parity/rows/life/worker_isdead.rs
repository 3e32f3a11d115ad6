//! The primary knows whether a worker lives.

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-isdead",
    asserts: "isDead is false while the worker lives, in the primary and for a Node worker in itself, and true in its \
              exit event",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| dies(world, world.node_workers(NODE_WORKER), "not dead")),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| dies(world, world.rust_workers("worker"), "here")),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const { worker } = require('node:cluster');
say(worker.isDead() ? 'dead' : 'not dead');
process.on('message', () => process.exit(0));
";

fn dies(world: &World, workers: Settings, word: &str) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        assert_eq!(primary.message_of::<String>(worker.id()).await, word);
        assert!(!worker.is_dead() && worker.exit_status().is_none());
        worker.send("exit").expect("connected");
        let left = primary.exit_with(0).await;
        assert!(worker.is_dead());
        assert_eq!(worker.exit_status(), Some(left.status));
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        worker.on('message', () => {
          tell('dead', { is: worker.isDead() });
          worker.send('exit');
        });
        worker.on('exit', () => tell('dead', { is: worker.isDead() }));
        ",
    );
    assert_eq!(primary.next("dead")["is"], false);
    assert_eq!(primary.next("dead")["is"], true);
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        worker.send("here").expect("connected");
        worker.recv().await.expect("connected");
    });
}
