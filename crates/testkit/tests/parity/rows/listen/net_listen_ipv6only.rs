//! `::` for IPv6 alone, under both policies.

use std::net::Ipv6Addr;

use portcrew::{AddressType, Listen, Policy, Role, Settings};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{NodeProcess, Primary, World, has_ipv6, said_by, taken_port};

pub(crate) const NONE: Row = Row {
    name: "test-cluster-net-listen-ipv6only-none",
    asserts: "SCHED_NONE: three workers listen on :: with ipv6Only, which leaves the IPv4 port to others; all tell the same \
              address",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| listen(world, world.node_workers(NODE_WORKER), &Policy::Shared))
            .needs(has_ipv6),
        Proof::node_rust(|world| listen_under_node(world, "none")).needs(has_ipv6),
        Proof::rust_rust(|world| listen(world, world.rust_workers("worker"), &Policy::Shared))
            .needs(has_ipv6),
    ],
    parts: &[Part::new("worker", worker)],
};

pub(crate) const RR: Row = Row {
    name: "test-cluster-net-listen-ipv6only-rr",
    asserts: "round robin: three workers listen on :: with ipv6Only, which leaves the IPv4 port to others; all tell the same \
              address",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| {
            listen(world, world.node_workers(NODE_WORKER), &Policy::RoundRobin);
        })
        .needs(has_ipv6),
        Proof::node_rust(|world| listen_under_node(world, "rr")).needs(has_ipv6),
        Proof::rust_rust(|world| listen(world, world.rust_workers("worker"), &Policy::RoundRobin))
            .needs(has_ipv6),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
require('node:net').createServer((client) => client.end('six')).listen({
  port: +process.env.PARITY_PORT, host: '::', ipv6Only: true,
});
";

fn listen(world: &World, mut workers: Settings, policy: &Policy) {
    // No socket for both families can have this port.
    let (_four, port) = taken_port();
    workers.policy = policy.clone();
    world.run(async {
        let mut primary = Primary::new(workers.env("PARITY_PORT", port.to_string()));
        for _ in 0..3 {
            primary.fork().await;
            let (_, it) = primary.listening().await;
            assert_eq!((it.address.as_deref(), it.port), (Some("::"), Some(port)));
            assert_eq!(it.address_type, AddressType::Tcp6);
        }
        let listeners = primary.cluster.snapshot().await.expect("it lives").listeners;
        assert_eq!(listeners.len(), 1);
        assert_eq!(listeners[0].shared, *policy == Policy::Shared);
        assert_eq!(said_by((Ipv6Addr::LOCALHOST, port)), "six");
        primary.end().await;
    });
}

fn listen_under_node(world: &World, policy: &str) {
    // No socket for both families can have this port.
    let (_four, port) = taken_port();
    let program = world.node_program("worker", "obey();");
    let program = program.env("NODE_CLUSTER_SCHED_POLICY", policy);
    let mut primary = NodeProcess::start(program);
    for _ in 0..3 {
        primary.fork(&[format!("PARITY_PORT={port}")]);
        let it = primary.next("listening");
        assert_eq!((&it["address"], &it["addressType"]), (&json!("::"), &json!(6)), "{it}");
        assert_eq!(it["port"], port);
    }
    assert_eq!(said_by((Ipv6Addr::LOCALHOST, port)), "six");
    primary.all_leave(3);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let port: u16 = part::variable("PARITY_PORT");
        let address = Listen::from(format!("[::]:{port}")).ipv6_only();
        let listener = worker.listen(address).await.expect("the IPv6 port is free");
        part::serve(&listener, "six").await;
    });
}
