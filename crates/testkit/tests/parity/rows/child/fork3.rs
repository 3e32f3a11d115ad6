//! A child that does nothing ends.

use portcrew::{Role, Settings};

use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, says_nothing_more};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork3",
    asserts: "an empty child ends by itself: its channel does not keep it, nor its parent",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| is_over(world, world.node_workers(""))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| is_over(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", does_nothing)],
};

fn is_over(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        says_nothing_more(&child).await;
        ends(&child, 0).await;
        assert!(!child.is_connected());
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent("child", "start();");
    parent.next("disconnect");
    parent.child_ends_with(0);
}

fn does_nothing(role: Role) {
    let Role::Primary(mut primary) = role else { panic!("started as a worker") };
    assert!(primary.take_parent().is_some(), "started without a channel");
}
