//! `listen` without a port.

use portcrew::{AddressType, Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-net-listen",
    asserts: "listen() without a port is listen(0): it serves, and the worker exits with status 0 when told to leave",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| listens(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| listens(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
require('node:net').createServer((client) => client.end('here')).listen();
";

fn listens(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        primary.fork().await;
        let (_, address) = primary.listening().await;
        assert_eq!((address.address.as_deref(), address.address_type), (None, AddressType::Tcp4));
        let port = address.port.expect("it listens on a port");
        assert_ne!(port, 0);
        assert_eq!(said_at(port), "here");
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary("worker", "obey();");
    primary.fork(&[]);
    let listening = primary.next("listening");
    assert!(listening["address"].is_null() && listening["addressType"] == 4, "{listening}");
    let port = listening["port"].as_u64().and_then(|it| u16::try_from(it).ok());
    assert_eq!(said_at(port.expect("a port")), "here");
    primary.all_leave(1);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        // There is no listen without an address here: port 0 and no host is what Node makes of it.
        let listener = worker.listen(0).await.expect("a free port");
        part::serve(&listener, "here").await;
    });
}
