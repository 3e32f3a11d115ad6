//! Both ends of a channel send sockets at the same time.

use std::io::Write as _;
use std::net::TcpStream;

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Letter, Primary, World, connect, connected, letter, read_all, said};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-send-deadlock",
    asserts: "a primary and its worker that send each other sockets at once do not wait for each other for ever",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| exchange(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| exchange(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

/// In each direction. The worker begins when it is told to, in front of the first of the primary's.
const SOCKETS: usize = 4;

/// Of each message: more than the channel's socket takes, so that each side has begun to write before it has read what
/// the other writes.
const LENGTH: usize = 500_000;

const NODE_WORKER: &str = r"
const sockets = [];
const server = require('node:net').createServer({ pauseOnConnect: true }, (socket) => {
  if (sockets.push(socket) === 4) say('ready');
});
server.listen(0, '127.0.0.1', () => say(server.address().port));
process.on('message', (message, socket) => {
  if (message === 'go') return sockets.forEach((it) => say('w'.repeat(500000), it));
  assert.ok(message === 'p'.repeat(500000));
  socket.end('worker');
});
";

fn exchange(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        let theirs: u16 = primary.message_of(worker.id()).await;
        let (to_primary, accepted): (Vec<_>, Vec<_>) = (0..SOCKETS).map(|_| connected()).unzip();
        let to_worker = (0..SOCKETS).map(|_| connect(theirs)).collect();
        assert_eq!(primary.message_of::<String>(worker.id()).await, "ready");
        worker.send("go").expect("connected");
        for socket in accepted {
            worker.send_with(&"p".repeat(LENGTH), socket).expect("connected");
        }
        for _ in 0..SOCKETS {
            serve(primary.letter().await, 'w', "primary");
        }
        all_read(to_primary, "worker");
        all_read(to_worker, "primary");
        primary.end().await;
    });
}

/// Says to the client whose connection that is who has it.
fn serve(letter: Letter, text: char, name: &str) {
    let message: String = letter.json();
    assert!(message.len() == LENGTH && message.chars().all(|it| it == text), "another message");
    letter.stream().write_all(name.as_bytes()).expect("its client waits");
}

/// Each client must be answered by whoever its connection was sent to.
fn all_read(clients: Vec<TcpStream>, answer: &str) {
    for client in clients {
        assert_eq!(read_all(client), answer);
    }
}

fn under_node(world: &World) {
    let mut primary = world.node_primary(
        "worker",
        "
        cluster.removeAllListeners('message');
        const sockets = [];
        const worker = cluster.fork();
        const server = require('node:net').createServer({ pauseOnConnect: true }, (socket) => {
          if (sockets.push(socket) === 4) tell('ready');
        });
        worker.once('message', (theirs) => {
          server.listen(0, '127.0.0.1', () => tell('ports', { own: server.address().port, theirs }));
          worker.once('message', (message) => {
            assert.strictEqual(message, 'ready');
            tell('ready');
            worker.on('message', (big, socket) => {
              assert.ok(big === 'w'.repeat(500000));
              socket.end('primary');
            });
          });
        });
        const wishes = {
          go: () => {
            server.close();
            worker.send('go');
            sockets.forEach((it) => worker.send('p'.repeat(500000), it));
          },
          leave: () => worker.disconnect(),
        };
        lines((line) => wishes[line]());
        ",
    );
    let ports = primary.next("ports");
    let clients = |name: &str| {
        let port = ports[name].as_u64().and_then(|it| u16::try_from(it).ok()).expect("a port");
        (0..SOCKETS).map(|_| connect(port)).collect()
    };
    let (to_primary, to_worker) = (clients("own"), clients("theirs"));
    for _both in 0..2 {
        primary.next("ready");
    }
    primary.line("go");
    all_read(to_primary, "worker");
    all_read(to_worker, "primary");
    primary.line("leave");
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        let port = listener.local_addr().expect("it listens").port();
        worker.send(&port).expect("connected");
        let mut sockets = Vec::new();
        while sockets.len() < SOCKETS {
            let (socket, _) = listener.accept().await.expect("clients connect");
            sockets.push(socket.into_std().expect("registered"));
        }
        worker.send("ready").expect("connected");
        assert_eq!(said::<String>(&worker).await, "go");
        for socket in sockets {
            worker.send_with(&"w".repeat(LENGTH), socket).expect("connected");
        }
        for _ in 0..SOCKETS {
            serve(letter(&worker).await, 'p', "worker");
        }
        worker.draining().await;
    });
}
