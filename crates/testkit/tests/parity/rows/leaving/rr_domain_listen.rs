//! A Node worker listens inside a domain.

use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-rr-domain-listen",
    asserts: "a Node worker that listens inside a domain is handed connections as any other",
    verdict: Verdict::Passes,
    // Only Node has domains.
    proofs: &[Proof::rust_node(serves)],
    parts: &[],
};

const NODE_WORKER: &str = "
const domain = require('node:domain').create();
domain.run(() => {
  require('node:net').createServer((client) => client.end('served')).listen(0, '127.0.0.1');
});
";

fn serves(world: &World) {
    world.run(async {
        let mut primary = Primary::new(world.node_workers(NODE_WORKER));
        primary.fork().await;
        let port = primary.port().await;
        for _ in 0..2 {
            assert_eq!(said_at(port), "served");
        }
        primary.end().await;
    });
}
