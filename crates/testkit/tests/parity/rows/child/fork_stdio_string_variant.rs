//! All three standard streams are pipes, beside the channel.

use std::io::{BufRead as _, Write as _};

use portcrew::{Role, Settings, Stdio};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{World, child, ends, said};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-stdio-string-variant",
    asserts: "stdio: 'pipe' makes pipes of all three standard streams, and the channel is there beside them",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| all_piped(world, world.node_workers(NODE_CHILD))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| all_piped(world, world.rust_workers("child"))),
    ],
    parts: &[Part::new("child", answers)],
};

const NODE_CHILD: &str = r"
process.once('message', (message) => say({ heard: message }));
process.stdin.once('data', (data) => {
  process.stdout.write(`out ${data}`);
  process.stderr.write(`err ${data}`);
});
";

fn all_piped(world: &World, mut settings: Settings) {
    (settings.stdin, settings.stdout, settings.stderr) = (Stdio::Piped, Stdio::Piped, Stdio::Piped);
    world.run(async {
        let child = child(settings);
        child.send("by the channel").expect("connected");
        assert_eq!(said::<serde_json::Value>(&child).await, json!({ "heard": "by the channel" }));
        let mut stdin = child.take_stdin().expect("it is a pipe");
        stdin.write_all(b"a line\n").await.expect("the child reads");
        drop(stdin);
        let mut text = String::new();
        let mut stdout = child.take_stdout().expect("it is a pipe");
        stdout.read_to_string(&mut text).await.expect("text");
        let mut stderr = child.take_stderr().expect("it is a pipe");
        stderr.read_to_string(&mut text).await.expect("text");
        assert_eq!(text, "out a line\nerr a line\n");
        ends(&child, 0).await;
    });
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "child",
        r"
        const child = start({ stdio: 'pipe' });
        child.send('by the channel');
        child.on('message', () => child.stdin.end('a line\n'));
        let [out, err] = ['', ''];
        child.stdout.on('data', (data) => { out += data; });
        child.stderr.on('data', (data) => { err += data; });
        child.on('close', () => tell('outputs', { text: out + err }));
        assert.throws(() => start({ stdio: 'no such word' }), { code: 'ERR_INVALID_ARG_VALUE' });
        ",
    );
    assert_eq!(parent.next("message")["message"], json!({ "heard": "by the channel" }));
    assert_eq!(parent.next("outputs")["text"], "out a line\nerr a line\n");
    parent.child_ends_with(0);
}

fn answers(role: Role) {
    part::child(role, async |parent| {
        let heard: String = said(&parent).await;
        parent.send(&json!({ "heard": heard })).expect("connected");
        let line = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).expect("text");
            line
        });
        let line = line.await.expect("it does not panic");
        write!(std::io::stdout(), "out {line}").expect("somebody reads");
        write!(std::io::stderr(), "err {line}").expect("somebody reads");
    });
}
