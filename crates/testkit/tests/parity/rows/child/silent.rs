//! A child whose output comes to its parent.

use std::io::Write as _;

use portcrew::{Child, Role, Settings};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-silent",
    asserts: "with silent the child's output and errors come through pipes of their own and not by the parent's, beside the \
              channel",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| hears(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| hears(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", writes)],
};

const NODE_CHILD: &str = r"
console.log('to stdout');
console.error('to stderr');
say('to the channel');
";

fn hears(world: &World, settings: Settings) {
    world.run(async {
        let child = child(settings.silent());
        assert!(child.take_stdin().is_none());
        assert_eq!(said::<String>(&child).await, "to the channel");
        let (out, err) = outputs(&child).await;
        assert_eq!((out.as_str(), err.as_str()), ("to stdout\n", "to stderr\n"));
        ends(&child, 0).await;
    });
}

/// All of both.
async fn outputs(child: &Child) -> (String, String) {
    let (mut out, mut err) = (String::new(), String::new());
    let mut stdout = child.take_stdout().expect("it is a pipe");
    let mut stderr = child.take_stderr().expect("it is a pipe");
    stdout.read_to_string(&mut out).await.expect("text");
    stderr.read_to_string(&mut err).await.expect("text");
    (out, err)
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        "
        const child = start({ stdio: undefined, silent: true });
        let [out, err] = ['', ''];
        child.stdout.on('data', (data) => { out += data; });
        child.stderr.on('data', (data) => { err += data; });
        child.on('close', () => tell('outputs', { out, err }));
        ",
    );
    assert_eq!(parent.next("message")["message"], "to the channel");
    let outputs = parent.next("outputs");
    assert_eq!((&outputs["out"], &outputs["err"]), (&json!("to stdout\n"), &json!("to stderr\n")));
    parent.child_ends_with(0);
}

fn writes(role: Role) {
    part::child(role, async |parent| {
        writeln!(std::io::stdout(), "to stdout").expect("somebody reads");
        writeln!(std::io::stderr(), "to stderr").expect("somebody reads");
        parent.send("to the channel").expect("connected");
    });
}
