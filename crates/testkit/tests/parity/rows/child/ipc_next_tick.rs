//! Whoever fails over one message still gets the others.

use std::panic::resume_unwind;

use portcrew::{Parent, Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-ipc-next-tick",
    asserts: "of ten messages that come at once each reaches its listener, though the listener throws every time (in Rust, \
              though the task that received it panics)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| floods(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| floods(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", fails)],
};

const MESSAGES: u64 = 10;

const NODE_CHILD: &str = r"
const caught = [];
process.on('uncaughtException', (message) => {
  if (caught.push(message) < 10) return;
  process.removeListener('message', fails);
  say(caught);
});
const fails = (message) => { throw message; };
process.on('message', fails);
say('ready');
";

fn floods(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        assert_eq!(said::<String>(&child).await, "ready");
        for number in 0..MESSAGES {
            child.send(&number).expect("connected");
        }
        let caught: Vec<u64> = said(&child).await;
        assert_eq!(caught, Vec::from_iter(0..MESSAGES));
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start();
        child.once('message', () => {
          for (let number = 0; number < 10; number++) child.send(number);
        });
        ",
    );
    assert_eq!(parent.next("message")["message"], "ready");
    let all = serde_json::json!(Vec::from_iter(0..MESSAGES));
    assert_eq!(parent.next("message")["message"], all);
    parent.child_ends_with(0);
}

fn fails(role: Role) {
    part::child(role, async |parent| {
        parent.send("ready").expect("connected");
        let mut caught = Vec::new();
        while caught.len() < 10 {
            let task = tokio::spawn(fail(parent.clone())).await;
            let panic = task.expect_err("it panics").into_panic();
            caught.push(*panic.downcast::<u64>().expect("the number that it was sent"));
        }
        parent.send(&caught).expect("connected");
    });
}

/// As a panic, but without its lines on standard error.
async fn fail(parent: Parent) {
    resume_unwind(Box::new(said::<u64>(&parent).await))
}
