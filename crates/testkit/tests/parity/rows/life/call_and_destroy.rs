//! A worker that is disconnected can still be destroyed.

use portcrew::{Role, Settings, Signal};
use portcrew_testkit::process::Signal as System;
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-call-and-destroy",
    asserts: "the primary may destroy a worker after its disconnect, when isConnected is false; this one lives on, so \
              that SIGTERM is what ends it",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| destroys(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| destroys(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "setInterval(() => {}, 1e6);";

fn destroys(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        primary.online().await;
        worker.disconnect();
        assert!(primary.disconnect_of(worker.id()).await);
        assert!(!worker.is_connected() && !worker.is_dead());
        worker.kill(Signal::Terminate);
        let left = primary.exit_of(worker.id()).await;
        assert_eq!((left.signal(), left.planned), (Some(System::Term.number()), true));
        // Nor does it hurt when it is dead.
        worker.kill(Signal::Terminate);
        worker.disconnect();
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        worker.on('online', () => worker.disconnect());
        worker.on('disconnect', () => {
          assert.strictEqual(worker.isConnected(), false);
          worker.destroy();
        });
        ",
    );
    let exit = primary.next("exit");
    assert_eq!((&exit["signal"], &exit["planned"]), (&json!("SIGTERM"), &json!(true)));
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        worker.draining().await;
        worker.disconnect().await;
        std::future::pending::<()>().await;
    });
}
