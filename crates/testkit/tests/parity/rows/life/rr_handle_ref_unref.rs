//! An unref'd server does not keep its Node process alive.

use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-rr-handle-ref-unref",
    asserts: "a Node worker exits by itself, with 0, when its open server was unref'd, before or after it listened",
    verdict: Verdict::Passes,
    // What keeps a Rust worker alive is its main.
    proofs: &[Proof::rust_node(exits)],
    parts: &[],
};

const NODE_WORKER: &str = "
const server = require('node:net').createServer();
const before = require('node:cluster').worker.id === 1;
server.listen(0, '127.0.0.1', () => {
  if (!before) server.unref();
  process.channel.unref();
});
if (before) server.unref();
";

fn exits(world: &World) {
    world.run(async {
        let mut primary = Primary::new(world.node_workers(NODE_WORKER));
        let (before, after) = (primary.fork().await, primary.fork().await);
        for worker in [before, after] {
            primary.listening().await;
            let left = primary.gone(worker.id()).await;
            assert_eq!((left.code(), left.planned), (Some(0), false));
        }
    });
}
