//! A closed channel keeps nobody alive.

use portcrew::{Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said, says_nothing_more};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-ref2",
    asserts: "a child that has disconnected is not kept alive by listening for messages or the disconnect",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| is_let_go(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| is_let_go(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", listens_late)],
};

const NODE_CHILD: &str = r"
say('bye', () => {
  process.disconnect();
  process.on('message', () => process.exit(1));
  process.on('disconnect', () => { process.exitCode = 9; });
});
";

fn is_let_go(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        assert_eq!(said::<String>(&child).await, "bye");
        says_nothing_more(&child).await;
        ends(&child, 9).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent("child", "start();");
    assert_eq!(parent.next("message")["message"], "bye");
    parent.next("disconnect");
    parent.child_ends_with(9);
}

fn listens_late(role: Role) {
    part::child(role, async |parent| {
        parent.send("bye").expect("connected");
        parent.disconnect().await;
        // Two that listen, one after the other: neither waits.
        says_nothing_more(&parent).await;
        says_nothing_more(&parent).await;
        std::process::exit(9);
    });
}
