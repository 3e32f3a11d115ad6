//! A worker sends the same connection twice in a row.

use std::io::Write as _;

use portcrew::{Handle, Role, Settings};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, connect, read_all};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-send-handle-twice",
    asserts: "the same connection sent twice in a row harms nobody: both messages arrive and its client is served (in Node \
              the second comes without it; a Rust program can send it again only as a clone, which arrives too)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| once(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| twice(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = r"
require('node:net').createServer((socket) => {
  say('first', socket);
  say('second', socket);
}).listen(0, '127.0.0.1');
";

fn once(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        primary.fork().await;
        let client = connect(primary.port().await);
        let (first, second) = (primary.letter().await, primary.letter().await);
        assert_eq!(first.json::<String>(), "first");
        assert_eq!(second.json::<String>(), "second");
        assert!(second.handle.is_none(), "{second:?}");
        first.stream().write_all(b"served").expect("its client waits");
        assert_eq!(read_all(client), "served");
        primary.end().await;
    });
}

fn twice(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        primary.fork().await;
        let client = connect(primary.port().await);
        for name in ["first", "second"] {
            let letter = primary.letter().await;
            assert_eq!(letter.json::<String>(), name);
            letter.stream().write_all(name.as_bytes()).expect("its client waits");
        }
        assert_eq!(read_all(client), "firstsecond");
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary(
        "worker",
        "
        const sockets = [];
        cluster.fork().on('message', (message, socket) => {
          if (sockets.push(socket) < 2) return;
          sockets[0].write('first', () => { sockets[1].end('second'); sockets[0].destroy(); });
        });
        lines(() => cluster.disconnect());
        ",
    );
    let client = connect(primary.port());
    for name in ["first", "second"] {
        let message = primary.next("message");
        assert_eq!((&message["message"], &message["handle"]), (&json!(name), &json!("Socket")));
    }
    assert_eq!(read_all(client), "firstsecond");
    primary.line("leave");
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        let (socket, _) = listener.accept().await.expect("a client connects");
        let socket = socket.into_std().expect("registered");
        let again = socket.try_clone().expect("descriptors are left");
        worker.send_with("first", Handle::from(socket)).expect("connected");
        worker.send_with("second", Handle::from(again)).expect("connected");
        worker.draining().await;
    });
}
