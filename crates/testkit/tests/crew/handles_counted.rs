//! Connections that were passed on are counted where they came from, as long as they live where they went.

use std::pin::pin;
use std::task::Poll;

use portcrew_testkit::process::Program;
use portcrew_testkit::require_node;
use serde_json::{Value, json};

use crate::kid::{KINDS, Kid, connect, connected, port, soon};
use crate::support::{Crew, KEEPER, address};

const KEY: &str = "4:127.0.0.1:0";

/// Node as the parent of our keeper, each way.
fn under_node(node: &portcrew_testkit::node::Node, mode: &str) -> Program {
    node.fixture("handles_parent.js").arg(mode).arg(KEEPER).stdin_pipe()
}

fn order(crew: &mut Crew, order: &Value) {
    crew.tell(&order.to_string());
}

/// What the child says next.
fn said(crew: &Crew) -> Value {
    crew.next("message")["message"].clone()
}

fn count(crew: &mut Crew) -> Value {
    order(crew, &json!({ "do": "count" }));
    crew.next("count")["count"].clone()
}

fn tell_child(crew: &mut Crew, message: &Value) {
    order(crew, &json!({ "do": "send", "message": message }));
}

#[test]
fn nodes_server_counts_what_lives_in_a_rust_child_and_waits_for_it() {
    let node = require_node!();
    for mode in ["cluster", "fork"] {
        let mut crew = Crew::start(under_node(&node, mode));
        order(&mut crew, &json!({ "do": "listen", "with": { "op": "keep" } }));
        let place = address(&crew.next("server"));
        let mut clients = Vec::new();
        for number in 1..=3 {
            clients.push(connect(place));
            assert_eq!(said(&crew), json!({ "kept": number }));
            assert_eq!(count(&mut crew), number);
        }
        tell_child(&mut crew, &json!({ "op": "release" }));
        assert_eq!(said(&crew), json!({ "left": 2 }));
        assert_eq!(count(&mut crew), 2);
        order(&mut crew, &json!({ "do": "close" }));
        tell_child(&mut crew, &json!({ "op": "release" }));
        assert_eq!(said(&crew), json!({ "left": 1 }));
        // Answered behind anything that the child said about the last but one.
        tell_child(&mut crew, &json!("there?"));
        assert_eq!(said(&crew)["heard"], "there?");
        let closed = |line: &str| line.contains(r#""event":"closed""#);
        assert!(!crew.process.lines().iter().any(|line| closed(&line.text)), "one lives");
        tell_child(&mut crew, &json!({ "op": "release" }));
        crew.next("closed");
    }
}

#[test]
fn a_rust_child_hears_how_many_of_its_connections_live_in_node() {
    let node = require_node!();
    for mode in ["cluster", "fork"] {
        let mut crew = Crew::start(under_node(&node, mode));
        let ask = |crew: &mut Crew| {
            tell_child(crew, &json!({ "op": "count", "key": KEY }));
            said(crew)
        };
        assert_eq!(ask(&mut crew), json!({ "count": 0 }));
        tell_child(&mut crew, &json!({ "op": "lend", "key": KEY }));
        let place = port(&said(&crew)["port"]);
        let _clients = [connect(place), connect(place)];
        for _ in 0..2 {
            assert_eq!(crew.next("message")["handle"], "Socket");
        }
        assert_eq!(ask(&mut crew), json!({ "count": 2 }));
        tell_child(&mut crew, &json!({ "op": "close", "key": KEY }));
        order(&mut crew, &json!({ "do": "release" }));
        crew.next("left");
        assert_eq!(ask(&mut crew), json!({ "count": 1 }));
        order(&mut crew, &json!({ "do": "release" }));
        assert_eq!(said(&crew), json!({ "closed": true }));
    }
}

#[tokio::test]
async fn a_parent_hears_how_many_of_its_connections_live_in_its_child() {
    for kind in KINDS {
        let Some(mut kid) = Kid::keeper(kind).await else { continue };
        assert_eq!(kid.connections(KEY).await, 0, "{kind:?}");
        let mut clients = Vec::new();
        for number in 1..=3 {
            let (client, accepted) = connected();
            clients.push(client);
            kid.lend(&json!({ "op": "keep" }), accepted, KEY);
            assert_eq!(kid.connections(KEY).await, number, "{kind:?}");
            assert_eq!(kid.said().await, json!({ "kept": number }));
        }
        for left in [2, 1] {
            kid.say(&json!({ "op": "release" }));
            assert_eq!(kid.said().await, json!({ "left": left }));
            assert_eq!(kid.connections(KEY).await, left, "{kind:?}");
        }
        {
            let mut closed = pin!(kid.all_closed(KEY));
            let first = std::future::poll_fn(|cx| Poll::Ready(closed.as_mut().poll(cx))).await;
            assert!(first.is_pending(), "{kind:?}: one lives");
            kid.say(&json!({ "op": "release" }));
            soon(closed).await.unwrap();
        }
        assert_eq!(kid.said().await, json!({ "left": 0 }));
        assert_eq!(kid.connections(KEY).await, 0, "{kind:?}");
    }
}

#[tokio::test]
async fn a_child_hears_how_many_of_its_connections_live_in_its_parent() {
    for kind in KINDS {
        let Some(mut kid) = Kid::keeper(kind).await else { continue };
        kid.say(&json!({ "op": "lend", "key": KEY }));
        let place = port(&kid.said().await["port"]);
        let mut kept = Vec::new();
        for number in 1..=3 {
            let _client = connect(place);
            let came = kid.came().await;
            assert_eq!(came.message, json!({ "op": "keep" }));
            kept.push((came.handle.unwrap(), came.counted.expect("it is counted")));
            kid.say(&json!({ "op": "count", "key": KEY }));
            assert_eq!(kid.said().await, json!({ "count": number }), "{kind:?}");
        }
        kept.pop();
        kid.say(&json!({ "op": "count", "key": KEY }));
        assert_eq!(kid.said().await, json!({ "count": 2 }), "{kind:?}");
        kid.say(&json!({ "op": "close", "key": KEY }));
        kept.clear();
        assert_eq!(kid.said().await, json!({ "closed": true }), "{kind:?}");
    }
}
