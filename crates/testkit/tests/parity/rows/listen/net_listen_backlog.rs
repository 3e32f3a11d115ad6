//! How long the kernel's queue is.

use portcrew::{Listen, Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, listening_on};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-net-listen-backlog",
    asserts: "the backlog that a worker asks for is that of the primary's socket",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| asks(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(asks_under_node),
        Proof::rust_rust(|world| asks(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

/// Nobody's default.
const BACKLOG: u32 = 41;

const NODE_WORKER: &str = "
require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 41 });
";

fn asks(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        primary.fork().await;
        check(primary.port().await);
        primary.end().await;
    });
}

fn asks_under_node(world: &World) {
    let mut primary = world.node_primary("worker", "obey();");
    primary.fork(&[]);
    check(primary.port());
    primary.all_leave(1);
}

fn check(port: u16) {
    let backlogs = listening_on(port).iter().map(|it| it.backlog).collect::<Vec<_>>();
    assert_eq!(backlogs, [BACKLOG]);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let address = Listen::from("127.0.0.1:0").backlog(BACKLOG);
        let _listener = worker.listen(address).await.expect("a free port");
        worker.draining().await;
    });
}
