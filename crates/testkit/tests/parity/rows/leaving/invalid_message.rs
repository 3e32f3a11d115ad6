//! A user's message that looks like one of the cluster's.

use portcrew::{Error, Received, Role, Worker};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-invalid-message",
    asserts: "a cluster message from user code, an answer to nothing, is ignored, and what is sent after it arrives; the \
              worker exits with 0. (Here `send` itself refuses such a message.)",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(from_node),
        Proof::node_rust(under_node),
        Proof::rust_rust(is_refused),
    ],
    parts: &[Part::new("echo", echo), Part::new("sender", sender)],
};

fn forged() -> Value {
    json!({ "cmd": "NODE_CLUSTER", "ack": -1 })
}

fn from_node(world: &World) {
    let script = format!("say({}); say('after');", forged());
    world.run(async {
        let mut primary = Primary::new(world.node_workers(&script));
        let worker = primary.fork().await;
        // The first message that is one.
        assert_eq!(primary.message_of::<Value>(worker.id()).await, json!("after"));
        worker.disconnect();
        let left = primary.gone(worker.id()).await;
        assert_eq!((left.code(), left.planned), (Some(0), true));
        primary.has_told_all().await;
    });
}

fn under_node(world: &World) {
    let script = "
        const worker = cluster.fork();
        worker.on('online', () => { worker.send(FORGED); worker.send('after'); });
        worker.on('message', () => worker.disconnect());
        ";
    let primary = world.node_primary("echo", &script.replace("FORGED", &forged().to_string()));
    assert_eq!(primary.next("message")["message"], json!({ "first": "after" }));
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

fn is_refused(world: &World) {
    world.run(async {
        let mut primary = Primary::new(world.rust_workers("sender"));
        let worker = primary.fork().await;
        let sent = worker.send(&forged());
        assert!(matches!(sent, Err(Error::Message(_))), "{sent:?}");
        worker.send("after").expect("connected");
        let heard: Value = primary.message_of(worker.id()).await;
        assert_eq!(heard, json!({ "first": "after" }));
        primary.end().await;
    });
}

fn echo(role: Role) {
    part::worker(role, answer);
}

fn sender(role: Role) {
    part::worker(role, async |worker| {
        let sent = worker.send(&forged());
        assert!(matches!(sent, Err(Error::Message(_))), "{sent:?}");
        answer(worker).await;
    });
}

/// Says what the first message was.
async fn answer(worker: Worker) {
    let Some(Received::Message { message, .. }) = worker.recv().await else { panic!("no message") };
    let message: Value = message.json().expect("any value");
    worker.send(&json!({ "first": message })).expect("connected");
    worker.draining().await;
}
