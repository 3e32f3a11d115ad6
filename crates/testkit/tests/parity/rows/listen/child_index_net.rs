//! Listeners of one worker on port 0, opened and closed in turn: each is a listener of its own.

use std::sync::Arc;

use portcrew::{Listener, Role, Settings, Worker};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{NodeProcess, Primary, World, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-child-index-net",
    asserts: "one worker listens on port 0 several times, closing some in between: what is open at once has ports of its own",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| cycles(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(|world| cycles_under_node(world.node_primary("worker", "obey();"))),
        Proof::rust_rust(|world| cycles(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

// Open 1 and 2, close 1, open 3; then close all and open 4.
const NODE_WORKER: &str = r"
const net = require('node:net');
const open = (name) => new Promise((done) => {
  const server = net.createServer((client) => client.end(name));
  server.listen(0, '127.0.0.1', () => done(server));
});
const close = (server) => new Promise((done) => server.close(done));
(async () => {
  const first = await open('first');
  const second = await open('second');
  await close(first);
  const third = await open('third');
  say([second.address().port, third.address().port]);
  await new Promise((told) => process.once('message', told));
  await Promise.all([close(second), close(third)]);
  await open('fourth');
})();
";

fn cycles(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        let told = [primary.port().await, primary.port().await, primary.port().await];
        let open: [u16; 2] = primary.message_of(worker.id()).await;
        check(told, open);
        assert_eq!(primary.keys().await.len(), 2);
        worker.send("go on").expect("connected");
        assert_eq!(said_at(primary.port().await), "fourth");
        assert_eq!(primary.keys().await.len(), 1);
        primary.end().await;
    });
}

fn cycles_under_node(mut primary: NodeProcess) {
    primary.fork(&[]);
    let told = [primary.port(), primary.port(), primary.port()];
    let open = primary.next("message")["message"].clone();
    check(told, serde_json::from_value(open).expect("two ports"));
    primary.send(1, "on");
    assert_eq!(said_at(primary.port()), "fourth");
    primary.all_leave(1);
}

fn check(told: [u16; 3], open: [u16; 2]) {
    let [first, second, third] = told;
    assert_eq!(open, [second, third]);
    assert!(first != second && second != third, "{told:?}");
    assert_eq!([said_at(second), said_at(third)], ["second", "third"]);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let first = open(&worker, "first").await;
        let second = open(&worker, "second").await;
        first.close();
        let third = open(&worker, "third").await;
        let port = |it: &Listener| it.local_addr().expect("the primary told it").port();
        worker.send(&[port(&second), port(&third)]).expect("connected");
        part::word(&worker).await;
        second.close();
        third.close();
        let _fourth = open(&worker, "fourth").await;
        worker.draining().await;
    });
}

async fn open(worker: &Worker, name: &'static str) -> Arc<Listener> {
    part::serving(worker.listen("127.0.0.1:0").await.expect("a free port"), name)
}
