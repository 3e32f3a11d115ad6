//! The channel in the place of standard output.

use std::io::Write as _;

use portcrew::Role;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Place, World, placed, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-stdout-ipc",
    asserts: "the channel may be descriptor 1",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| placed(world, world.node_workers(NODE_CHILD), Place::Stdout)),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| placed(world, world.rust_workers("child"), Place::Stdout)),
    ],
    parts: &[Part::new("child", echoes)],
};

const NODE_CHILD: &str = "process.once('message', (message) => say(message));";

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = told(child_process.spawn(exe, ['--part', part], { stdio: ['ignore', 'ipc', 2] }));
        child.send('there and back');
        ",
    );
    assert_eq!(parent.next("message")["message"], "there and back");
    parent.child_ends_with(0);
}

/// What a library prints must not end up in the channel.
fn echoes(role: Role) {
    part::child(role, async |parent| {
        writeln!(std::io::stdout(), "printed").expect("it is open");
        parent.send(&said::<String>(&parent).await).expect("connected");
    });
}
