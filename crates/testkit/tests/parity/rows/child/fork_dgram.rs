//! A UDP socket is shared with a child.

use std::net::{Ipv4Addr, UdpSocket};

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{HANG, World, child, ends, letter, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-dgram",
    asserts: "a UDP socket that is sent to a child receives in both processes, also after the child has closed its own",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| shares(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| shares(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", receives)],
};

const NODE_CHILD: &str = r"
process.once('message', (message, socket) => {
  assert.strictEqual(message, 'a socket');
  socket.once('message', (data, client) => {
    socket.send(`the child got ${data}`, client.port, client.address, () => socket.close(() => say('closed')));
  });
  say('here');
});
";

fn shares(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let port = socket.local_addr().expect("it is bound").port();
        let shared = socket.try_clone().expect("descriptors are left");
        child.send_with("a socket", shared).expect("connected");
        assert_eq!(said::<String>(&child).await, "here");
        let client = client(port);
        // This process does not read now.
        client.send(b"one").expect("it is bound");
        assert_eq!(answer(&client), "the child got one");
        assert_eq!(said::<String>(&child).await, "closed");
        client.send(b"two").expect("it is bound");
        socket.set_nonblocking(false).expect("open");
        let mut data = [0; 16];
        let (length, from) = socket.recv_from(&mut data).expect("it is on its way");
        assert_eq!(&data[..length], b"two");
        assert_eq!(from, client.local_addr().expect("it is bound"));
        ends(&child, 0).await;
    });
}

fn client(port: u16) -> UdpSocket {
    let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    client.connect((Ipv4Addr::LOCALHOST, port)).expect("loopback is there");
    client.set_read_timeout(Some(HANG)).expect("not zero");
    client
}

fn answer(client: &UdpSocket) -> String {
    let mut data = [0; 64];
    let length = client.recv(&mut data).expect("an answer");
    String::from_utf8_lossy(&data[..length]).into_owned()
}

fn under_node(world: &World) {
    let mut parent = world.node_parent(
        "child",
        "
        const child = start();
        const socket = require('node:dgram').createSocket('udp4');
        socket.on('message', (data, client) => {
          socket.send(`the parent got ${data}`, client.port, client.address, () => socket.close());
        });
        socket.bind(0, '127.0.0.1', () => {
          child.send('a socket', socket);
          tell('port', { port: socket.address().port });
        });
        child.once('message', () => blocked());
        ",
    );
    let client = client(parent.port_in("port"));
    parent.next("blocked");
    client.send(b"one").expect("it is bound");
    assert_eq!(answer(&client), "the child got one");
    parent.line("on");
    assert_eq!(parent.next("message")["message"], "here");
    assert_eq!(parent.next("message")["message"], "closed");
    client.send(b"two").expect("it is bound");
    assert_eq!(answer(&client), "the parent got two");
    parent.child_ends_with(0);
}

fn receives(role: Role) {
    part::child(role, async |parent| {
        let letter = letter(&parent).await;
        assert_eq!(letter.json::<String>(), "a socket");
        let socket = letter.udp();
        socket.set_nonblocking(true).expect("open");
        let socket = tokio::net::UdpSocket::from_std(socket).expect("inside a runtime");
        parent.send("here").expect("connected");
        let mut data = [0; 16];
        let (length, client) = socket.recv_from(&mut data).await.expect("it is on its way");
        let text = format!("the child got {}", String::from_utf8_lossy(&data[..length]));
        socket.send_to(text.as_bytes(), client).await.expect("the client waits");
        drop(socket);
        parent.send("closed").expect("connected");
    });
}
