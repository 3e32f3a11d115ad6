//! Workers that bind to a socket that the primary has, by its number there.

use std::net::SocketAddr;
use std::os::fd::AsRawFd as _;

use portcrew::{AddressType, BindUdp, Role, Settings};
use serde_json::{Value, json};

use super::ten;
use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Datagrams, Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-dgram-bind-fd",
    asserts: "workers bind UDP to the number of a descriptor of the primary and receive ten datagrams each",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| by_number(world, world.node_workers(&node_worker()))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| by_number(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const WORKERS: usize = 2;

/// The number.
const FD: &str = "FD";

fn node_worker() -> String {
    let bind = "const socket = require('node:dgram').createSocket('udp4').bind({ fd: Number(process.env.FD) });\n";
    format!("{bind}{}", ten::RECEIVE)
}

fn by_number(world: &World, workers: Settings) {
    let own = Datagrams::new();
    let fd = own.inner().as_raw_fd();
    world.run(async {
        let mut primary = Primary::new(workers.env(FD, fd.to_string()));
        for _ in 0..WORKERS {
            primary.fork().await;
        }
        for _ in 0..WORKERS {
            let (_, address) = primary.listening().await;
            assert_eq!((address.address_type, address.fd), (AddressType::Udp4, Some(fd)));
            assert_eq!((address.address, address.port), (None, Some(own.address().port())));
        }
        ten::dealt_out(&mut primary, own.address(), WORKERS).await;
        primary.end().await;
    });
}

fn under_node(world: &World) {
    // A socket of which the primary's own loop knows nothing: from another one, it could not be had by its number.
    let primary = world.node_primary(
        "worker",
        "
        const { UDP } = process.binding('udp_wrap');
        const handle = new UDP();
        assert.strictEqual(handle.bind('127.0.0.1', 0, 0), 0);
        const address = {};
        assert.strictEqual(handle.getsockname(address), 0);
        tell('bound', { fd: handle.fd, port: address.port });
        for (let n = 0; n < 2; n += 1) cluster.fork({ FD: handle.fd });
        // Else it may be collected, and then it is closed.
        globalThis.kept = handle;
        ",
    );
    let bound = primary.next("bound");
    let port = bound["port"].as_u64().and_then(|it| u16::try_from(it).ok());
    let at = SocketAddr::from(([127, 0, 0, 1], port.expect("it is bound to one")));
    for _ in 0..WORKERS {
        let event = primary.next("listening");
        let [address, kind] = ["address", "addressType"].map(|it| &event[it]);
        assert_eq!((address, kind), (&Value::Null, &json!("udp4")), "{event}");
        assert_eq!((&event["fd"], &event["port"]), (&bound["fd"], &bound["port"]));
    }
    ten::dealt_out_under_node(primary, at, WORKERS);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let fd = std::env::var(FD).expect("it is told").parse().expect("a number");
        let socket = worker.bind_udp(BindUdp::fd(fd)).await.expect("a UDP socket of the primary");
        ten::receive(&worker, socket).await;
    });
}
