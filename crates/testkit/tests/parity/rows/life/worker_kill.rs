//! A worker is killed by somebody else.

use portcrew::{Role, Settings};
use portcrew_testkit::process::Signal;
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, is_reaped, kill_from_outside, told_once};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-kill",
    asserts: "SIGKILL by process id: one disconnect and one exit, without code, with SIGKILL, unplanned; the process is \
              gone",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| is_killed(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| is_killed(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "require('node:http').createServer().listen(0, '127.0.0.1');";

fn is_killed(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        primary.listening().await;
        kill_from_outside(worker.pid());
        let left = primary.gone(worker.id()).await;
        assert_eq!((left.code(), left.signal()), (None, Some(Signal::Kill.number())));
        assert!(!left.planned && is_reaped(worker.pid()));
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        worker.on('listening', () => process.kill(worker.process.pid, 'SIGKILL'));
        worker.on('exit', () => {
          assert.throws(() => process.kill(worker.process.pid, 0), { code: 'ESRCH' });
        });
        ",
    );
    let exit = primary.next("exit");
    assert_eq!((&exit["code"], &exit["signal"]), (&json!(null), &json!("SIGKILL")));
    assert_eq!(exit["planned"], false);
    told_once(&primary.ends_with_its_workers(0), &["disconnect", "exit"]);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let _listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        worker.draining().await;
    });
}
