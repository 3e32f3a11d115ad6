//! `::` for both families.

use std::net::Ipv6Addr;

use portcrew::{AddressType, Role, Settings};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{NodeProcess, Primary, World, has_ipv6, said_at, said_by};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-net-listen-ipv6only-false",
    asserts: "three workers listen on :: without ipv6Only: all tell the same address, and clients of both families connect",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| listen(world, world.node_workers(NODE_WORKER))).needs(has_ipv6),
        Proof::node_rust(|world| listen_under_node(world.node_primary("worker", "obey();")))
            .needs(has_ipv6),
        Proof::rust_rust(|world| listen(world, world.rust_workers("worker"))).needs(has_ipv6),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
require('node:net').createServer((client) => client.end('both')).listen({ port: 0, host: '::' });
";

fn listen(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let mut addresses = Vec::new();
        for _ in 0..3 {
            primary.fork().await;
            addresses.push(primary.listening().await.1);
        }
        assert!(addresses.iter().all(|it| *it == addresses[0]), "{addresses:?}");
        assert_eq!(addresses[0].address.as_deref(), Some("::"));
        assert_eq!(addresses[0].address_type, AddressType::Tcp6);
        check(addresses[0].port.expect("a port"));
        primary.end().await;
    });
}

fn listen_under_node(mut primary: NodeProcess) {
    let mut ports = Vec::new();
    for _ in 0..3 {
        primary.fork(&[]);
        let it = primary.next("listening");
        assert_eq!((&it["address"], &it["addressType"]), (&json!("::"), &json!(6)), "{it}");
        ports.push(it["port"].as_u64().and_then(|it| u16::try_from(it).ok()).expect("a port"));
    }
    assert!(ports.iter().all(|it| *it == ports[0]), "{ports:?}");
    check(ports[0]);
    primary.all_leave(3);
}

fn check(port: u16) {
    assert_eq!([said_at(port), said_by((Ipv6Addr::LOCALHOST, port))], ["both", "both"]);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let listener = worker.listen("[::]:0").await.expect("a free port");
        part::serve(&listener, "both").await;
    });
}
