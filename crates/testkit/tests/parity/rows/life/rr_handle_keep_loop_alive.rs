//! An open server keeps its Node process alive, though the primary has the socket.

use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-rr-handle-keep-loop-alive",
    asserts: "a Node worker with an open server stays, though its channel is unref'd and it has nothing else to do",
    verdict: Verdict::Passes,
    // What keeps a Rust worker alive is its main.
    proofs: &[Proof::rust_node(stays)],
    parts: &[],
};

// A loop with nothing to keep it ends in the turn in which that shows, and serves nobody any more.
const NODE_WORKER: &str = "
let served = 0;
const server = require('node:net').createServer((client) => client.end(`${++served}`));
server.listen(0, '127.0.0.1', () => {
  process.channel.unref();
  say('unreferenced');
});
";

fn stays(world: &World) {
    world.run(async {
        let mut primary = Primary::new(world.node_workers(NODE_WORKER));
        let worker = primary.fork().await;
        let port = primary.port().await;
        assert_eq!(primary.message_of::<String>(worker.id()).await, "unreferenced");
        // Between two clients it is idle again.
        for turn in ["1", "2", "3"] {
            assert_eq!(said_at(port), turn);
        }
        worker.disconnect();
        let left = primary.gone(worker.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
    });
}
