//! A socket for IPv6 alone leaves the port to others for IPv4.

use std::io::ErrorKind;
use std::net::UdpSocket;

use portcrew::{AddressType, BindUdp, Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Datagrams, Primary, World, own_loopback};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-dgram-ipv6only",
    asserts: "a udp6 socket that workers bind with ipv6Only leaves the same port free for udp4 (and one without it \
              does not)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| for_ipv6_alone(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| for_ipv6_alone(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const WORKERS: usize = 2;

const NODE_WORKER: &str = "
const dgram = require('node:dgram');
const only = dgram.createSocket({ type: 'udp6', ipv6Only: true }).bind(0, '::', () => {
  const both = dgram.createSocket('udp6').bind(0, '::', () => {
    say({ only: only.address().port, both: both.address().port });
  });
});
";

fn for_ipv6_alone(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let mut said = Vec::new();
        for _ in 0..WORKERS {
            primary.fork().await;
        }
        for _ in 0..WORKERS {
            let (worker, ports): (_, Value) = primary.message().await;
            said.push(ports);
            for _ in ["only", "both"] {
                let (_, address) = primary.listening().await;
                assert_eq!(address.address_type, AddressType::Udp6, "{worker}");
                assert_eq!(address.address.as_deref(), Some("::"));
            }
        }
        check(&said);
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary(
        "worker",
        "
        for (let n = 0; n < 2; n += 1) cluster.fork();
        lines(() => { cluster.disconnect(); process.stdin.destroy(); });
        ",
    );
    let said: Vec<_> = (0..WORKERS).map(|_| primary.next("message")["message"].clone()).collect();
    for _ in 0..WORKERS * 2 {
        let event = primary.next("listening");
        let [address, kind] = ["address", "addressType"].map(|it| &event[it]);
        assert_eq!((address, kind), (&json!("::"), &json!("udp6")));
    }
    check(&said);
    primary.line("disconnect");
    primary.ends_with(0);
}

fn check(said: &[Value]) {
    assert!(said.iter().all(|it| *it == said[0]), "they share both sockets: {said:?}");
    let port = |name: &str| {
        let port = said[0][name].as_u64().and_then(|it| u16::try_from(it).ok());
        port.expect("it is told")
    };
    let host = own_loopback();
    Datagrams::at((host, port("only")).into());
    let taken = UdpSocket::bind((host, port("both"))).expect_err("it is for both families");
    assert_eq!(taken.kind(), ErrorKind::AddrInUse);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let bind = async |bind: BindUdp| worker.bind_udp(bind).await.expect("a free port");
        let only = bind(BindUdp::from("[::]:0").ipv6_only()).await;
        let both = bind("[::]:0".into()).await;
        let port = |it: &portcrew::UdpSocket| it.local_addr().expect("it is bound").port();
        worker.send(&json!({ "only": port(&only), "both": port(&both) })).expect("connected");
        worker.draining().await;
    });
}
