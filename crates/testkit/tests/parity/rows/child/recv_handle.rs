//! A server comes with the message that it was sent with.

use std::io::Write as _;
use std::net::TcpListener;

use portcrew::{Role, Settings};
use serde_json::json;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Hears, World, child, ends, letter, listener, port_of, said_at};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-recv-handle",
    asserts: "of three messages that are sent at once the second comes with its server, and the others without",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| passes(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| passes(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", passes_back)],
};

/// It sends them back in the same way.
const NODE_CHILD: &str = r"
const heard = [];
process.on('message', (message, handle) => {
  heard.push([message, handle]);
  if (heard.length < 3) return;
  const [one, two, three] = heard;
  assert.deepStrictEqual([one, three], [['one', undefined], ['three', undefined]]);
  assert.deepStrictEqual([two[0], two[1].constructor.name], ['two', 'Server']);
  say('one');
  say('two', two[1], () => two[1].close());
  say('three');
});
";

fn passes(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings);
        let listener = listener();
        let port = port_of(&listener);
        child.send("one").expect("connected");
        child.send_with("two", listener).expect("connected");
        child.send("three").expect("connected");
        let listener = three(&child).await;
        assert_eq!(port_of(&listener), port);
        let client = std::thread::spawn(move || said_at(port));
        listener.set_nonblocking(false).expect("open");
        listener.accept().expect("the client connects").0.write_all(b"here").expect("it waits");
        assert_eq!(client.join().expect("it reads"), "here");
        child.disconnect().await;
        ends(&child, 0).await;
    });
}

/// The three, and what came with the second.
async fn three(end: &impl Hears) -> TcpListener {
    let [one, two, three] = [letter(end).await, letter(end).await, letter(end).await];
    assert_eq!((one.json::<String>().as_str(), one.handle.is_none()), ("one", true));
    assert_eq!(two.json::<String>(), "two");
    assert_eq!((three.json::<String>().as_str(), three.handle.is_none()), ("three", true));
    two.listener()
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start();
        const server = require('node:net').createServer().listen(0, '127.0.0.1', () => {
          child.send('one');
          child.send('two', server);
          child.send('three');
          const { port } = server.address();
          child.on('message', (message, back) => {
            if (message !== 'two') return;
            assert.strictEqual(back.address().port, port);
            back.close();
            server.close();
          });
        });
        ",
    );
    for (text, handle) in [("one", None), ("two", Some("Server")), ("three", None)] {
        let message = parent.next("message");
        assert_eq!((&message["message"], &message["handle"]), (&json!(text), &json!(handle)));
    }
    parent.child_ends_with(0);
}

fn passes_back(role: Role) {
    part::child(role, async |parent| {
        let listener = three(&parent).await;
        parent.send("one").expect("connected");
        parent.send_with("two", listener).expect("connected");
        parent.send("three").expect("connected");
    });
}
