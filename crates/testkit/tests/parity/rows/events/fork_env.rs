//! Variables for one worker.

use portcrew::{Role, Settings};
use serde_json::{Value, json};

use crate::part;
use crate::row::{Part, Proof, Row, Verdict};
use crate::world::{Primary, World};

pub(crate) const ROW: Row = Row {
    name: "test-cluster-fork-env",
    asserts: "fork(env) adds variables to the primary's and overrides those that are there; the worker's send says \
              that it was sent",
    verdict: Verdict::Passes,
    proofs: &[
        Proof::rust_node(|world| with_variables(world, world.node_workers(NODE_WORKER))),
        Proof::node_rust(under_node),
        Proof::rust_rust(|world| with_variables(world, world.rust_workers("worker"))),
    ],
    parts: &[Part::new("worker", worker)],
};

const NODE_WORKER: &str = "
const { ADDED, SETTING, PATH, HOME } = process.env;
const sent = require('node:cluster').worker.send({ ADDED, SETTING, PATH, HOME: HOME ?? null });
say({ sent });
";

/// The first is new, the second overrides one of the settings, the third one of the primary.
const VARIABLES: [(&str, &str); 3] = [("ADDED", "yes"), ("SETTING", "new"), ("PATH", "/nowhere")];

fn with_variables(world: &World, workers: Settings) {
    world.run(async {
        let mut primary = Primary::new(workers.env("SETTING", "old"));
        let worker = primary.cluster.fork_with(VARIABLES).await.expect("it starts");
        assert_eq!(primary.message_of::<Value>(worker.id()).await, seen());
        assert_eq!(primary.message_of::<Value>(worker.id()).await, json!({ "sent": true }));
        // Those of one worker are not the next one's.
        let next = primary.fork().await;
        let seen: Value = primary.message_of(next.id()).await;
        assert_eq!((&seen["ADDED"], &seen["SETTING"]), (&Value::Null, &json!("old")));
        assert_eq!(seen["PATH"], json!(own("PATH")));
        primary.end().await;
    });
}

fn under_node(world: &World) {
    let primary = world.node_primary(
        "worker",
        "
        process.env.SETTING = 'old';
        cluster.fork({ ADDED: 'yes', SETTING: 'new', PATH: '/nowhere' });
        let messages = 0;
        cluster.on('message', () => { if (++messages === 2) cluster.disconnect(); });
        ",
    );
    for expected in [seen(), json!({ "sent": true })] {
        assert_eq!(primary.next("message")["message"], expected);
    }
    assert_eq!(primary.next("exit")["code"], 0);
    primary.ends_with(0);
}

/// What the worker sees.
fn seen() -> Value {
    let mut seen = json!({ "HOME": own("HOME") });
    for (name, value) in VARIABLES {
        assert_ne!(own(name).as_deref(), Some(value), "it would not be seen to change");
        seen[name] = value.into();
    }
    seen
}

fn own(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn worker(role: Role) {
    part::worker(role, async |worker| {
        let seen = ["ADDED", "SETTING", "PATH", "HOME"].map(|name| (name, own(name)));
        let sent = worker.send(&Value::from_iter(seen)).is_ok();
        worker.send(&json!({ "sent": sent })).expect("connected");
        worker.draining().await;
    });
}
