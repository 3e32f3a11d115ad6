//! A worker of the library under Node's own primary.

use portcrew_testkit::http::Load;
use portcrew_testkit::node::Node;
use portcrew_testkit::process::artifact::example;
use portcrew_testkit::process::{Program, Signal, eventually, proc_fs};
use portcrew_testkit::require_node;
use serde_json::json;

use crate::support::{Crew, HANG, SERVER, even_share, has_ended};

fn under_node(node: &Node, program: impl AsRef<std::path::Path>) -> Program {
    let script = node.fixture("node_primary.js").arg(program.as_ref());
    script.env("PORT", "0").env("WORKERS", "2").stdin_pipe()
}

#[test]
fn axum_workers_share_nodes_port_in_turn() {
    let node = require_node!();
    let crew = Crew::start(under_node(&node, example("axum_hello")));
    let address = crew.listening(2);
    let report = Load::new(address).requests(2_000).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker, even_share(2, 1_000));
    Load::new(address).clients(32).requests(2_000).run().assert_all_ok();
}

#[test]
fn axum_workers_serve_under_nodes_other_policy() {
    let node = require_node!();
    let crew = Crew::start(under_node(&node, example("axum_hello")).env("POLICY", "none"));
    let address = crew.listening(2);
    Load::new(address).clients(32).requests(2_000).run().assert_all_ok();
    Load::new(address).clients(8).keep_alive(50).requests(2_000).run().assert_all_ok();
}

#[test]
fn node_hears_every_event_of_a_rust_workers_life() {
    let node = require_node!();
    let mut crew = Crew::start(under_node(&node, SERVER).env("WORKERS", "1"));
    assert_eq!(crew.next("online")["id"], 1);
    let listening = crew.next("listening");
    assert_eq!(
        (&listening["address"], &listening["addressType"]),
        (&json!("127.0.0.1"), &json!(4))
    );
    crew.tell(r#"send 1 {"to":"rust","text":"ä\u0000\n"}"#);
    let message = crew.next("message");
    assert_eq!(message["message"], json!({ "echo": { "to": "rust", "text": "ä\u{0}\n" } }));
    crew.tell("disconnect 1");
    assert_eq!(crew.next("disconnect")["exitedAfterDisconnect"], true);
    let exit = crew.next("exit");
    assert_eq!((&exit["code"], &exit["exitedAfterDisconnect"]), (&json!(0), &json!(true)));
}

#[test]
fn a_disconnect_from_node_lets_requests_end_first() {
    let node = require_node!();
    let mut crew = Crew::start(under_node(&node, example("axum_hello")));
    let address = crew.listening(2);
    let load = Load::new(address).clients(16).background();
    load.wait_answered(200, HANG);
    crew.tell("fork 1");
    crew.next("listening");
    crew.tell("disconnect 1");
    crew.tell("disconnect 2");
    for _ in 0..2 {
        assert_eq!(crew.next("exit")["code"], 0);
    }
    load.wait_answered(200, HANG);
    load.finish().assert_all_ok();
}

#[test]
fn the_death_of_nodes_primary_ends_its_rust_workers() {
    let node = require_node!();
    for policy in ["rr", "none"] {
        let crew = Crew::start(under_node(&node, example("axum_hello")).env("POLICY", policy));
        crew.listening(2);
        let workers = proc_fs::children(crew.pid()).unwrap();
        assert_eq!(workers.len(), 2);
        crew.process.signal(Signal::Kill);
        for worker in workers {
            eventually("the worker ends", HANG, || has_ended(worker).then_some(()));
        }
    }
}
