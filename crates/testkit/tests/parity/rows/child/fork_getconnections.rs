//! Connections that live in a child are counted by their server.

use std::io::Read as _;

use portcrew::{Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{HANG, World, child, connect, connected, ends, letter, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-getconnections",
    asserts: "getConnections counts the connections that the server gave to a child, each until the child has closed it",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| counts(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| counts(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", closes)],
};

const SOCKETS: usize = 3;

/// How the parent names the server that they come from.
const KEY: &str = "4:127.0.0.1:80";

const NODE_CHILD: &str = r"
const sockets = [];
process.on('message', (message, socket) => {
  if (socket) return say({ held: sockets.push(socket) });
  if (message === 'bye') return process.removeAllListeners('message');
  const last = sockets.pop();
  last.on('close', () => say({ held: sockets.length }));
  last.destroy();
});
";

fn counts(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        let count = async || child.connections(KEY, HANG).await.expect("the child answers");
        assert_eq!(count().await, 0);
        let mut clients = Vec::new();
        for held in 1..=SOCKETS {
            let (client, accepted) = connected();
            clients.push(client);
            child.send_counted("keep it", accepted, KEY).expect("connected");
            assert_eq!(said::<Value>(&child).await, json!({ "held": held }));
            assert_eq!(count().await, held);
        }
        for held in (0..SOCKETS).rev() {
            child.send("close one").expect("connected");
            // It closes the last that it was given.
            let closed = clients.pop().expect("as many").read(&mut [0]).expect("its end");
            assert_eq!(closed, 0);
            assert_eq!(said::<Value>(&child).await, json!({ "held": held }));
            assert_eq!(count().await, held);
        }
        child.send("bye").expect("connected");
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start();
        const server = require('node:net').createServer({ pauseOnConnect: true }, (socket) => child.send('keep it', socket));
        server.listen(0, '127.0.0.1', () => tell('port', { port: server.address().port }));
        let given = 0;
        child.on('message', ({ held }) => server.getConnections((error, count) => {
          assert.ifError(error);
          tell('count', { held, count });
          given += 1;
          if (given >= 3) child.send(held > 0 ? 'close one' : 'bye');
          if (held === 0) server.close();
        }));
        ",
    );
    let port = parent.port_in("port");
    let mut clients = Vec::new();
    for held in [1, 2, 3, 2, 1, 0] {
        if clients.len() < held {
            clients.push(connect(port));
        }
        let count = parent.next("count");
        assert_eq!((&count["held"], &count["count"]), (&json!(held), &json!(held)));
    }
    parent.child_ends_with(0);
}

fn closes(role: Role) {
    part::child(role, async |parent| {
        let mut sockets = Vec::new();
        while sockets.len() < SOCKETS {
            let mut letter = letter(&parent).await;
            let counted = letter.counted.take().expect("it comes from a server");
            sockets.push((letter.stream(), counted));
            parent.send(&json!({ "held": sockets.len() })).expect("connected");
        }
        while let Some(last) = sockets.pop() {
            assert_eq!(said::<String>(&parent).await, "close one");
            drop(last);
            parent.send(&json!({ "held": sockets.len() })).expect("connected");
        }
        assert_eq!(said::<String>(&parent).await, "bye");
    });
}
