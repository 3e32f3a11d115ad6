//! Parent and child write to one connection.

use std::io::Write as _;

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, connect, connected, ends, letter, read_all, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-send-keep-open",
    asserts: "with keepOpen (in Rust: with a clone) the parent keeps the connection that it sent, and both processes write to \
              it",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| both_write(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| both_write(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", writes)],
};

const NODE_CHILD: &str = r"
process.once('message', (message, socket) => {
  socket.write(`${message}, child. `, () => say('written'));
  process.once('message', () => socket.end('Child again.'));
});
";

fn both_write(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        let (client, mut kept) = connected();
        kept.write_all(b"Parent first. ").expect("its client waits");
        let given = kept.try_clone().expect("descriptors are left");
        child.send_with("Hello", given).expect("connected");
        assert_eq!(said::<String>(&child).await, "written");
        kept.write_all(b"Parent again. ").expect("its client waits");
        drop(kept);
        child.send("on").expect("connected");
        assert_eq!(read_all(client), "Parent first. Hello, child. Parent again. Child again.");
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start();
        const server = require('node:net').createServer({ pauseOnConnect: true }, (socket) => {
          server.close();
          socket.write('Parent first. ', () => child.send('Hello', socket, { keepOpen: true }));
          child.on('message', () => socket.write('Parent again. ', () => {
            child.send('on');
            socket.destroy();
          }));
        });
        server.listen(0, '127.0.0.1', () => tell('port', { port: server.address().port }));
        ",
    );
    let client = connect(parent.port_in("port"));
    assert_eq!(read_all(client), "Parent first. Hello, child. Parent again. Child again.");
    assert_eq!(parent.next("message")["message"], "written");
    parent.child_ends_with(0);
}

fn writes(role: Role) {
    part::child(role, async |parent| {
        let letter = letter(&parent).await;
        let hello: String = letter.json();
        let mut stream = letter.stream();
        write!(stream, "{hello}, child. ").expect("its client waits");
        parent.send("written").expect("connected");
        assert_eq!(said::<String>(&parent).await, "on");
        stream.write_all(b"Child again.").expect("its client waits");
    });
}
