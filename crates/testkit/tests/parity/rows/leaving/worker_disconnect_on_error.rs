//! A worker leaves because it cannot listen.

use portcrew::{Error, Policy, Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, taken_port};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-disconnect-on-error",
    asserts: "with shared sockets: a worker that finds its port taken may disconnect right there; its end is planned, \
              with 0",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| leaves(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| leaves(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const { worker } = require('node:cluster');
const server = require('node:net').createServer();
server.on('error', (error) => {
  assert.strictEqual(error.code, 'EADDRINUSE');
  worker.disconnect();
});
server.listen(+process.env.TAKEN, '127.0.0.1');
";

fn leaves(world: &World, mut workers: Settings) {
    workers.policy = Policy::Shared;
    let (_held, port) = taken_port();
    world.run(async {
        let mut primary = Primary::new(workers);
        let env = [("TAKEN", port.to_string())];
        let worker = primary.cluster.fork_with(env).await.expect("it starts");
        let left = primary.gone(worker.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let (_held, port) = taken_port();
    let script = format!("cluster.fork({{ TAKEN: {port} }});");
    let primary = world.node_primary_sharing("worker", &script);
    assert_eq!(primary.next("disconnect")["planned"], true);
    let exit = primary.next("exit");
    assert!(exit["code"] == 0 && exit["planned"] == true, "{exit}");
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let port: u16 = std::env::var("TAKEN").ok().and_then(|it| it.parse().ok()).expect("a port");
        let error = worker.listen(([127, 0, 0, 1], port)).await.expect_err("it is taken");
        assert!(matches!(&error, Error::Listen(error) if error.code() == "EADDRINUSE"));
        worker.disconnect().await;
    });
}
