//! Whoever listens to the channel is kept alive by it, until it is closed.

use portcrew::{Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, letter, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-ref",
    asserts: "a child that listens for messages is kept alive by its channel, though it has nothing else to do; when it does \
              not listen any more, it ends",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| keeps(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| keeps(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", listens)],
};

/// It answers from an event loop that has gone round since with nothing in it.
const NODE_CHILD: &str = r"
const idle = (f) => setImmediate(() => setImmediate(f));
let heard = 0;
process.on('beforeExit', () => assert.strictEqual(heard, 3));
process.on('message', function listener(message) {
  heard += 1;
  if (heard === 3) process.removeListener('message', listener);
  idle(() => say({ heard: message }));
});
idle(() => say('idle'));
";

fn keeps(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        assert_eq!(said::<String>(&child).await, "idle");
        for number in 0..3 {
            child.send(&number).expect("connected");
            assert_eq!(said::<Value>(&child).await, json!({ "heard": number }));
        }
        // It was not told to.
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start();
        let number = 0;
        child.on('message', (message) => number < 3 && child.send(number++));
        ",
    );
    assert_eq!(parent.next("message")["message"], "idle");
    for number in 0..3 {
        assert_eq!(parent.next("message")["message"], json!({ "heard": number }));
    }
    parent.child_ends_with(0);
}

/// Here a program that waits is a task that waits.
fn listens(role: Role) {
    part::child(role, async |parent| {
        tokio::task::yield_now().await;
        parent.send("idle").expect("connected");
        for _ in 0..3 {
            let heard: Value = letter(&parent).await.json();
            tokio::task::yield_now().await;
            parent.send(&json!({ "heard": heard })).expect("connected");
        }
    });
}
