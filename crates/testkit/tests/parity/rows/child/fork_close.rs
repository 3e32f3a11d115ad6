//! A child's last words, its exit, and the end of all that it had.

use std::io::Write as _;
use std::time::Duration;

use portcrew::{Child, Received, Role, Settings, Stdio};
use portcrew_testkit::process::{eventually, proc_fs};
use serde_json::json;
use tokio::io::AsyncReadExt as _;

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{HANG, World, child, ends, says_nothing_more};

pub(crate) const ROW: Row = Row {
    name: "test-child-process-fork-close",
    asserts: "what a child said last comes before its exit, and its exit before close, the end of its channel and pipes",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| hears_all(world, world.node_workers(NODE_CHILD), true)),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| hears_all(world, world.rust_workers("child"), false)),
    ],
    parts: &[Part::new("child", speaks), Part::new("waits", waits)],
};

/// They fit into a socket, so that the child need not wait for its parent.
const WORDS: u64 = 50;

const NODE_CHILD: &str = r"
for (let word = 0; word < 49; word++) say(word);
say(49, () => {
  console.log('the end');
  process.exitCode = 5;
});
";

fn hears_all(world: &World, mut settings: Settings, ends_alone: bool) {
    settings.stdout = Stdio::Piped;
    world.run(async {
        let child = child(settings);
        if ends_alone {
            read_nothing_until_it_has_ended(child.pid());
        }
        ends(&child, 5).await;
        for word in 0..WORDS {
            match at_once(&child).await {
                Some(Received::Message { message, .. }) => {
                    assert_eq!(message.json::<u64>().expect("a number"), word);
                }
                other => panic!("instead of {word}: {other:?}"),
            }
        }
        assert!(at_once(&child).await.is_none());
        assert!(!child.is_connected());
        let (mut stdout, mut text) = (child.take_stdout().expect("it is a pipe"), String::new());
        stdout.read_to_string(&mut text).await.expect("text");
        assert_eq!(text, "the end\n");
    });
}

/// Keeps the only thread that could read: then the last words and the exit are there at once.
fn read_nothing_until_it_has_ended(pid: u32) {
    let (let_go, held) = std::sync::mpsc::channel::<()>();
    tokio::spawn(async move { held.recv() });
    eventually("its end", HANG, || (proc_fs::state(pid).ok()? == 'Z').then_some(()));
    drop(let_go);
}

/// What there is without a wait.
async fn at_once(child: &Child) -> Option<Received> {
    let received = tokio::time::timeout(Duration::ZERO, child.recv()).await;
    received.expect("it is there, or the channel has ended")
}

fn under_node(world: &World) {
    let parent = world.node_parent(
        "waits",
        "
        const order = [];
        const child = start({ stdio: ['ignore', 'pipe', 2, 'ipc'] });
        child.on('message', (message) => {
          order.push(message);
          child.kill();
        });
        child.on('exit', (code, signal) => order.push(signal));
        child.on('close', (code, signal) => {
          order.push(`close ${signal}`);
          assert.strictEqual(child.stdout.readableEnded, true);
          tell('order', { order });
        });
        child.stdout.resume();
        ",
    );
    assert_eq!(parent.next("order")["order"], json!(["last word", "SIGTERM", "close SIGTERM"]));
    parent.ends_with(0);
}

/// It waits for its parent to have read everything, or its exit would drop what is not written.
fn speaks(role: Role) {
    part::child(role, async |parent| {
        for word in 0..WORDS {
            parent.send(&word).expect("connected");
        }
        parent.disconnect().await;
        writeln!(std::io::stdout(), "the end").expect("somebody reads");
        std::process::exit(5);
    });
}

fn waits(role: Role) {
    part::child(role, async |parent| {
        parent.send("last word").expect("connected");
        says_nothing_more(&parent).await;
        panic!("it was to be killed");
    });
}
