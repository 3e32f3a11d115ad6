//! The channel to a plain child is closed.

use portcrew::{Error, Parent, Role};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said, says_nothing_more};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-disconnect",
    asserts: "disconnect() closes the channel: connected is false at once, the disconnect event comes later and on both \
              sides, nothing can be sent any more; a second disconnect throws ERR_IPC_DISCONNECTED",
    verdict: Verdict::Differs(
        "a second disconnect does nothing instead of throwing: what it asks for is so, and two owners of one child need \
         not agree who is first",
    ),
    proofs: &[
        Proof::rust_node(parent_disconnects),
        Proof::node_rust(under_node),
        Proof::rust_rust(child_disconnects),
    ],
    parts: &[Part::new("child", disconnects)],
};

const NODE_CHILD: &str = r"
say('ready');
process.on('disconnect', () => {
  assert.strictEqual(process.connected, false);
  process.exit(7);
});
";

fn parent_disconnects(world: &World) {
    world.run(async {
        let child = child(world.node_workers(NODE_CHILD));
        assert!(child.is_connected());
        assert_eq!(said::<String>(&child).await, "ready");
        let (same, disconnected) = (child.clone(), child.disconnect());
        tokio::pin!(disconnected);
        // The order is given when the future is first looked at, and resolves when the child has closed its end.
        let _ =
            std::future::poll_fn(|cx| std::task::Poll::Ready(disconnected.as_mut().poll(cx))).await;
        assert!(!same.is_connected());
        assert!(matches!(same.send("late"), Err(Error::Disconnected)));
        disconnected.await;
        same.disconnect().await;
        says_nothing_more(&same).await;
        ends(&same, 7).await;
    });
}

fn child_disconnects(world: &World) {
    world.run(async {
        let child = child(world.rust_workers("child"));
        child.send("disconnect").expect("connected");
        assert_eq!(said::<String>(&child).await, "last words");
        says_nothing_more(&child).await;
        assert!(!child.is_connected());
        assert!(matches!(child.send("late"), Err(Error::Disconnected)));
        ends(&child, 7).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start();
        child.send('disconnect');
        let sync = true;
        child.on('message', () => {
          child.disconnect();
          sync = false;
          assert.strictEqual(child.connected, false);
          assert.throws(() => child.disconnect(), { code: 'ERR_IPC_DISCONNECTED' });
        });
        child.on('disconnect', () => assert.strictEqual(sync, false));
        ",
    );
    assert_eq!(parent.next("message")["message"], "last words");
    assert_eq!(parent.next("disconnect")["connected"], json!(false));
    parent.child_ends_with(7);
}

/// By itself or by its parent: what it said before arrives, and it lives on.
fn disconnects(role: Role) {
    part::child(role, async |parent: Parent| {
        assert!(parent.is_connected());
        assert_eq!(said::<String>(&parent).await, "disconnect");
        parent.send("last words").expect("connected");
        parent.disconnect().await;
        assert!(!parent.is_connected());
        assert!(matches!(parent.send("late"), Err(Error::Disconnected)));
        says_nothing_more(&parent).await;
        parent.disconnect().await;
        std::process::exit(7);
    });
}
