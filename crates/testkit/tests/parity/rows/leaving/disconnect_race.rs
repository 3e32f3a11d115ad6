//! One worker leaves while another comes.

use portcrew::{Policy, Role, Settings};
use tokio::io::AsyncWriteExt as _;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-disconnect-race",
    asserts: "with shared sockets: a worker that disconnects while another comes online; the other serves, and both \
              exit with 0",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| one_comes(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| one_comes(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const { worker } = require('node:cluster');
require('node:net').createServer((client) => client.end(`${worker.id}`)).listen(0, '127.0.0.1');
";

fn one_comes(world: &World, mut workers: Settings) {
    workers.policy = Policy::Shared;
    world.run(async {
        let mut primary = Primary::new(workers);
        let first = primary.fork().await;
        primary.listening().await;
        let second = primary.fork().await;
        first.disconnect();
        let left = primary.gone(first.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
        assert_eq!(said_at(primary.port().await), "2");
        second.disconnect();
        let left = primary.gone(second.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary_sharing(
        "worker",
        "
        const first = cluster.fork();
        first.on('listening', () => {
          const second = cluster.fork();
          second.on('online', () => first.disconnect());
          lines(() => second.disconnect());
        });
        ",
    );
    primary.port();
    let exit = primary.next("exit");
    assert!(exit["worker"] == 1 && exit["code"] == 0 && exit["planned"] == true, "{exit}");
    assert_eq!(said_at(primary.port()), "2");
    primary.line("disconnect");
    let exit = primary.next("exit");
    assert!(exit["worker"] == 2 && exit["code"] == 0 && exit["planned"] == true, "{exit}");
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        while let Ok((mut client, _)) = listener.accept().await {
            let id = worker.id().to_string();
            client.write_all(id.as_bytes()).await.expect("the client reads");
        }
    });
}
