//! The ports of inspectors: counted, wrapped, chosen by a function, one for all.

use portcrew::InspectPort;
use portcrew_testkit::ports;

use super::inspect;
use crate::row::{Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-inspector-port-cluster",
    asserts: "inspectors of workers have the ports behind the one that is named, on its host; behind 65535 comes 1024; \
              inspectPort may be a number or a function; without an inspect option it means nothing (invalid values, \
              an exception in Node, cannot be said: it is a u16)",
    verdict: Verdict::Passes,
    proofs: &[Proof::rust_node(|world| {
        world.run(async {
            counted(world).await;
            wrapped(world).await;
            said(world).await;
        });
    })],
    parts: &[],
};

async fn counted(world: &World) {
    let base = ports::free_behind(2);
    let mut primary = Primary::new(inspect::workers(world, &format!("--inspect=127.0.0.1:{base}")));
    for port in [base + 1, base + 2] {
        let inspected = inspect::fork(&mut primary).await;
        assert_eq!(inspected.address(), Some(&*format!("127.0.0.1:{port}")));
    }
    primary.end().await;
}

/// These ports are only noted: nobody listens there before SIGUSR1, so they need not be free.
async fn wrapped(world: &World) {
    let mut primary = Primary::new(inspect::workers(world, "--inspect-port=65534"));
    for port in [65_535, 1024, 1025] {
        assert_eq!(inspect::fork(&mut primary).await.port, port);
    }
    primary.end().await;
}

async fn said(world: &World) {
    let mut workers = inspect::workers(world, "--inspect-port=20000");
    workers.inspect_port = InspectPort::by(|worker| 30_000 + u16::try_from(worker.0).unwrap_or(0));
    let mut primary = Primary::new(workers);
    assert_eq!(inspect::fork(&mut primary).await.port, 30_001);
    let setup = primary.cluster.setup_with(|it| it.inspect_port = InspectPort::Fixed(30_500));
    setup.expect("it can be set");
    assert_eq!(inspect::fork(&mut primary).await.port, 30_500);
    let setup = primary.cluster.setup_with(|it| drop(it.args.remove(0)));
    setup.expect("it can be set");
    inspect::without(&mut primary).await;
    primary.end().await;
}
