//! Which messages are the channel's own.

use portcrew::{Error, Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said, says_nothing_more};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-internal",
    asserts: "a message whose cmd begins with NODE_ is internal and reaches no listener for messages; one that only has it \
              somewhere is the user's (a Rust sender is told that it cannot send the former)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| sorts(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| sorts(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", speaks)],
};

/// Says both, and then what it was told, also what no listener for messages is.
const NODE_CHILD: &str = r"
process.send({ cmd: 'NODE_bar' });
process.send({ cmd: 'fooNODE_bar' });
const internal = [];
process.on('internalMessage', (message) => internal.push(message));
process.once('message', (message) => {
  assert.deepStrictEqual(internal, []);
  say({ heard: message });
});
";

fn sorts(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        assert_eq!(said::<Value>(&child).await, users());
        assert!(matches!(child.send(&internal()), Err(Error::Message(_))));
        child.send(&users()).expect("connected");
        assert_eq!(said::<Value>(&child).await, json!({ "heard": users() }));
        says_nothing_more(&child).await;
        ends(&child, 0).await;
    });
}

fn internal() -> Value {
    json!({ "cmd": "NODE_bar" })
}

fn users() -> Value {
    json!({ "cmd": "fooNODE_bar" })
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start();
        child.send({ cmd: 'NODE_bar' });
        child.send({ cmd: 'fooNODE_bar' });
        ",
    );
    assert_eq!(parent.next("message")["message"], users());
    assert_eq!(parent.next("message")["message"], json!({ "heard": users() }));
    parent.child_ends_with(0);
}

fn speaks(role: Role) {
    part::child(role, async |parent| {
        assert!(matches!(parent.send(&internal()), Err(Error::Message(_))));
        parent.send(&users()).expect("connected");
        let heard: Value = said(&parent).await;
        parent.send(&json!({ "heard": heard })).expect("connected");
    });
}
