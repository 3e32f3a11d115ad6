//! A connected socket goes from a child to its parent.

use std::io::Write as _;

use portcrew::{Role, Settings};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, connected, ends, letter, read_all, said};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-net-send",
    asserts: "a child sends a connected socket to its parent, which reads there what the other end writes, and its end",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| reads(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| reads(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", sends)],
};

const NODE_CHILD: &str = r"
const net = require('node:net');
const server = net.createServer().listen(0, '127.0.0.1', () => {
  const near = net.connect(server.address().port, '127.0.0.1');
  server.on('connection', (far) => {
    server.close();
    say('handle', far);
    process.once('message', (message) => {
      assert.strictEqual(message, 'got');
      near.end('hello');
    });
  });
});
";

fn reads(world: &World, children: Settings) {
    world.run(async {
        let child = child(children);
        let letter = letter(&child).await;
        assert_eq!(letter.json::<String>(), "handle");
        let stream = letter.stream();
        child.send("got").expect("connected");
        assert_eq!(read_all(stream), "hello");
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start();
        child.on('message', (message, socket) => {
          assert.strictEqual(message, 'handle');
          child.send('got');
          let text = '';
          socket.setEncoding('utf8').on('data', (data) => { text += data; }).on('end', () => tell('read', { text }));
        });
        ",
    );
    assert_eq!(parent.next("message")["handle"], "Socket");
    assert_eq!(parent.next("read")["text"], json!("hello"));
    parent.child_ends_with(0);
}

fn sends(role: Role) {
    part::child(role, async |parent| {
        let (mut near, far) = connected();
        parent.send_with("handle", far).expect("connected");
        assert_eq!(said::<String>(&parent).await, "got");
        near.write_all(b"hello").expect("the parent holds the other end");
    });
}
