//! Two clusters, one port.

use portcrew::{Role, Settings};
use serde_json::Value;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, refusal, refused, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-bind-twice",
    asserts: "of two independent clusters the second that wants a port gets EADDRINUSE in its worker",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| two(world, &world.node_workers(NODE_WORKER))),
        Proof::node_rust(two_of_node),
        Proof::rust_rust(|world| two(world, &world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const server = require('node:net').createServer((client) => client.end('first'));
server.on('error', (error) => { say(refusal(error)); process.disconnect(); });
server.listen(+process.env.PARITY_PORT, '127.0.0.1');
";

fn two(world: &World, workers: &Settings) {
    world.run(async {
        let mut first = Primary::new(workers.clone().env("PARITY_PORT", "0"));
        first.fork().await;
        let port = first.port().await;
        let mut second = Primary::new(workers.clone().env("PARITY_PORT", port.to_string()));
        let loser = second.fork().await;
        let said: Value = second.message_of(loser.id()).await;
        assert_eq!(said, refused("EADDRINUSE", "127.0.0.1", Some(port)));
        second.exit_with(0).await;
        assert_eq!(said_at(port), "first", "the first goes on");
        first.end().await;
    });
}

fn two_of_node(world: &World) {
    let mut first = world.node_primary("worker", "obey();");
    first.fork(&["PARITY_PORT=0".to_owned()]);
    let port = first.port();
    let mut second = world.node_primary("worker", "obey();");
    second.fork(&[format!("PARITY_PORT={port}")]);
    let said = &second.next("message")["message"];
    assert_eq!(said, &refused("EADDRINUSE", "127.0.0.1", Some(port)));
    assert_eq!(second.next("exit")["code"], 0);
    second.ends_with(0);
    assert_eq!(said_at(port), "first", "the first goes on");
    first.all_leave(1);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let port: u16 = part::variable("PARITY_PORT");
        match worker.listen(([127, 0, 0, 1], port)).await {
            Ok(listener) => part::serve(&listener, "first").await,
            Err(error) => {
                worker.send(&refusal(&error)).expect("connected");
                worker.disconnect().await;
            }
        }
    });
}
