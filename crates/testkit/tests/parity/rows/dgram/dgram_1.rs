//! Four workers that receive from one socket.

use std::net::Ipv4Addr;

use portcrew::{AddressType, Role, Settings};
use serde_json::json;

use super::ten;
use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-dgram-1",
    asserts: "four workers that bind UDP port 0 share one socket; each receives its ten datagrams and disconnects",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| four(world, world.node_workers(&node_worker()))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| four(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const WORKERS: usize = 4;

fn node_worker() -> String {
    let bind = "const socket = require('node:dgram').createSocket('udp4').bind(0, '127.0.0.1');\n";
    format!("{bind}{}", ten::RECEIVE)
}

fn four(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let mut addresses = Vec::new();
        for _ in 0..WORKERS {
            primary.fork().await;
        }
        for _ in 0..WORKERS {
            addresses.push(primary.listening().await.1);
        }
        let first = &addresses[0];
        assert!(addresses.iter().all(|it| it == first), "{addresses:?}");
        assert_eq!(first.address.as_deref(), Some("127.0.0.1"));
        assert_eq!((first.address_type, first.fd), (AddressType::Udp4, None));
        let port = first.port.expect("it is bound to one");
        ten::dealt_out(&mut primary, (Ipv4Addr::LOCALHOST, port).into(), WORKERS).await;
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary("worker", "for (let n = 0; n < 4; n += 1) cluster.fork();");
    let mut ports = Vec::new();
    for _ in 0..WORKERS {
        let event = primary.next("listening");
        assert_eq!(
            (&event["address"], &event["addressType"]),
            (&json!("127.0.0.1"), &json!("udp4"))
        );
        ports.push(event["port"].as_u64().and_then(|it| u16::try_from(it).ok()));
    }
    let port = ports[0].expect("it is bound to one");
    assert_eq!(ports, [Some(port); WORKERS]);
    ten::dealt_out_under_node(primary, (Ipv4Addr::LOCALHOST, port).into(), WORKERS);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let socket = worker.bind_udp("127.0.0.1:0").await.expect("a free port");
        ten::receive(&worker, socket).await;
    });
}
