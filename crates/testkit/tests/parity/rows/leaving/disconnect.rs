//! The whole crew leaves, and another one comes after it.

use std::collections::BTreeSet;

use portcrew::{Listener, Role, Settings};
use tokio::io::AsyncWriteExt as _;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{NodeProcess, Primary, World, said_at};

const WORKERS: usize = 3;

pub(crate) const ROW: Row = Row {
    name: "test-cluster-disconnect",
    asserts: "several workers with two servers each are reachable at both; then cluster.disconnect ends them all with 0 \
              and gives up both addresses; the whole thing twice with one primary",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| twice(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| twice(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
for (const name of ['one', 'two']) {
  require('node:net').createServer((client) => client.end(name)).listen(0, '127.0.0.1');
}
";

fn twice(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        for _ in 0..2 {
            for _ in 0..WORKERS {
                primary.fork().await;
            }
            let mut ports = BTreeSet::new();
            for _ in 0..2 * WORKERS {
                ports.insert(primary.port().await);
            }
            all_are_reachable(&ports);
            primary.cluster.disconnect().await;
            assert!(primary.cluster.workers().is_empty());
            for _ in 0..WORKERS {
                assert!(primary.disconnected().await.1);
                primary.exit_with(0).await;
            }
            let listeners = primary.cluster.snapshot().await.expect("driven").listeners;
            assert!(listeners.is_empty(), "{listeners:?}");
        }
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let script = "
        lines((line) => {
          if (line === 'disconnect') cluster.disconnect();
          else for (let at = 0; at < COUNT; at += 1) cluster.fork();
        });
        ";
    let mut primary = world.node_primary("worker", &script.replace("COUNT", &WORKERS.to_string()));
    for _ in 0..2 {
        primary.line("fork");
        let ports = (0..2 * WORKERS).map(|_| NodeProcess::port(&primary)).collect();
        all_are_reachable(&ports);
        primary.line("disconnect");
        for _ in 0..WORKERS {
            let exit = primary.next("exit");
            assert!(exit["code"] == 0 && exit["planned"] == true, "{exit}");
        }
    }
    // A listener that was left would keep it.
    primary.ends_with(0);
}

/// Each server of each worker: the connections are dealt in turn.
fn all_are_reachable(ports: &BTreeSet<u16>) {
    assert_eq!(ports.len(), 2, "one port for each server of all workers");
    let mut said = BTreeSet::new();
    for port in ports {
        let names: BTreeSet<_> = (0..WORKERS).map(|_| said_at(*port)).collect();
        assert_eq!(names.len(), 1, "each port is one server's: {names:?}");
        said.extend(names);
    }
    assert_eq!(said, ["one", "two"].map(str::to_owned).into());
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let one = worker.listen("127.0.0.1:0").await.expect("a free port");
        let two = worker.listen("127.0.0.1:0").await.expect("a free port");
        tokio::join!(serve(&one, "one"), serve(&two, "two"));
    });
}

async fn serve(listener: &Listener, name: &str) {
    while let Ok((mut client, _)) = listener.accept().await {
        client.write_all(name.as_bytes()).await.expect("the client reads");
    }
}
