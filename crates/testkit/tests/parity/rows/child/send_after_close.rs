//! What is sent after the channel was closed.

use portcrew::{Error, Role, Settings};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said, says_nothing_more};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-send-after-close",
    asserts: "send after the other end has gone is an error, ERR_IPC_CHANNEL_CLOSED, which ends nothing",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| both_late(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| both_late(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", sends_late)],
};

/// Without a callback the error is an event.
const NODE_CHILD: &str = r"
say('ready');
process.on('disconnect', () => {
  process.on('error', (error) => {
    assert.strictEqual(error.code, 'ERR_IPC_CHANNEL_CLOSED');
    assert.strictEqual(process.send('late', (second) => process.exit(second.code === error.code ? 7 : 1)), false);
  });
  assert.strictEqual(process.send('late'), false);
});
";

fn both_late(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        assert_eq!(said::<String>(&child).await, "ready");
        child.disconnect().await;
        says_nothing_more(&child).await;
        ends(&child, 7).await;
        for _ in 0..2 {
            assert!(matches!(child.send("late"), Err(Error::Disconnected)));
        }
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start();
        child.send('disconnect');
        child.on('close', () => {
          child.on('error', (error) => {
            tell('late', { code: error.code });
            assert.strictEqual(child.send('late', (second) => tell('late', { code: second.code })), false);
          });
          assert.strictEqual(child.send('late'), false);
        });
        ",
    );
    assert_eq!(parent.next("message")["message"], "ready");
    for _ in 0..2 {
        assert_eq!(parent.next("late")["code"], "ERR_IPC_CHANNEL_CLOSED");
    }
    parent.child_ends_with(7);
}

fn sends_late(role: Role) {
    part::child(role, async |parent| {
        parent.send("ready").expect("connected");
        // The parent closes the channel, or wants this process to.
        if parent.recv().await.is_some() {
            parent.disconnect().await;
        }
        for _ in 0..2 {
            assert!(matches!(parent.send("late"), Err(Error::Disconnected)));
        }
        std::process::exit(7);
    });
}
