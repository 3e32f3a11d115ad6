//! Several sockets of one worker on one port, all of which say that they may.

use std::net::{Ipv4Addr, SocketAddr};

use portcrew::{BindUdp, Error, Role, Settings, UdpSocket, Worker};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Datagrams, Primary, World, own_loopback};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-dgram-reuse",
    asserts: "with reuseAddr a second socket of the worker binds the UDP port that the first one has (without it, \
              EADDRINUSE)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| twice(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| twice(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

/// The address of this proof.
const HOST: &str = "HOST";

const NODE_WORKER: &str = "
const dgram = require('node:dgram');
const { once } = require('node:events');
const bind = async (reuseAddr, port) => {
  const socket = dgram.createSocket({ type: 'udp4', reuseAddr }).bind(port, process.env.HOST);
  socket.on('message', (_, from) => socket.send('here', from.port, from.address));
  await once(socket, 'listening');
  return socket;
};
(async () => {
  const first = await bind(true, 0);
  const { port } = first.address();
  first.close();
  await once(first, 'close');
  const second = await bind(true, port);
  const third = await bind(true, port);
  const refused = await bind(false, port).catch((error) => error.code);
  say({ ports: [second.address().port, third.address().port], refused });
})();
";

fn twice(world: &World, workers: Settings) {
    let host = own_loopback();
    world.run(async {
        let mut primary = Primary::new(workers.env(HOST, host.to_string()));
        primary.fork().await;
        let port = primary.port().await;
        assert_eq!([primary.port().await, primary.port().await], [port; 2]);
        let (_, said) = primary.message().await;
        check(&said, host, port);
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary(
        "worker",
        "lines((host) => {
          if (host !== 'disconnect') return cluster.fork({ HOST: host });
          cluster.disconnect();
          process.stdin.destroy();
        });",
    );
    let host = own_loopback();
    primary.line(&host.to_string());
    let port = primary.port();
    assert_eq!([primary.port(), primary.port()], [port; 2]);
    check(&primary.next("message")["message"], host, port);
    primary.line("disconnect");
    primary.ends_with(0);
}

fn check(said: &Value, host: Ipv4Addr, port: u16) {
    assert_eq!(*said, json!({ "ports": [port, port], "refused": "EADDRINUSE" }));
    assert_eq!(Datagrams::new().ask((host, port).into()), "here");
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let host: Ipv4Addr = std::env::var(HOST).expect("it is told").parse().expect("an address");
        let at = |port: u16| BindUdp::from(SocketAddr::from((host, port)));
        let reuse = async |port| worker.bind_udp(at(port).reuse_address()).await.expect("free");
        let port = port(&reuse(0).await);
        let (second, third) = (reuse(port).await, reuse(port).await);
        let refused = match worker.bind_udp(at(port)).await {
            Err(Error::Listen(error)) => error.code(),
            other => panic!("{other:?}"),
        };
        say_ports(&worker, [&second, &third], refused);
        tokio::join!(answer(&second), answer(&third));
    });
}

fn port(socket: &UdpSocket) -> u16 {
    socket.local_addr().expect("it is bound").port()
}

fn say_ports(worker: &Worker, sockets: [&UdpSocket; 2], refused: &str) {
    let said = json!({ "ports": sockets.map(port), "refused": refused });
    worker.send(&said).expect("connected");
}

/// Until the worker leaves.
async fn answer(socket: &UdpSocket) {
    while let Ok((_, from)) = socket.recv_from(&mut [0; 16]).await {
        socket.send_to(b"here", from).await.expect("it is open");
    }
}
