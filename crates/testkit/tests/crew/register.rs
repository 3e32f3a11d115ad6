//! The module that Node programs preload (`node/register.cjs`), by itself: what it does when its process leaves, and that
//! it does nothing else. In crews it is under test where the command preloads it.

use std::path::{Path, PathBuf};

use portcrew_testkit::node::Node;
use portcrew_testkit::process::Program;
use portcrew_testkit::require_node;
use serde_json::{Value, json};

use crate::support::HANG;

fn module() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../node/register.cjs").canonicalize().unwrap()
}

/// A program that has loaded the module, and leaves in that way.
fn leaving(node: &Node, way: &str) -> Program {
    let preload = format!("--require {}", module().display());
    node.fixture("registered.js").arg(way).env("NODE_OPTIONS", preload)
}

fn says(program: Program) -> Value {
    let mut process = program.start();
    let line = process.wait_line(|line| line.starts_with('{'), HANG);
    assert!(process.wait_exit(HANG).success());
    serde_json::from_str(&line.text).unwrap()
}

#[test]
fn a_request_on_an_idle_connection_is_answered_with_close_after_the_server_was_closed() {
    let node = require_node!();
    let said = says(leaving(&node, "http1"));
    let before = json!({ "connection": "keep-alive", "own": "kept", "reused": false });
    let after = json!({ "connection": "close", "own": "kept", "reused": true });
    assert_eq!(said, json!({ "before": before, "after": after }));
}

#[test]
fn a_silent_connection_is_closed_after_the_linger_and_not_at_once() {
    let node = require_node!();
    let said = says(leaving(&node, "silent").env("PORTCREW_LINGER_MS", "50"));
    assert_eq!(said, json!({ "atOnce": false, "closed": true }));
}

#[test]
fn a_session_of_http2_is_told_to_go_away_and_finishes_its_stream() {
    let node = require_node!();
    assert_eq!(says(leaving(&node, "http2")), json!({ "code": 0, "status": 200 }));
}

#[test]
fn what_the_command_added_is_not_passed_on_and_a_signal_without_a_listener_keeps_its_effect() {
    let node = require_node!();
    let own = format!(" --require \"{}\"", module().display());
    let options = |before: &str| {
        let program = node.fixture("registered.js").arg("traces");
        let program = program.env("NODE_OPTIONS", format!("{before}{own}"));
        says(program.env("PORTCREW_REGISTER", &own))
    };
    assert_eq!(options(""), json!({ "listeners": 0, "child": [null, null] }));
    let before = "--stack-trace-limit=7";
    assert_eq!(options(before), json!({ "listeners": 0, "child": [before, null] }));
}
