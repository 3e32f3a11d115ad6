//! Servers that share a port by the kernel alone.

use portcrew::{Event, Listen, Listener, Role, Settings, Worker};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{NodeProcess, Primary, World, listening_on, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-net-reuseport",
    asserts: "with reusePort a worker has two servers on one port, and the primary is not asked",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| reuses(world, world.node_workers(NODE_WORKER))).since(22, 12),
        Proof::node_rust(|world| reuses_under_node(world.node_primary("worker", "obey();"))),
        Proof::rust_rust(|world| reuses(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const net = require('node:net');
const listen = (port, then) => {
  const server = net.createServer((client) => client.end('shared'));
  server.listen({ port, host: '127.0.0.1', reusePort: true }, () => then(server.address().port));
  process.once('disconnect', () => server.close());
};
listen(0, (port) => listen(port, say));
";

fn reuses(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        check(primary.message_of(worker.id()).await);
        assert_eq!(primary.keys().await, [""; 0]);
        worker.disconnect();
        primary.exit_with(0).await;
        assert!(!primary.was_told(|it| matches!(it, Event::Listening { .. })));
    });
}

fn reuses_under_node(mut primary: NodeProcess) {
    primary.fork(&[]);
    let message = primary.next("message")["message"].clone();
    check(message.as_u64().and_then(|it| u16::try_from(it).ok()).expect("a port"));
    primary.line("disconnect");
    assert_eq!(primary.next("exit")["code"], 0);
    assert!(!primary.was_told("listening"));
    primary.ends_with(0);
}

fn check(port: u16) {
    assert_eq!(listening_on(port).len(), 2);
    for _ in 0..8 {
        assert_eq!(said_at(port), "shared");
    }
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let one = listen(&worker, 0).await;
        let port = one.local_addr().expect("the kernel says it").port();
        let two = listen(&worker, port).await;
        let _both = [part::serving(one, "shared"), part::serving(two, "shared")];
        worker.send(&port).expect("connected");
        worker.draining().await;
    });
}

async fn listen(worker: &Worker, port: u16) -> Listener {
    let address = Listen::from(([127, 0, 0, 1], port)).reuse_port();
    worker.listen(address).await.expect("the other reuses it too")
}
