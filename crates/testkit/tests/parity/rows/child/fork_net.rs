//! A server and a connection go to the same child.

use std::io::Write as _;

use portcrew::{Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{
    World, child, connected, ends, letter, listener, port_of, read_all, said, said_at,
};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-net",
    asserts: "a child is sent a server, on which it accepts until it closes it and says so, and then a connection, to which it \
              writes",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| gives_both(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| gives_both(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", takes_both)],
};

const NODE_CHILD: &str = r"
process.on('message', ({ what }, handle) => {
  if (what === 'socket') {
    handle.end('echo');
    process.removeAllListeners('message');
    return;
  }
  let accepted = 0;
  handle.on('connection', (socket) => {
    accepted += 1;
    socket.end(`accepted ${accepted}`);
    if (accepted === 4) handle.close(() => say({ closed: accepted }));
  });
});
";

fn gives_both(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        let listener = listener();
        let port = port_of(&listener);
        child.send_with(&json!({ "what": "server" }), listener).expect("connected");
        for number in 1..=4 {
            assert_eq!(said_at(port), format!("accepted {number}"));
        }
        assert_eq!(said::<Value>(&child).await, json!({ "closed": 4 }));
        let (client, accepted) = connected();
        child.send_with(&json!({ "what": "socket" }), accepted).expect("connected");
        assert_eq!(read_all(client), "echo");
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const net = require('node:net');
        const child = start();
        const server = net.createServer().listen(0, '127.0.0.1', () => {
          child.send({ what: 'server' }, server, () => {
            const { port } = server.address();
            server.close(() => tell('port', { port }));
          });
        });
        child.on('message', () => {
          const second = net.createServer({ pauseOnConnect: true }, (socket) => {
            child.send({ what: 'socket' }, socket);
            second.close(() => tell('all closed'));
          });
          second.listen(0, '127.0.0.1', () => tell('second', { port: second.address().port }));
        });
        ",
    );
    let port = parent.port_in("port");
    for number in 1..=4 {
        assert_eq!(said_at(port), format!("accepted {number}"));
    }
    assert_eq!(parent.next("message")["message"], json!({ "closed": 4 }));
    assert_eq!(said_at(parent.port_in("second")), "echo");
    parent.next("all closed");
    parent.child_ends_with(0);
}

fn takes_both(role: Role) {
    part::child(role, async |parent| {
        let server = letter(&parent).await;
        assert_eq!(server.json::<Value>(), json!({ "what": "server" }));
        let listener = server.listener();
        listener.set_nonblocking(false).expect("open");
        for number in 1..=4 {
            let (mut socket, _) = listener.accept().expect("a client connects");
            socket.set_nonblocking(false).expect("open");
            write!(socket, "accepted {number}").expect("its client waits");
        }
        drop(listener);
        parent.send(&json!({ "closed": 4 })).expect("connected");
        let mut socket = letter(&parent).await;
        assert_eq!(socket.json::<Value>(), json!({ "what": "socket" }));
        // A Node parent's server waits for this.
        let _counted = socket.counted.take();
        socket.stream().write_all(b"echo").expect("its client waits");
    });
}
