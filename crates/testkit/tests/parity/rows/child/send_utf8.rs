//! Text whose characters have more than one byte.

use portcrew::{Role, Settings};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-send-utf8",
    asserts: "text of many multi-byte characters, more than a read takes, arrives as it was sent",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| there_and_back(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| there_and_back(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", echoes)],
};

/// Two, three and four bytes each, so that reads end within a character in every way.
const CHARACTERS: &str = "ßßßß€€€𝄞𝄞";

const TIMES: usize = 40_000;

const NODE_CHILD: &str = r"
process.once('message', (message) => {
  assert.ok(message === 'ßßßß€€€𝄞𝄞'.repeat(40000));
  say(message);
});
";

fn there_and_back(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        child.send(&CHARACTERS.repeat(TIMES)).expect("connected");
        let back: String = said(&child).await;
        assert!(back == CHARACTERS.repeat(TIMES), "{} bytes came back", back.len());
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const text = 'ßßßß€€€𝄞𝄞'.repeat(40000);
        const child = start();
        child.removeAllListeners('message');
        child.send(text);
        child.on('message', (message) => tell('back', { same: message === text, length: message.length }));
        ",
    );
    let back = parent.next("back");
    assert_eq!((&back["same"], &back["length"]), (&json!(true), &json!(40_000 * 11)));
    parent.child_ends_with(0);
}

fn echoes(role: Role) {
    part::child(role, async |parent| {
        let text: String = said(&parent).await;
        assert!(text == CHARACTERS.repeat(TIMES), "{} bytes came", text.len());
        parent.send(&text).expect("connected");
    });
}
