//! A worker that refuses a connection keeps nothing of it.

use std::io::Read as _;

use portcrew::Role;
use portcrew_testkit::process::{eventually, proc_fs};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{HANG, Primary, World, connect, read_all, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-worker-handle-close",
    asserts: "a worker closes the handle of a connection that it refuses",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(node_worker),
        Proof::node_rust(under_node),
        Proof::rust_rust(rust_worker),
    ],
    parts: &[Part::new("worker", worker)],
};

// Closes without a shutdown: the client hears of it when nobody has the connection any more.
const NODE_WORKER: &str = "
const most = +process.env.PARITY_MOST;
const server = require('node:net').createServer((client) => {
  if (most === 1) client.write('kept'); else client.destroy();
});
server.maxConnections = most;
server.listen(0, '127.0.0.1');
process.once('message', () => process.exit());
";

fn node_worker(world: &World) {
    world.run(async {
        let mut primary = Primary::new(world.node_workers(NODE_WORKER));
        let full = primary.cluster.fork_with([("PARITY_MOST", "1")]).await.expect("it starts");
        let port = primary.port().await;
        let mut kept = connect(port);
        kept.read_exact(&mut [0; 4]).expect("it is kept");
        let before = proc_fs::fd_count(full.pid()).expect("it lives");
        let other = primary.cluster.fork_with([("PARITY_MOST", "9")]).await.expect("it starts");
        primary.listening().await;
        for _ in 0..3 {
            assert_eq!(said_at(port), "");
        }
        primary.ledger(|it| it.offered_again > 0).await;
        assert_eq!(proc_fs::fd_count(full.pid()).expect("it lives"), before);
        for worker in [full, other] {
            worker.send("enough").expect("connected");
            primary.exit_with(0).await;
        }
    });
}

fn rust_worker(world: &World) {
    world.run(async {
        let mut primary = Primary::new(world.rust_workers("worker"));
        let full = primary.cluster.fork_with([("PARITY_MOST", "0")]).await.expect("it starts");
        let port = primary.port().await;
        let other = primary.cluster.fork_with([("PARITY_MOST", "9")]).await.expect("it starts");
        primary.listening().await;
        refuses(full.pid(), port, || full.send("refuse").expect("connected"));
        primary.ledger(|it| it.offered_again > 0).await;
        for worker in [full, other] {
            worker.disconnect();
            primary.exit_with(0).await;
        }
    });
}

fn under_node(world: &World) {
    let mut primary = world.node_primary("worker", "obey();");
    let pid = primary.fork(&["PARITY_MOST=0".to_owned()]);
    let port = primary.port();
    primary.fork(&["PARITY_MOST=9".to_owned()]);
    primary.next("listening");
    refuses(pid, port, || primary.send(1, "refuse"));
    primary.all_leave(2);
}

/// Of two clients one comes to each worker. The first worker has its connection, which the kernel shows, and is then to
/// refuse it.
fn refuses(full: u32, port: u16, refuse: impl FnOnce()) {
    let count = || proc_fs::fd_count(full).expect("it lives");
    let before = count();
    let clients = [connect(port), connect(port)];
    eventually("a connection at the first worker", HANG, || (count() == before + 1).then_some(()));
    refuse();
    assert_eq!(clients.map(read_all), ["", ""]);
    assert_eq!(count(), before);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        if part::variable::<u32>("PARITY_MOST") == 0 {
            assert_eq!(part::word(&worker).await, "refuse");
            listener.close();
            return worker.draining().await;
        }
        while let Ok((client, _)) = listener.accept().await {
            drop(client);
        }
    });
}
