//! Workers with one socket leave while a client of one of them stays.

use portcrew::{Policy, Role, Settings};
use tokio::io::copy;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, connect, still_answers};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-shared-leak",
    asserts: "with shared sockets: two workers disconnect while one has a connection; the idle one exits, the other when \
              its client has gone, both with 0; no listener is left",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| both_leave(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| both_leave(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const server = require('node:net').createServer((client) => {
  say('has a client');
  client.pipe(client);
});
server.listen(0, '127.0.0.1');
";

fn both_leave(world: &World, mut workers: Settings) {
    workers.policy = Policy::Shared;
    world.run(async {
        let mut primary = Primary::new(workers);
        let both = [primary.fork().await, primary.fork().await];
        let port = primary.port().await;
        assert_eq!(primary.port().await, port);
        let client = connect(port);
        let (holder, _) = primary.message::<String>().await;
        both.iter().for_each(portcrew::WorkerHandle::disconnect);
        let idle = both.iter().find(|it| it.id() != holder).expect("two workers");
        let holder = both.iter().find(|it| it.id() == holder).expect("a worker");
        let left = primary.gone(idle.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
        still_answers(&client);
        assert!(holder.is_connected() && !holder.is_dead());
        drop(client);
        let left = primary.gone(holder.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
        let listeners = primary.cluster.snapshot().await.expect("driven").listeners;
        assert!(listeners.is_empty(), "{listeners:?}");
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary_sharing(
        "worker",
        "
        const both = [cluster.fork(), cluster.fork()];
        cluster.on('message', () => both.forEach((worker) => worker.disconnect()));
        ",
    );
    let port = primary.port();
    assert_eq!(primary.port(), port);
    let client = connect(port);
    let holder = primary.next("message")["worker"].clone();
    let exit = primary.next("exit");
    assert!(exit["worker"] != holder && exit["code"] == 0 && exit["planned"] == true, "{exit}");
    still_answers(&client);
    drop(client);
    let exit = primary.next("exit");
    assert!(exit["worker"] == holder && exit["code"] == 0 && exit["planned"] == true, "{exit}");
    // Nothing holds Node's loop: it ends by itself.
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let listener = worker.listen("127.0.0.1:0").await.expect("a free port");
        while let Ok((mut client, _)) = listener.accept().await {
            worker.send("has a client").expect("connected");
            let (mut from, mut to) = client.split();
            copy(&mut from, &mut to).await.expect("no reset");
        }
        worker.disconnect().await;
    });
}
