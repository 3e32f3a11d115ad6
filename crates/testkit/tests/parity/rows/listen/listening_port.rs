//! With port 0 the primary hears which port it became.

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-listening-port",
    asserts: "after listen(0) the listening event has the port that the kernel chose",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| listens(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| listens(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
require('node:net').createServer((client) => client.end('here')).listen(0);
";

fn listens(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        primary.fork().await;
        let port = primary.port().await;
        assert_ne!(port, 0);
        assert_eq!(said_at(port), "here");
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary("worker", "obey();");
    primary.fork(&[]);
    let port = primary.port();
    assert_ne!(port, 0);
    assert_eq!(said_at(port), "here");
    primary.all_leave(1);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let listener = worker.listen(0).await.expect("a free port");
        part::serve(&listener, "here").await;
    });
}
