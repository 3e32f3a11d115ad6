//! A server is shared with a child.

use std::io::Write as _;

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, letter, listener, port_of, said, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-net-server",
    asserts: "a server that is sent to a child accepts in both processes; the child closes its own and the parent's goes on",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| shares(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| shares(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", serves)],
};

const NODE_CHILD: &str = r"
process.once('message', (message, server) => {
  assert.strictEqual(message, 'a server');
  server.on('connection', (socket) => {
    socket.end('the child');
    server.close(() => say('closed'));
  });
  say('here');
});
";

fn shares(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        let listener = listener();
        let port = port_of(&listener);
        let shared = listener.try_clone().expect("descriptors are left");
        child.send_with("a server", shared).expect("connected");
        assert_eq!(said::<String>(&child).await, "here");
        // This process does not accept now.
        assert_eq!(said_at(port), "the child");
        assert_eq!(said::<String>(&child).await, "closed");
        let client = std::thread::spawn(move || said_at(port));
        // Whether it blocks is a property of the socket, and so of both.
        listener.set_nonblocking(false).expect("open");
        let (mut socket, _) = listener.accept().expect("the client connects");
        socket.write_all(b"the parent").expect("it waits");
        drop((socket, listener));
        assert_eq!(client.join().expect("it reads"), "the parent");
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    let mut parent = world.node_parent(
        "child",
        "
        const child = start();
        const server = require('node:net').createServer((socket) => {
          socket.end('the parent');
          server.close(() => tell('parent closed'));
        });
        server.listen(0, '127.0.0.1', () => {
          child.send('a server', server);
          tell('port', { port: server.address().port });
        });
        child.once('message', () => blocked());
        ",
    );
    let port = parent.port_in("port");
    parent.next("blocked");
    assert_eq!(said_at(port), "the child");
    parent.line("on");
    assert_eq!(parent.next("message")["message"], "here");
    assert_eq!(parent.next("message")["message"], "closed");
    assert_eq!(said_at(port), "the parent");
    parent.next("parent closed");
    parent.child_ends_with(0);
}

fn serves(role: Role) {
    part::child(role, async |parent| {
        let letter = letter(&parent).await;
        assert_eq!(letter.json::<String>(), "a server");
        let listener = letter.listener();
        listener.set_nonblocking(true).expect("open");
        let listener = tokio::net::TcpListener::from_std(listener).expect("inside a runtime");
        parent.send("here").expect("connected");
        let (socket, _) = listener.accept().await.expect("a client connects");
        socket.into_std().and_then(|mut it| it.write_all(b"the child")).expect("it waits");
        drop(listener);
        parent.send("closed").expect("connected");
    });
}
