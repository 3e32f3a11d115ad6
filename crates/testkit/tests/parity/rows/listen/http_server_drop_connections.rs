//! A Node server that takes a connection beyond its limit and drops it.

use serde_json::Value;

use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-http-server-drop-connections-in-cluster",
    asserts: "maxConnections 0 with dropMaxConnection: the worker takes the connection, drops it, and has a drop event",
    verdict: Verdict::Passes,
    // Both are properties of Node's server, so Node is the worker.
    proofs: &[Proof::rust_node(drops).since(22, 12)],
    parts: &[],
};

const NODE_WORKER: &str = "
const server = require('node:http').createServer(() => assert.fail('no request comes'));
server.maxConnections = 0;
server.dropMaxConnection = true;
server.on('drop', ({ localPort }) => say(localPort));
server.listen(0, '127.0.0.1');
";

fn drops(world: &World) {
    world.run(async {
        let mut primary = Primary::new(world.node_workers(NODE_WORKER));
        let worker = primary.fork().await;
        let port = primary.port().await;
        assert_eq!(said_at(port), "");
        assert_eq!(primary.message_of::<Value>(worker.id()).await, port);
        let ledger = primary.ledger(|it| it.taken == 1).await;
        assert_eq!(ledger.offered_again, 0, "{ledger:?}");
        primary.end().await;
    });
}
