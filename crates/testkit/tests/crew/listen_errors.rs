//! Why a worker gets no listener: Node's workers hear it as under Node's own primary, ours with everything that Node
//! says.

use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;

use portcrew_testkit::node::Node;
use portcrew_testkit::require_node;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::forms::{LISTENER, Pair, node_alone, node_under_us, rust, rust_under_node};
use crate::stage::{NOBODY, Stage, skip};
use crate::support::PRIMARY;

/// A port below those that everybody may use; Node's own test uses the same.
pub(crate) const LOW: u16 = 42;

/// What is taken, missing or wrong, while it lives.
struct Obstacles {
    directory: TempDir,
    port: TcpListener,
    _path: UnixListener,
}

impl Obstacles {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("file"), "precious").unwrap();
        Self {
            port: TcpListener::bind("127.0.0.1:0").unwrap(),
            _path: UnixListener::bind(directory.path().join("taken")).unwrap(),
            directory,
        }
    }

    /// Where nobody can listen, and Node's code for it.
    fn cases(&self) -> Vec<(String, &'static str)> {
        let port = self.port.local_addr().unwrap().port();
        let path = |name: &str| format!("unix:{}", self.directory.path().join(name).display());
        vec![
            (format!("127.0.0.1:{port}"), "EADDRINUSE"),
            (format!(":{port}"), "EADDRINUSE"),
            ("192.0.2.1:0".into(), "EADDRNOTAVAIL"),
            ("[fe80::1%nowhere]:0".into(), "EINVAL"),
            ("fd:999".into(), "EINVAL"),
            (path("taken"), "EADDRINUSE"),
            (path("file"), "EADDRINUSE"),
            (path("missing/socket"), "EACCES"),
            (path("file/socket"), "ENOTDIR"),
        ]
    }
}

/// What each of the cases comes to.
fn outcomes(mut pair: Pair, obstacles: &Obstacles) -> Vec<Value> {
    let cases = obstacles.cases();
    let listen = |(on, code): &(String, &str)| {
        let said = pair.listen(1, "it", on, &json!({}));
        assert_eq!(said["code"], *code, "{on}: {said}");
        said
    };
    cases.iter().map(listen).collect()
}

#[test]
fn node_workers_hear_every_error_as_under_nodes_own_primary() {
    let node = require_node!();
    let obstacles = Obstacles::new();
    for policy in ["rr", "none"] {
        let theirs = node_alone(&node).env("POLICY", policy);
        let ours = node_under_us(&node).env("NODE_CLUSTER_SCHED_POLICY", policy);
        let expected = outcomes(Pair::of_node(theirs, 1), &obstacles);
        let heard = outcomes(Pair::of_node(ours, 1), &obstacles);
        assert_eq!(heard, expected, "{policy}");
    }
}

#[test]
fn our_workers_read_from_the_error_what_node_says() {
    let obstacles = Obstacles::new();
    let mut pairs = vec![("ours", Pair::of_rust(rust(), 1))];
    if let Some(node) = Node::find_or_skip() {
        pairs.push(("node's", Pair::of_rust(rust_under_node(&node), 1)));
    }
    let port = obstacles.port.local_addr().unwrap().port();
    for (whose, pair) in pairs {
        let said = outcomes(pair, &obstacles);
        let (taken, bad_fd, missing) = (&said[0], &said[4], &said[7]);
        assert_eq!(
            without_text(taken),
            json!({ "refused": "it", "code": "EADDRINUSE", "errno": 98, "syscall": "bind",
                "address": "127.0.0.1", "port": port }),
            "{whose}"
        );
        assert_eq!((&bad_fd["address"], &bad_fd["port"]), (&Value::Null, &Value::Null), "{whose}");
        let path = missing["address"].as_str().unwrap();
        assert!(path.ends_with("/missing/socket"), "{whose}: {missing}");
        for (said, next) in
            [(taken, "ss -ltnp"), (bad_fd, "the primary has open"), (missing, "directory")]
        {
            let text = said["text"].as_str().unwrap();
            assert!(text.contains(next), "{whose}: {text}");
        }
    }
}

fn without_text(said: &Value) -> Value {
    let mut said = said.clone();
    said.as_object_mut().unwrap().remove("text");
    said
}

