//! Workers that send to a socket of the primary.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr};

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Datagrams, Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-dgram-2",
    asserts: "what workers send by a UDP socket bound to port 0 all reaches a socket of the primary, from the one port \
              that they share; cluster.disconnect() ends them",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| to_the_primary(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| to_the_primary(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const WORKERS: u32 = 2;
const EACH: u32 = 10;

/// Where workers send to.
const TO: &str = "TO";

const NODE_WORKER: &str = "
const socket = require('node:dgram').createSocket('udp4').bind(0, '127.0.0.1', () => {
  for (let n = 0; n < 10; n += 1) {
    socket.send(`${require('node:cluster').worker.id} ${n}`, Number(process.env.TO), '127.0.0.1');
  }
});
";

fn to_the_primary(world: &World, workers: Settings) {
    let own = Datagrams::new();
    let workers = workers.env(TO, own.address().port().to_string());
    world.run(async {
        let mut primary = Primary::new(workers);
        for _ in 0..WORKERS {
            primary.fork().await;
        }
        let ports = [primary.port().await, primary.port().await];
        assert_eq!(ports[0], ports[1]);
        let mut texts = BTreeSet::new();
        for _ in 0..WORKERS * EACH {
            let (text, from) = own.next();
            assert_eq!(from, (Ipv4Addr::LOCALHOST, ports[0]).into());
            texts.insert(text);
        }
        assert_eq!(texts, all());
        assert_eq!(primary.cluster.workers().len(), 2);
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        let received = 0;
        const socket = require('node:dgram').createSocket('udp4');
        socket.on('message', (text, from) => {
          tell('datagram', { text: `${text}`, port: from.port });
          received += 1;
          if (received < 20) return;
          socket.close();
          cluster.disconnect();
        });
        socket.bind(0, '127.0.0.1', () => {
          for (let n = 0; n < 2; n += 1) cluster.fork({ TO: socket.address().port });
        });
        ",
    );
    let ports = [primary.port(), primary.port()];
    assert_eq!(ports[0], ports[1]);
    let mut texts = BTreeSet::new();
    for _ in 0..WORKERS * EACH {
        let event = primary.next("datagram");
        assert_eq!(event["port"], ports[0]);
        texts.insert(event["text"].as_str().expect("it is one").to_owned());
    }
    assert_eq!(texts, all());
    for _ in 0..WORKERS {
        let exit = primary.next("exit");
        assert!(exit["code"] == 0 && exit["planned"] == true, "{exit}");
    }
    primary.ends_with(0);
}

/// What both workers send: `WORKER NUMBER`.
fn all() -> BTreeSet<String> {
    let one = |worker| (0..EACH).map(move |n| format!("{worker} {n}"));
    (1..=WORKERS).flat_map(one).collect()
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let port: u16 = std::env::var(TO).expect("it is told").parse().expect("a port");
        let to = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let socket = worker.bind_udp("127.0.0.1:0").await.expect("a free port");
        for n in 0..EACH {
            let text = format!("{} {n}", worker.id());
            socket.send_to(text.as_bytes(), to).await.expect("it is open");
        }
        worker.draining().await;
    });
}
