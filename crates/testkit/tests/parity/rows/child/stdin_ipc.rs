//! The channel in the place of standard input.

use std::io::Read as _;

use portcrew::Role;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Place, World, placed, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-stdin-ipc",
    asserts: "the channel may be descriptor 0",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| placed(world, world.node_workers(NODE_CHILD), Place::Stdin)),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| placed(world, world.rust_workers("child"), Place::Stdin)),
    ],
    parts: &[Part::new("child", echoes)],
};

const NODE_CHILD: &str = "process.once('message', (message) => say(message));";

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = told(child_process.spawn(exe, ['--part', part], { stdio: ['ipc', 2, 2] }));
        child.send('there and back');
        ",
    );
    assert_eq!(parent.next("message")["message"], "there and back");
    parent.child_ends_with(0);
}

/// Nothing can be read from the place where the channel was.
fn echoes(role: Role) {
    part::child(role, async |parent| {
        let mut input = Vec::new();
        std::io::stdin().read_to_end(&mut input).expect("it is open");
        assert!(input.is_empty());
        parent.send(&said::<String>(&parent).await).expect("connected");
    });
}
