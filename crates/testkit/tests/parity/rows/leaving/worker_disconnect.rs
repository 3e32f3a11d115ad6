//! The primary tells a worker to leave.

use portcrew::{Role, Settings, State};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-disconnect",
    asserts: "the primary's disconnect of a listening worker: disconnect and exit are told of the worker and of the \
              cluster, planned, with its state disconnected; the worker sees it too, and exits with its own 42",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| is_told(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| is_told(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
require('node:cluster').worker.on('disconnect', () => process.exit(42));
require('node:http').createServer().listen(0, '127.0.0.1');
";

fn is_told(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        primary.listening().await;
        worker.disconnect();
        assert!(primary.disconnect_of(worker.id()).await);
        assert!(matches!(worker.state(), State::Disconnected | State::Dead));
        assert_eq!((worker.is_connected(), worker.exited_after_disconnect()), (false, Some(true)));
        let left = primary.exit_of(worker.id()).await;
        assert_eq!((left.code(), left.signal(), left.planned), (Some(42), None, true));
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        worker.on('listening', () => {
          assert.strictEqual(worker.disconnect(), worker);
          assert.strictEqual(worker.exitedAfterDisconnect, true);
        });
        worker.on('disconnect', () => {
          tell('own disconnect', { state: worker.state, planned: worker.exitedAfterDisconnect });
        });
        worker.on('exit', (code, signal) => tell('own exit', { code, signal }));
        ",
    );
    let own = primary.next("own disconnect");
    assert!(own["state"] == "disconnected" && own["planned"] == true, "{own}");
    assert_eq!(primary.next("disconnect")["planned"], true);
    let own = primary.next("own exit");
    assert!(own["code"] == 42 && own["signal"].is_null(), "{own}");
    let exit = primary.next("exit");
    assert!(exit["code"] == 42 && exit["planned"] == true, "{exit}");
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        worker.draining().await;
        assert!(listener.is_closed());
        worker.disconnect().await;
        std::process::exit(42);
    });
}
