//! A socket with a long message goes to a worker and back.

use std::io::Write as _;

use portcrew::{Role, Settings, WorkerHandle};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Letter, Primary, World, connected, letter, read_all};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-send-handle-large-payload",
    asserts: "a socket with a message of 800,004 characters goes to the worker and back; text and socket arrive together",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| there_and_back(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| there_and_back(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

#[derive(Deserialize, Serialize)]
struct Long {
    payload: String,
}

impl Long {
    fn new() -> Self {
        Self { payload: "longtext".repeat(100_000) + "last" }
    }

    /// Whether it came whole, with its socket.
    fn check(letter: &Letter) {
        let long: Self = letter.json();
        assert_eq!(long.payload.len(), 800_004);
        assert!(long.payload == Self::new().payload, "the text has changed");
        assert!(letter.handle.is_some(), "the socket is not there");
    }
}

const NODE_WORKER: &str = r"
process.on('message', (message, socket) => {
  assert.strictEqual(message.payload, 'longtext'.repeat(100000) + 'last');
  assert.strictEqual(socket.constructor.name, 'Socket');
  say(message, socket);
});
";

fn there_and_back(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker: WorkerHandle = primary.fork().await;
        let (client, socket) = connected();
        worker.send_with(&Long::new(), socket).expect("connected");
        let letter = primary.letter().await;
        Long::check(&letter);
        letter.stream().write_all(b"back").expect("its client waits");
        assert_eq!(read_all(client), "back");
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const net = require('node:net');
        const payload = 'longtext'.repeat(100000) + 'last';
        cluster.removeAllListeners('message');
        const worker = cluster.fork();
        worker.on('message', (message, socket) => {
          assert.strictEqual(message.payload, payload);
          socket.end('back');
          worker.disconnect();
        });
        const server = net.createServer({ pauseOnConnect: true }, (socket) => {
          worker.send({ payload }, socket);
          server.close();
        });
        server.listen(0, '127.0.0.1', () => {
          let text = '';
          net.connect(server.address().port, '127.0.0.1').setEncoding('utf8')
            .on('data', (data) => { text += data; }).on('end', () => tell('read', { text }));
        });
        ",
    );
    assert_eq!(primary.next("read")["text"], json!("back"));
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let letter = letter(&worker).await;
        Long::check(&letter);
        worker.send_with(&letter.json::<Long>(), letter.stream()).expect("connected");
        worker.draining().await;
    });
}
