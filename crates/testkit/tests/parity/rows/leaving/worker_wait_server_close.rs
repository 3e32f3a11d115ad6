//! A worker's channel stays open until its server's connections are done.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;

use portcrew::{Role, Settings};
use portcrew_testkit::process::eventually;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{HANG, Primary, World, connect};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-wait-server-close",
    asserts: "a worker that was told to leave closes its server at once, and its channel only when the server's \
              connections have ended; until then messages pass",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| waits(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| waits(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

// To each line it answers whether it listens; what it says when it does not, it says on the channel too.
const NODE_WORKER: &str = "
const server = require('node:net').createServer((client) => {
  client.on('data', () => {
    client.write(`${server.listening}\\n`);
    if (!server.listening) say('closing');
  });
});
server.listen(0, '127.0.0.1');
";

fn waits(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        let client = Client::new(primary.port().await);
        assert!(client.hears_that_it_listens());
        worker.disconnect();
        client.waits_until_it_does_not();
        // A message behind the end of the channel would be against the order that every proof checks.
        assert_eq!(primary.message_of::<Value>(worker.id()).await, json!("closing"));
        assert!(worker.is_connected());
        drop(client);
        let left = primary.gone(worker.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        worker.on('message', () => tell('connected', { is: worker.isConnected() }));
        lines(() => worker.disconnect());
        ",
    );
    let client = Client::new(primary.port());
    assert!(client.hears_that_it_listens());
    primary.line("disconnect");
    client.waits_until_it_does_not();
    assert_eq!(primary.next("connected")["is"], true);
    drop(client);
    let exit = primary.next("exit");
    assert!(exit["code"] == 0 && exit["planned"] == true, "{exit}");
    primary.ends_with(0);
}

struct Client(TcpStream);

impl Client {
    fn new(port: u16) -> Self {
        Self(connect(port))
    }

    fn hears_that_it_listens(&self) -> bool {
        (&self.0).write_all(b"?\n").expect("it reads");
        let mut line = String::new();
        BufReader::new(&self.0).read_line(&mut line).expect("it answers");
        line.trim().parse().expect("true or false")
    }

    fn waits_until_it_does_not(&self) {
        let closed = || (!self.hears_that_it_listens()).then_some(());
        eventually("the server closes", HANG, closed);
    }
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        let (mut client, _) = listener.accept().await.expect("a client");
        let (from, mut to) = client.split();
        let mut lines = tokio::io::BufReader::new(from).lines();
        while let Some(_asked) = lines.next_line().await.expect("no reset") {
            let answer = format!("{}\n", !listener.is_closed());
            to.write_all(answer.as_bytes()).await.expect("it reads");
            if listener.is_closed() {
                worker.send("closing").expect("connected");
            }
        }
        worker.disconnect().await;
    });
}
