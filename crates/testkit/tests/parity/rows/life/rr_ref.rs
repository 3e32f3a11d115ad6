//! A server may be unref'd, ref'd and closed.

use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-rr-ref",
    asserts: "unref, ref and close of a Node worker's server: the callback of close runs, and the address is given up",
    verdict: Verdict::Passes,
    // A Rust worker's listener has nothing to ref.
    proofs: &[Proof::rust_node(closes)],
    parts: &[],
};

// It tells that it listens behind its own callback.
const NODE_WORKER: &str = "
const server = require('node:net').createServer();
server.listen(0, '127.0.0.1', () => setImmediate(() => {
  server.unref();
  server.ref();
  server.close(() => say('closed'));
}));
";

fn closes(world: &World) {
    world.run(async {
        let mut primary = Primary::new(world.node_workers(NODE_WORKER));
        let worker = primary.fork().await;
        primary.listening().await;
        assert_eq!(primary.message_of::<String>(worker.id()).await, "closed");
        let listeners = primary.cluster.snapshot().await.expect("driven").listeners;
        assert!(listeners.is_empty(), "{listeners:?}");
        assert!(worker.is_connected());
        primary.end().await;
    });
}
