//! A socket that keeps nobody alive.

use portcrew::{Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-dgram-unref-in-cluster",
    asserts: "unref() before bind() holds for the handle that comes from the primary: the worker ends with the socket \
              open (a Rust worker ends where its main does, whoever still receives)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| {
            // How many sockets keep the worker's loop, before and after it takes the word back.
            let said = json!({ "unref": 0, "ref": 1 });
            ends_by_itself(world, world.node_workers(NODE_WORKER), &said);
        }),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| {
            ends_by_itself(world, world.rust_workers("worker"), &json!("bound"));
        }),
    ],
    parts: &[Part::new("worker", worker)],
};

/// Its loop ends when nothing keeps it, and the channel is told not to.
const NODE_WORKER: &str = "
const socket = require('node:dgram').createSocket('udp4').unref();
socket.bind(0, '127.0.0.1', () => {
  const active = () => process.getActiveResourcesInfo().filter((it) => /^udp/i.test(it)).length;
  const unref = active();
  const ref = (socket.ref(), active());
  socket.unref();
  say({ unref, ref });
  process.once('message', () => process.channel.unref());
});
";

fn ends_by_itself(world: &World, workers: Settings, said: &Value) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let worker = primary.fork().await;
        assert_eq!(primary.message::<Value>().await.1, *said);
        assert!(primary.port().await > 0);
        worker.send("go").expect("it is connected");
        let left = primary.exit_with(0).await;
        assert!(!left.planned, "nobody told it to leave");
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        const worker = cluster.fork();
        worker.once('message', () => worker.send('go'));
        ",
    );
    assert_eq!(primary.next("message")["message"], "bound");
    assert!(primary.port() > 0);
    let exit = primary.next("exit");
    assert!(exit["code"] == 0 && exit["planned"] == false, "{exit}");
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let socket = worker.bind_udp("127.0.0.1:0").await.expect("a free port");
        tokio::spawn(async move { socket.recv_from(&mut [0; 16]).await });
        worker.send("bound").expect("connected");
        worker.recv().await.expect("it is told to go");
    });
}
