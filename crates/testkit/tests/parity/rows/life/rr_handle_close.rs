//! A server that is closed does not keep its Node process alive.

use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-rr-handle-close",
    asserts: "a Node worker whose server is closed and whose channel is unref'd exits by itself, with 0; the address is \
              given up then",
    verdict: Verdict::Passes,
    // What keeps a Rust worker alive is its main.
    proofs: &[Proof::rust_node(closes)],
    parts: &[],
};

// It tells that it listens behind its own callback.
const NODE_WORKER: &str = "
const server = require('node:net').createServer();
server.listen(0, '127.0.0.1', () => setImmediate(() => {
  server.close();
  process.channel.unref();
}));
";

fn closes(world: &World) {
    world.run(async {
        let mut primary = Primary::new(world.node_workers(NODE_WORKER));
        let worker = primary.fork().await;
        primary.listening().await;
        let left = primary.gone(worker.id()).await;
        // Nobody told it to go.
        assert_eq!((left.code(), left.planned), (Some(0), false));
        // The death of a worker alone would not close it.
        let listeners = primary.cluster.snapshot().await.expect("driven").listeners;
        assert!(listeners.is_empty(), "{listeners:?}");
    });
}
