//! A worker that does nothing but loop can be killed.

use portcrew::{Role, Settings, Signal};
use portcrew_testkit::process::Signal as System;
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, wait_spinning};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-kill-infinite-loop",
    asserts: "the primary's plain kill ends a worker that loops for ever: no code, SIGTERM",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| is_killed(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| is_killed(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "process.on('message', () => { for (;;); });";

fn is_killed(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        primary.online().await;
        worker.send("loop").expect("connected");
        wait_spinning(worker.pid());
        worker.kill(Signal::Terminate);
        let left = primary.gone(worker.id()).await;
        assert_eq!((left.code(), left.signal()), (None, Some(System::Term.number())));
        assert!(!left.planned);
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        worker.on('online', () => {
          worker.send('loop');
          tell('pid', { pid: worker.process.pid });
        });
        lines(() => worker.process.kill());
        ",
    );
    let pid = primary.pid();
    wait_spinning(pid);
    primary.line("kill");
    let exit = primary.next("exit");
    assert_eq!((&exit["code"], &exit["signal"]), (&json!(null), &json!("SIGTERM")));
    assert_eq!(exit["planned"], false);
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        worker.recv().await.expect("connected");
        loop {
            std::hint::spin_loop();
        }
    });
}
