//! Parent and child bind one UDP port, each for itself.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};

use portcrew::{Role, Settings};
use rustix::net::{AddressFamily, SocketType, bind, socket, sockopt};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{HANG, World, child, ends, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-dgram-reuseport",
    asserts: "with reusePort parent and child bind the same UDP port, each a socket of its own, and datagrams reach both",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| both_bind(world, world.node_workers(NODE_CHILD))).since(22, 12),
        Proof::node_rust(under_node).since(22, 12),
        Proof::rust_rust(|world| both_bind(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", binds)],
};

/// Clients, each on a port of its own. The kernel gives each to one of the two by its port.
const CLIENTS: usize = 200;

const NODE_CHILD: &str = r"
process.once('message', (port) => {
  const socket = require('node:dgram').createSocket({ type: 'udp4', reusePort: true });
  socket.on('message', (data, client) => socket.send('child', client.port, client.address));
  socket.bind(port, '127.0.0.1', () => say(socket.address().port));
  process.once('message', () => socket.close());
});
";

fn both_bind(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        let own = reuseport(0);
        let port = own.local_addr().expect("it is bound").port();
        child.send(&port).expect("connected");
        assert_eq!(said::<u16>(&child).await, port);
        let answering = tokio::spawn(answer_all(own, "parent"));
        both_answer(port);
        answering.abort();
        child.send("close").expect("connected");
        ends(&child, 0).await;
    });
}

/// A socket of our own with SO_REUSEPORT, which std cannot set before it binds.
fn reuseport(port: u16) -> UdpSocket {
    let fd = socket(AddressFamily::INET, SocketType::DGRAM, None).expect("descriptors are left");
    sockopt::set_socket_reuseport(&fd, true).expect("it is known here");
    bind(&fd, &SocketAddr::from((Ipv4Addr::LOCALHOST, port))).expect("nobody holds it exclusively");
    fd.into()
}

/// Tells every client its name, for ever.
async fn answer_all(socket: UdpSocket, name: &str) {
    socket.set_nonblocking(true).expect("open");
    let socket = tokio::net::UdpSocket::from_std(socket).expect("inside a runtime");
    loop {
        let (_, client) = socket.recv_from(&mut [0; 16]).await.expect("open");
        socket.send_to(name.as_bytes(), client).await.expect("the client waits");
    }
}

/// Asks with new clients until both have answered one.
fn both_answer(port: u16) {
    let mut names = BTreeSet::new();
    for _ in 0..CLIENTS {
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        client.set_read_timeout(Some(HANG)).expect("not zero");
        client.send_to(b"who?", (Ipv4Addr::LOCALHOST, port)).expect("loopback is there");
        let mut name = [0; 16];
        let length = client.recv(&mut name).expect("an answer");
        names.insert(String::from_utf8_lossy(&name[..length]).into_owned());
        if names.len() == 2 {
            return;
        }
    }
    panic!("of {CLIENTS} clients each was answered by {names:?}");
}

fn under_node(world: &World) {
    let mut parent = world.node_parent(
        "child",
        "
        const child = start();
        const socket = require('node:dgram').createSocket({ type: 'udp4', reusePort: true });
        socket.on('message', (data, client) => socket.send('parent', client.port, client.address));
        socket.bind(0, '127.0.0.1', () => child.send(socket.address().port));
        lines(() => {
          socket.close();
          child.send('close');
        });
        ",
    );
    let port = parent.next("message")["message"].as_u64().and_then(|it| u16::try_from(it).ok());
    both_answer(port.expect("a port"));
    parent.line("close");
    parent.child_ends_with(0);
}

fn binds(role: Role) {
    part::child(role, async |parent| {
        let port: u16 = said(&parent).await;
        let own = reuseport(port);
        parent.send(&port).expect("connected");
        tokio::select! {
            () = answer_all(own, "child") => {}
            close = said::<String>(&parent) => assert_eq!(close, "close"),
        }
    });
}
