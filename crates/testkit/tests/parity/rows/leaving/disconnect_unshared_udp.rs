//! A worker that never bound a UDP socket leaves beside one that did.

use std::net::UdpSocket;

use portcrew::{Policy, Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{HANG, Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-disconnect-unshared-udp",
    asserts: "with shared sockets: the disconnect of a worker that never bound does not hurt another that has a UDP \
              socket",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| one_leaves(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| one_leaves(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
if (process.env.BOUND) {
  const socket = require('node:dgram').createSocket('udp4');
  socket.on('message', (message, from) => socket.send(message, from.port, from.address));
  socket.bind(0, '127.0.0.1');
}
";

fn one_leaves(world: &World, mut workers: Settings) {
    workers.policy = Policy::Shared;
    world.run(async {
        let mut primary = Primary::new(workers);
        let unbound = primary.fork().await;
        let bound = primary.cluster.fork_with([("BOUND", "y")]).await.expect("it starts");
        let (who, address) = primary.listening().await;
        assert_eq!(who, bound.id());
        let port = address.port.expect("a port");
        unbound.disconnect();
        let left = primary.gone(unbound.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
        echoes(port);
        bound.disconnect();
        let left = primary.gone(bound.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary_sharing(
        "worker",
        "
        const unbound = cluster.fork();
        const bound = cluster.fork({ BOUND: 'y' });
        bound.on('listening', () => unbound.disconnect());
        lines(() => bound.disconnect());
        ",
    );
    let port = primary.port();
    let exit = primary.next("exit");
    assert!(exit["worker"] == 1 && exit["code"] == 0 && exit["planned"] == true, "{exit}");
    echoes(port);
    primary.line("disconnect");
    let exit = primary.next("exit");
    assert!(exit["worker"] == 2 && exit["code"] == 0 && exit["planned"] == true, "{exit}");
    primary.ends_with(0);
}

fn echoes(port: u16) {
    let socket = UdpSocket::bind(("127.0.0.1", 0)).expect("a free port");
    socket.set_read_timeout(Some(HANG)).expect("not zero");
    socket.send_to(b"there?", ("127.0.0.1", port)).expect("it is bound");
    let mut answer = [0; 16];
    let (length, _) = socket.recv_from(&mut answer).expect("it answers");
    assert_eq!(&answer[..length], b"there?");
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        if std::env::var_os("BOUND").is_none() {
            return worker.draining().await;
        }
        let socket = worker.bind_udp("127.0.0.1:0").await.expect("a free port");
        let mut datagram = [0; 16];
        while let Ok((length, from)) = socket.recv_from(&mut datagram).await {
            socket.send_to(&datagram[..length], from).await.expect("it is bound");
        }
    });
}
