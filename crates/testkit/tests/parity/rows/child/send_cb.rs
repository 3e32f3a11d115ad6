//! Whoever sends learns that it is sent.

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-send-cb",
    asserts: "send's callback is called with null when the message is on its way (in Rust, send returns Ok when it is queued, \
              and disconnect() resolves when everything is written)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| is_called(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| is_called(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", answers)],
};

const NODE_CHILD: &str = r"
process.once('message', (message) => say(message, (error) => {
  assert.strictEqual(error, null);
  process.exitCode = 6;
}));
";

fn is_called(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        child.send("ok").expect("it is queued");
        assert_eq!(said::<String>(&child).await, "ok");
        ends(&child, 6).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start();
        child.send('ok', (error) => tell('sent', { error }));
        ",
    );
    assert!(parent.next("sent")["error"].is_null());
    assert_eq!(parent.next("message")["message"], "ok");
    parent.child_ends_with(6);
}

/// Its exit drops whatever is not written.
fn answers(role: Role) {
    part::child(role, async |parent| {
        let heard: String = said(&parent).await;
        parent.send(&heard).expect("it is queued");
        parent.disconnect().await;
        std::process::exit(6);
    });
}
