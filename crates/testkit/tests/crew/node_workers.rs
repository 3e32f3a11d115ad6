//! Unmodified Node workers under a primary of the library.

use portcrew_testkit::http::Load;
use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::process::Program;
use portcrew_testkit::require_node;
use serde_json::{Value, json};

use crate::support::{Crew, even_share, primary};

fn under_us(node: &Node, script: &str) -> Program {
    primary(node.path()).arg(fixture(script))
}

fn state(crew: &mut Crew, worker: u64) -> Value {
    crew.tell("state");
    let states = crew.next("state")["workers"].clone();
    states.as_array().unwrap().iter().find(|it| it["worker"] == worker).unwrap().clone()
}

#[test]
fn node_workers_share_our_port_in_turn() {
    let node = require_node!();
    let mut crew = Crew::start(under_us(&node, "hello.js"));
    let address = crew.fork(2);
    let report = Load::new(address).requests(2_000).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker, even_share(2, 1_000));
    Load::new(address).clients(64).requests(4_000).run().assert_all_ok();
    Load::new(address).clients(16).keep_alive(50).requests(4_000).run().assert_all_ok();
}

#[test]
fn node_workers_serve_from_one_socket_under_the_other_policy() {
    let node = require_node!();
    let program = under_us(&node, "hello.js").env("NODE_CLUSTER_SCHED_POLICY", "none");
    let mut crew = Crew::start(program);
    let address = crew.fork(2);
    Load::new(address).clients(32).requests(2_000).run().assert_all_ok();
    let snapshot = crew.snapshot();
    assert_eq!(
        (&snapshot["accepted"], &snapshot["listeners"][0]["shared"]),
        (&json!(0), &json!(true))
    );
}

#[test]
fn messages_and_questions_go_both_ways_to_javascript() {
    let node = require_node!();
    let mut crew = Crew::start(under_us(&node, "talk.js"));
    crew.fork(2);
    crew.tell(r#"send 1 {"text":"ä\u0000\n","list":[1,null,true]}"#);
    let echo = json!({ "text": "ä\u{0}\n", "list": [1, null, true] });
    assert_eq!(crew.message(1), json!({ "echo": echo, "handle": null }));
    crew.tell(r#"ask 2 20000 {"how":"many"}"#);
    assert_eq!(crew.next("answer")["body"], json!({ "answer": { "how": "many" } }));
    crew.tell(r#"send 2 {"op":"ask","body":"who?"}"#);
    assert_eq!(crew.message(2), json!({ "answered": { "answer": "who?" }, "id": 1 }));
    crew.tell(r#"broadcast "all""#);
    assert_eq!(crew.next("broadcast")["sent"], 2);
    let mut told: Vec<_> = (0..2).map(|_| crew.next("message")).collect();
    told.sort_by_key(|event| event["worker"].as_u64());
    assert!(told.iter().all(|event| event["message"]["echo"] == "all"), "{told:?}");
}

#[test]
fn a_node_workers_state_goes_as_nodes_own_does() {
    let node = require_node!();
    let mut crew = Crew::start(under_us(&node, "hello.js"));
    crew.fork(2);
    let alive = state(&mut crew, 1);
    assert_eq!(
        alive,
        json!({ "worker": 1, "state": "listening", "connected": true, "dead": false,
            "exited_after_disconnect": null })
    );
    crew.tell("disconnect 1");
    crew.next("disconnect");
    let exit = crew.next("exit");
    assert_eq!((&exit["code"], &exit["planned"]), (&json!(0), &json!(true)));
    let gone = state(&mut crew, 1);
    assert_eq!((&gone["connected"], &gone["dead"]), (&json!(false), &json!(true)));
    assert_eq!(gone["exited_after_disconnect"], true);
    crew.tell("kill 2 SIGKILL");
    let exit = crew.next("exit");
    assert_eq!(
        (&exit["worker"], &exit["signal"], &exit["planned"]),
        (&json!(2), &json!(9), &json!(false))
    );
    crew.next("disconnect");
    assert_eq!(state(&mut crew, 2)["exited_after_disconnect"], false);
    assert_eq!(crew.snapshot()["workers"], json!([]));
}
