//! A worker that never listened leaves beside one that does.

use portcrew::{Policy, Role, Settings};
use tokio::io::AsyncWriteExt as _;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-disconnect-unshared-tcp",
    asserts: "with shared sockets: the disconnect of a worker that never listened does not hurt another that does",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| one_leaves(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| one_leaves(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
if (process.env.BOUND) {
  require('node:net').createServer((client) => client.end('served')).listen(0, '127.0.0.1');
}
";

fn one_leaves(world: &World, mut workers: Settings) {
    workers.policy = Policy::Shared;
    world.run(async {
        let mut primary = Primary::new(workers);
        let unbound = primary.fork().await;
        let bound = primary.cluster.fork_with([("BOUND", "y")]).await.expect("it starts");
        let (who, address) = primary.listening().await;
        assert_eq!(who, bound.id());
        let port = address.port.expect("a port");
        unbound.disconnect();
        let left = primary.gone(unbound.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
        assert_eq!(said_at(port), "served");
        bound.disconnect();
        let left = primary.gone(bound.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary_sharing(
        "worker",
        "
        const unbound = cluster.fork();
        const bound = cluster.fork({ BOUND: 'y' });
        bound.on('listening', () => unbound.disconnect());
        lines(() => bound.disconnect());
        ",
    );
    let port = primary.port();
    let exit = primary.next("exit");
    assert!(exit["worker"] == 1 && exit["code"] == 0 && exit["planned"] == true, "{exit}");
    assert_eq!(said_at(port), "served");
    primary.line("disconnect");
    let exit = primary.next("exit");
    assert!(exit["worker"] == 2 && exit["code"] == 0 && exit["planned"] == true, "{exit}");
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        if std::env::var_os("BOUND").is_none() {
            return worker.draining().await;
        }
        let listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        while let Ok((mut client, _)) = listener.accept().await {
            client.write_all(b"served").await.expect("the client reads");
        }
    });
}
