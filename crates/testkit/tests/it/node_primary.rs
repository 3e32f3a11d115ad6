//! `node_primary.js`: Node's own primary with workers of any kind, driven line by line.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use portcrew_testkit::http::Load;
use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::process::{Mark, Process, Program};
use portcrew_testkit::require_node;
use serde_json::{Value, json};

use crate::server::HANG;

fn primary(node: &Node, script: &str) -> Program {
    node.fixture("node_primary.js").arg(node.path()).arg(fixture(script)).stdin_pipe()
}

/// The next event of that kind, and the place behind it.
fn event(process: &Process, from: Mark, kind: &str) -> (Value, Mark) {
    let parse = |line: &str| {
        serde_json::from_str::<Value>(line).ok().filter(|value| value["event"] == kind)
    };
    let line = process.wait_line_after(from, |line| parse(line).is_some(), HANG);
    (parse(&line.text).unwrap(), line.mark)
}

fn address(listening: &Value) -> SocketAddr {
    (Ipv4Addr::LOCALHOST, u16::try_from(listening["port"].as_u64().unwrap()).unwrap()).into()
}

#[test]
fn node_workers_share_one_port_in_turn() {
    let node = require_node!();
    let process = primary(&node, "hello.js").env("WORKERS", "2").start();
    let (ready, mark) = event(&process, Mark::default(), "ready");
    assert_eq!((&ready["policy"], &ready["pid"]), (&json!("rr"), &json!(process.pid())));
    let (_, mark) = event(&process, mark, "listening");
    let (listening, _) = event(&process, mark, "listening");
    let report = Load::new(address(&listening)).requests(100).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker, [("1".to_owned(), 50), ("2".to_owned(), 50)].into());
}

#[test]
fn the_other_policy_serves_too_and_an_unknown_one_is_refused() {
    let node = require_node!();
    let process = primary(&node, "hello.js").env("WORKERS", "1").env("POLICY", "none").start();
    let (listening, _) = event(&process, Mark::default(), "listening");
    Load::new(address(&listening)).requests(20).run().assert_all_ok();
    let mut wrong = primary(&node, "hello.js").env("POLICY", "magic").start();
    assert_eq!(wrong.wait_exit(HANG).code(), Some(64));
}

#[test]
fn a_planned_end_is_told_apart_from_a_kill() {
    let node = require_node!();
    let mut process = primary(&node, "hello.js").start();
    process.write_line("fork 2 COLOUR=blue");
    let (_, mark) = event(&process, Mark::default(), "listening");
    let (_, mark) = event(&process, mark, "listening");
    process.write_line("disconnect 1");
    let (exit, mark) = event(&process, mark, "exit");
    assert_eq!(
        (&exit["id"], &exit["code"], &exit["exitedAfterDisconnect"]),
        (&json!(1), &json!(0), &json!(true))
    );
    process.write_line("kill 2 SIGKILL");
    let (exit, mark) = event(&process, mark, "exit");
    assert_eq!((&exit["id"], &exit["signal"]), (&json!(2), &json!("SIGKILL")));
    assert_eq!(exit["exitedAfterDisconnect"], json!(false));
    process.write_line("state");
    assert_eq!(event(&process, mark, "state").0["workers"], json!([]));
    process.write_line("quit");
    assert!(process.wait_exit(HANG).success());
}

#[test]
fn messages_go_both_ways_with_and_without_a_handle() {
    let node = require_node!();
    let script = tempfile::NamedTempFile::with_suffix(".js").unwrap();
    let echo = "process.on('message', (m, h) => process.send({ got: m, kind: h?.constructor.name ?? null }, h));";
    std::fs::write(script.path(), echo).unwrap();
    let program = node.fixture("node_primary.js").arg(node.path()).arg(script.path()).stdin_pipe();
    let mut process = program.env("WORKERS", "1").start();
    let (_, mark) = event(&process, Mark::default(), "online");
    process.write_line("send 1 {\"text\": \"two words\"}");
    let (message, mark) = event(&process, mark, "message");
    assert_eq!(message["message"], json!({ "got": { "text": "two words" }, "kind": null }));
    process.write_line("send-server 1 {\"n\":1}");
    let (message, mark) = event(&process, mark, "message");
    assert_eq!(
        (&message["message"]["kind"], &message["handle"]),
        (&json!("Server"), &json!("Server"))
    );
    process.write_line("send-socket 1 {\"n\":2}");
    let (server, mark) = event(&process, mark, "server");
    let client = TcpStream::connect(address(&server)).unwrap();
    let (message, _) = event(&process, mark, "message");
    assert_eq!(
        (&message["message"]["kind"], &message["handle"]),
        (&json!("Socket"), &json!("Socket"))
    );
    drop(client);
}

#[test]
fn a_worker_may_be_any_executable() {
    let node = require_node!();
    let program = node.fixture("node_primary.js").args(["/bin/sh", "-c"]).stdin_pipe();
    let script = "echo id $NODE_UNIQUE_ID channel $NODE_CHANNEL_FD";
    let process = program.arg(script).env("WORKERS", "1").start();
    let (exit, _) = event(&process, Mark::default(), "exit");
    assert_eq!((&exit["id"], &exit["code"]), (&json!(1), &json!(0)));
    process.wait_line(|line| line == "id 1 channel 3", HANG);
}

#[test]
fn a_wrong_command_or_executable_is_an_error_and_not_the_end() {
    let node = require_node!();
    let mut process = node.fixture("node_primary.js").arg("/nonexistent").stdin_pipe().start();
    process.write_line("dance");
    let (error, mark) = event(&process, Mark::default(), "error");
    assert_eq!(
        (&error["command"], &error["message"]),
        (&json!("dance"), &json!("no such command"))
    );
    process.write_line("kill 7 SIGKILL");
    let (error, mark) = event(&process, mark, "error");
    assert_eq!(error["message"], json!("no worker 7"));
    process.write_line("fork");
    let (error, _) = event(&process, mark, "error");
    assert_eq!(error["code"], json!("ENOENT"));
    process.close_stdin();
    assert!(process.wait_exit(HANG).success());
}