#[test]
fn our_primary_tells_its_user_why_a_worker_cannot_listen() {
    let mut pair = Pair::of_rust(rust(), 1);
    pair.listen(1, "it", "fd:999", &json!({}));
    let told = pair.crew.next("listen-failed");
    assert_eq!(
        (&told["worker"], &told["errno"], &told["fd"]),
        (&json!(1), &json!(22), &json!(999))
    );
}

#[test]
fn a_question_that_makes_no_sense_is_told_to_the_user_too() {
    let node = require_node!();
    let mut pair = Pair::of_node(node_under_us(&node), 1);
    let question = json!({
        "cmd": "NODE_CLUSTER", "act": "queryServer", "seq": 99, "index": 0, "data": null,
        "address": "127.0.0.1", "port": 70_000, "addressType": 4,
    });
    pair.say(1, &json!({ "op": "raw", "message": question }));
    let told = pair.crew.next("listen-failed");
    assert_eq!((&told["worker"], &told["errno"]), (&json!(1), &json!(22)));
    assert_eq!((&told["address"], &told["port"]), (&json!("127.0.0.1"), &Value::Null));
    assert!(pair.listens(1, "127.0.0.1:0") > 0, "it can still have what makes sense");
}

#[test]
fn a_descriptor_that_is_open_and_no_listener_is_einval() {
    let mut pair = Pair::of_rust(rust(), 1);
    for what in ["udp", "file"] {
        pair.crew.tell(&format!("hold {what}"));
        let fd = pair.crew.next("held")["fd"].as_i64().unwrap();
        let said = pair.listen(1, "it", &format!("fd:{fd}"), &json!({}));
        assert_eq!(said["code"], "EINVAL", "{what}: {said}");
    }
}

#[test]
fn a_path_that_is_too_long_both_ways_is_named_as_such() {
    let directory = tempfile::tempdir().unwrap();
    let on = format!("unix:{}", directory.path().join("x".repeat(150)).display());
    let mut pairs = vec![Pair::of_rust(rust(), 1)];
    if let Some(node) = Node::find_or_skip() {
        pairs.push(Pair::of_node(node_under_us(&node), 1));
    }
    for mut pair in pairs {
        let said = pair.listen(1, "it", &on, &json!({}));
        assert_eq!((&said["code"], &said["syscall"]), (&json!("ENAMETOOLONG"), &json!("bind")));
    }
}

#[test]
fn a_low_port_is_denied_to_another_user_and_its_workers_hear_why() {
    let Some((stage, primary, listener)) = stage() else { return };
    let mut pair = Pair::of_rust(stage.run_as(NOBODY, &[&primary, &listener]), 1);
    let said = pair.listen(1, "it", &format!("127.0.0.1:{LOW}"), &json!({}));
    assert_eq!(
        without_text(&said),
        json!({ "refused": "it", "code": "EACCES", "errno": 13, "syscall": "bind",
            "address": "127.0.0.1", "port": LOW })
    );
    assert!(said["text"].as_str().unwrap().contains("CAP_NET_BIND_SERVICE"), "{said}");
    let node = require_node!();
    let script = stage.copy(portcrew_testkit::node::fixture("listener.js"));
    for policy in ["rr", "none"] {
        let program = stage.run_as(NOBODY, &[&primary, node.path(), &script]);
        let mut pair = Pair::of_node(program.env("NODE_CLUSTER_SCHED_POLICY", policy), 1);
        let said = pair.listen(1, "it", &format!("127.0.0.1:{LOW}"), &json!({}));
        assert_eq!(
            said,
            json!({ "refused": "it", "code": "EACCES", "errno": -13, "syscall": "bind",
                "address": "127.0.0.1", "port": LOW }),
            "{policy}"
        );
    }
}

/// The primary and the worker, where another user can be played and may not use low ports.
fn stage() -> Option<(Stage, PathBuf, PathBuf)> {
    if everybody_may_use_low_ports() {
        return skip("everybody may use low ports");
    }
    let stage = Stage::set()?;
    let primary = stage.copy(PRIMARY);
    let listener = stage.copy(LISTENER);
    Some((stage, primary, listener))
}

/// In this network namespace.
pub(crate) fn everybody_may_use_low_ports() -> bool {
    let first = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start");
    first.is_ok_and(|it| it.trim().parse::<u16>().is_ok_and(|first| first <= LOW))
}
