//! One of two workers closes and listens again on the same key, under both policies.

use std::sync::Arc;

use portcrew::{Listener, Policy, Role, Settings, Worker, WorkerHandle};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{NodeProcess, Primary, World, said_at};

pub(crate) const NONE: Row = Row {
    name: "test-cluster-server-restart-none",
    asserts: "SCHED_NONE: worker 2 closes and listens again on the same key while worker 1 serves; both exit with status 0",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| restart(world.node_workers(NODE_WORKER), Policy::Shared, world)),
        Proof::node_rust(|world| restart_under_node(world, "none")),
        Proof::rust_rust(|world| restart(world.rust_workers("worker"), Policy::Shared, world)),
    ],
    parts: &[Part::new("worker", worker)],
};

pub(crate) const RR: Row = Row {
    name: "test-cluster-server-restart-rr",
    asserts: "round robin: worker 2 closes and listens again on the same key while worker 1 serves; both exit with status 0",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| {
            restart(world.node_workers(NODE_WORKER), Policy::RoundRobin, world);
        }),
        Proof::node_rust(|world| restart_under_node(world, "rr")),
        Proof::rust_rust(|world| restart(world.rust_workers("worker"), Policy::RoundRobin, world)),
    ],
    parts: &[Part::new("worker", worker)],
};

// Closes and opens by turns, whenever it gets a word.
const NODE_WORKER: &str = r"
const server = require('node:net').createServer((client) => client.end(process.env.PARITY_NAME));
const open = () => server.listen(0, '127.0.0.1');
process.on('message', () => {
  if (server.listening) server.close(() => say('closed')); else open();
});
open();
";

fn restart(mut workers: Settings, policy: Policy, world: &World) {
    workers.policy = policy;
    world.run(async {
        let mut primary = Primary::new(workers);
        let one = primary.cluster.fork_with([("PARITY_NAME", "one")]).await.expect("it starts");
        let port = primary.port().await;
        let two = primary.cluster.fork_with([("PARITY_NAME", "two")]).await.expect("it starts");
        assert_eq!(primary.port().await, port);
        closes(&mut primary, &two).await;
        assert_eq!([said_at(port), said_at(port)], ["one", "one"]);
        two.send("open").expect("connected");
        assert_eq!(primary.listening().await.1.port, Some(port));
        closes(&mut primary, &one).await;
        assert_eq!([said_at(port), said_at(port)], ["two", "two"]);
        primary.end().await;
    });
}

async fn closes(primary: &mut Primary, worker: &WorkerHandle) {
    worker.send("close").expect("connected");
    assert_eq!(primary.message_of::<String>(worker.id()).await, "closed");
}

fn restart_under_node(world: &World, policy: &str) {
    let program = world.node_program("worker", "obey();");
    let mut primary = NodeProcess::start(program.env("NODE_CLUSTER_SCHED_POLICY", policy));
    primary.fork(&["PARITY_NAME=one".to_owned()]);
    let port = primary.port();
    primary.fork(&["PARITY_NAME=two".to_owned()]);
    assert_eq!(primary.port(), port);
    let closes = |primary: &mut NodeProcess, worker| {
        primary.send(worker, "close");
        let said = primary.next("message");
        assert!(said["message"] == "closed" && said["worker"] == worker, "{said}");
    };
    closes(&mut primary, 2);
    assert_eq!([said_at(port), said_at(port)], ["one", "one"]);
    primary.send(2, "open");
    assert_eq!(primary.port(), port);
    closes(&mut primary, 1);
    assert_eq!([said_at(port), said_at(port)], ["two", "two"]);
    primary.all_leave(2);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let mut listener = Some(open(&worker).await);
        loop {
            tokio::select! {
                _word = part::word(&worker) => match listener.take() {
                    Some(open) => {
                        open.close();
                        worker.send("closed").expect("connected");
                    }
                    None => listener = Some(open(&worker).await),
                },
                () = worker.draining() => return,
            }
        }
    });
}

async fn open(worker: &Worker) -> Arc<Listener> {
    let name: &'static str = String::leak(part::variable("PARITY_NAME"));
    part::serving(worker.listen("127.0.0.1:0").await.expect("a free port"), name)
}
