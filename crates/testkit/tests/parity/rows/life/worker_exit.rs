//! A worker exits by itself.

use portcrew::{Role, Settings, State};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, is_reaped, told_once};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-exit",
    asserts: "a listening worker that exits with 42 gives one disconnect and one exit, with that code and unplanned; at \
              disconnect it is not connected and in that state; at the end its process is gone",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| exits(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| exits(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
process.on('message', () => process.exit(42));
require('node:http').createServer().listen(0, '127.0.0.1');
";

fn exits(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        primary.listening().await;
        assert_eq!((worker.state(), worker.exited_after_disconnect()), (State::Listening, None));
        worker.send("exit").expect("connected");
        assert!(!primary.disconnect_of(worker.id()).await);
        // The exit may have been seen already, in either order.
        assert!(
            matches!(worker.state(), State::Disconnected | State::Dead) && !worker.is_connected()
        );
        let left = primary.exit_of(worker.id()).await;
        assert_eq!((left.code(), left.signal(), left.planned), (Some(42), None, false));
        assert_eq!(worker.exited_after_disconnect(), Some(false));
        assert!(is_reaped(worker.pid()));
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        worker.on('listening', () => worker.send('exit'));
        worker.on('disconnect', () => {
          tell('at disconnect', { state: worker.state, connected: worker.isConnected() });
        });
        worker.on('exit', () => {
          assert.throws(() => process.kill(worker.process.pid, 0), { code: 'ESRCH' });
        });
        ",
    );
    let state = primary.next("at disconnect");
    assert_eq!((&state["state"], &state["connected"]), (&json!("disconnected"), &json!(false)));
    let exit = primary.next("exit");
    assert_eq!((&exit["code"], &exit["signal"]), (&json!(42), &json!(null)));
    assert_eq!(exit["planned"], false);
    told_once(&primary.ends_with_its_workers(0), &["disconnect", "exit"]);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let _listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        worker.recv().await.expect("connected");
        std::process::exit(42);
    });
}
