//! The crew is told to leave when one has left already and still lives.

use std::future::{Future as _, poll_fn};
use std::pin::pin;
use std::task::Poll;

use portcrew::{Role, Settings, Signal};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, told_once};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-disconnect-before-exit",
    asserts: "cluster.disconnect after a worker's disconnect and before its exit does no harm; here it ends when that \
              worker has exited",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| waits(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| waits(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "setInterval(() => {}, 1e6);";

fn waits(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        primary.online().await;
        worker.disconnect();
        assert!(primary.disconnect_of(worker.id()).await);
        {
            let mut all = pin!(primary.cluster.disconnect());
            let first = poll_fn(|cx| Poll::Ready(all.as_mut().poll(cx))).await;
            assert!(first.is_pending() && !worker.is_dead(), "it waits for the exit");
            worker.kill(Signal::Terminate);
            all.await;
            assert!(worker.is_dead());
        }
        assert!(primary.exit_of(worker.id()).await.planned);
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        worker.on('online', () => worker.disconnect());
        cluster.on('disconnect', () => {
          cluster.disconnect(() => tell('all gone'));
          worker.kill();
        });
        ",
    );
    let exit = primary.next("exit");
    assert!(exit["signal"] == "SIGTERM" && exit["planned"] == true, "{exit}");
    told_once(&primary.ends_with_its_workers(0), &["disconnect", "exit", "all gone"]);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        worker.draining().await;
        worker.disconnect().await;
        std::future::pending::<()>().await;
    });
}
