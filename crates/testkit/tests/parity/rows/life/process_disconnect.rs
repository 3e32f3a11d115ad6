//! A worker closes its channel without a word while it listens.

use std::io::Read as _;

use portcrew::{Role, Settings};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, connect};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-process-disconnect",
    asserts: "a listening worker that closes its channel without a word (process.disconnect, or the end of the runtime \
              that drove it) exits with code 0 and no signal; nobody planned it",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(node_under_rust),
        Proof::node_rust(under_node),
        Proof::rust_rust(rust_under_rust),
    ],
    parts: &[Part::new("worker", worker)],
};

fn node_under_rust(world: &World) {
    let script = "
        const server = require('node:http').createServer();
        // It tells that it listens behind its own callback.
        server.listen(0, '127.0.0.1', () => setImmediate(() => process.disconnect()));
    ";
    world.run(async {
        let mut primary = Primary::new(world.node_workers(script));
        let worker = primary.fork().await;
        primary.listening().await;
        let left = primary.gone(worker.id()).await;
        assert_eq!((left.code(), left.signal(), left.planned), (Some(0), None, false));
    });
}

fn rust_under_rust(world: &World) {
    world.run(async { closes(world.rust_workers("worker")).await });
}

async fn closes(workers: Settings) {
    let mut primary = Primary::new(workers);
    let worker = primary.fork().await;
    let client = connect(primary.port().await);
    assert!(!primary.disconnect_of(worker.id()).await);
    assert!(!worker.is_connected() && !worker.is_dead(), "it waits for its client");
    drop(client);
    let left = primary.exit_of(worker.id()).await;
    assert_eq!((left.code(), left.signal(), left.planned), (Some(0), None, false));
}

fn under_node(world: &World) {
    let primary = world.node_primary("worker", "cluster.fork();");
    let client = connect(primary.port());
    assert_eq!(primary.next("disconnect")["planned"], false);
    drop(client);
    let exit = primary.next("exit");
    assert_eq!((&exit["code"], &exit["signal"]), (&json!(0), &json!(null)));
    assert_eq!(exit["planned"], false);
    primary.ends_with(0);
}

fn worker(role: Role) {
    let mut kept = None;
    part::worker(role, async |worker| {
        let listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        let (client, _) = listener.accept().await.expect("a client");
        let client = client.into_std().expect("it was registered");
        kept = Some((client, listener));
    });
    // The runtime is gone, and the channel with it; the process lives as long as its client.
    let (mut client, _listener) = kept.expect("accepted");
    client.set_nonblocking(false).expect("a socket");
    assert_eq!(client.read(&mut [0]).expect("no reset"), 0, "the client says nothing");
}
