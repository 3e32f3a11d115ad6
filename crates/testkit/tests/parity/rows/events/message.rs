//! Messages of users, both ways, with more than one worker.

use portcrew::{Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World, said};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-message",
    asserts: "messages go both ways; in the primary each is told with the worker that sent it, on the worker and on the \
              cluster",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| talks(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| talks(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = r"
say({ own: require('node:cluster').worker.id });
process.on('message', (message) => say({ heard: message }));
";

/// Anything that is JSON is a message.
fn words(worker: u32) -> Value {
    json!([null, "to", worker, { "deep": [1.5, true, "ünï\n"] }])
}

fn talks(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers);
        let workers = [primary.fork().await, primary.fork().await];
        for worker in &workers {
            let own: Value = primary.message_of(worker.id()).await;
            assert_eq!(own, json!({ "own": worker.id().0 }));
        }
        for worker in &workers {
            worker.send(&words(worker.id().0)).expect("connected");
        }
        for worker in &workers {
            let echo: Value = primary.message_of(worker.id()).await;
            assert_eq!(echo, json!({ "heard": words(worker.id().0) }));
        }
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        r"
        const words = (id) => [null, 'to', id, { deep: [1.5, true, 'ünï\n'] }];
        let heard = 0;
        for (const id of [1, 2]) {
          const worker = cluster.fork();
          worker.on('message', function(message) {
            assert.strictEqual(this, worker);
            heard += 1;
            if (message.own) {
              assert.strictEqual(message.own, id);
              worker.send(words(id));
            } else {
              assert.deepStrictEqual(message, { heard: words(id) });
              worker.disconnect();
            }
          });
        }
        let told = 0;
        cluster.on('message', (worker, message) => {
          told += 1;
          assert.strictEqual(worker.id, message.own ?? message.heard[2]);
        });
        process.on('exit', () => assert.deepStrictEqual([told, heard], [4, 4]));
        ",
    );
    for _ in 0..2 {
        assert_eq!(primary.next("exit")["code"], 0);
    }
    primary.ends_with(0);
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        worker.send(&json!({ "own": worker.id().0 })).expect("connected");
        let heard: Value = said(&worker).await;
        worker.send(&json!({ "heard": heard })).expect("connected");
        worker.draining().await;
    });
}
