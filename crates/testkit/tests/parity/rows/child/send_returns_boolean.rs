//! What `send` says while a handle is on its way.

use portcrew::{Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Hears, World, child, ends, letter, listener, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-send-returns-boolean",
    asserts: "while a handle is not acknowledged send says true for it and for one message more, and false from then on; all \
              arrive in order",
    verdict: Verdict::Differs(
        "a Rust program's send says Ok for all that is queued and QueueFull for what is not; there is no false for what is \
         queued all the same",
    ),
    proofs: &[
        Proof::rust_node(|world| arrive(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| arrive(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", returns)],
};

/// It sends all four back, and then what `send` said.
const NODE_CHILD: &str = r"
const heard = [];
let server;
process.on('message', (message, handle) => {
  server ??= handle;
  if (heard.push(message) < 4) return;
  const said = [say(0, server, () => server.close()), say(1), say(2), say(3)];
  assert.deepStrictEqual([heard, said], [[0, 1, 2, 3], [true, true, false, false]]);
});
";

fn arrive(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        child.send_with(&0, listener()).expect("connected");
        for number in 1..4 {
            child.send(&number).expect("it is queued");
        }
        four(&child).await;
        child.disconnect().await;
        ends(&child, 0).await;
    });
}

/// All four in order, the first with its handle.
async fn four(end: &impl Hears) -> std::net::TcpListener {
    let first = letter(end).await;
    assert_eq!(first.json::<u32>(), 0);
    for number in 1..4 {
        assert_eq!(said::<u32>(end).await, number);
    }
    first.listener()
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start();
        const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
          const said = [child.send(0, server), child.send(1), child.send(2), child.send(3)];
          tell('said', { said });
          server.close();
        });
        child.on('message', (message, back) => back?.close());
        ",
    );
    assert_eq!(parent.next("said")["said"], json!([true, true, false, false]));
    for number in 0..4 {
        let message = parent.next("message");
        let handle = if number == 0 { json!("Server") } else { Value::Null };
        assert_eq!((&message["message"], &message["handle"]), (&json!(number), &handle));
    }
    parent.child_ends_with(0);
}

fn returns(role: Role) {
    part::child(role, async |parent| {
        let listener = four(&parent).await;
        parent.send_with(&0, listener).expect("it is queued");
        for number in 1..4 {
            parent.send(&number).expect("it is queued");
        }
    });
}
