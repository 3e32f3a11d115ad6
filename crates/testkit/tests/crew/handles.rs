//! Sockets travel with messages in both directions, and serve where they arrive.

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};

use portcrew_testkit::node::fixture;
use portcrew_testkit::process::proc_fs;
use portcrew_testkit::require_node;
use serde_json::{Value, json};

use crate::support::{Crew, HANG, SERVER, primary, used};

const KINDS: [(&str, &str); 3] =
    [("listener", "TcpListener"), ("stream", "TcpStream"), ("udp", "UdpSocket")];

/// Who answers a client there.
fn answer(kind: &str, address: SocketAddr) -> String {
    if kind == "udp" {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        socket.set_read_timeout(Some(HANG)).unwrap();
        socket.send_to(b"?", address).unwrap();
        let mut answer = [0; 64];
        let (count, _) = socket.recv_from(&mut answer).unwrap();
        return String::from_utf8_lossy(&answer[..count]).into_owned();
    }
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(HANG)).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn address(value: &Value) -> SocketAddr {
    value.as_str().unwrap().parse().unwrap()
}

#[test]
fn a_worker_serves_by_a_socket_that_the_primary_sent() {
    let mut crew = Crew::start(primary(SERVER));
    crew.fork(1);
    let before = proc_fs::fd_count(crew.pid()).unwrap();
    for (kind, name) in KINDS {
        crew.tell(&format!("give 1 {kind}"));
        let place = address(&crew.next("given")["address"]);
        assert_eq!(answer(kind, place), "worker 1", "{kind}");
        assert_eq!(crew.message(1), used(name));
    }
    // The primary's copies are closed.
    crew.assert_fds(before);
}

#[test]
fn the_primary_serves_by_a_socket_that_a_worker_sent() {
    let mut crew = Crew::start(primary(SERVER));
    crew.fork(1);
    let before = proc_fs::fd_count(crew.pid()).unwrap();
    for (kind, name) in KINDS {
        crew.tell(&format!(r#"send 1 {{"op":"give","kind":"{kind}"}}"#));
        let place = address(&crew.message(1)["given"]);
        assert_eq!(answer(kind, place), "primary", "{kind}");
        let event = crew.next("message");
        assert_eq!((&event["message"], &event["handle"]), (&json!("here"), &json!(name)));
    }
    crew.assert_fds(before);
}

#[test]
fn javascript_serves_by_a_socket_that_the_primary_sent() {
    let node = require_node!();
    let mut crew = Crew::start(primary(node.path()).arg(fixture("talk.js")));
    crew.fork(1);
    for (kind, name) in [("listener", "Server"), ("stream", "Socket"), ("udp", "Socket")] {
        crew.tell(&format!("give 1 {kind}"));
        let place = address(&crew.next("given")["address"]);
        assert_eq!(answer(kind, place), "node", "{kind}");
        assert_eq!(crew.message(1), json!({ "echo": "given", "handle": name }));
    }
}

#[test]
fn the_worker_of_a_node_primary_serves_by_what_node_sent() {
    let node = require_node!();
    let program = node.fixture("node_primary.js").arg(SERVER).env("WORKERS", "1").stdin_pipe();
    let mut crew = Crew::start(program);
    crew.next("listening");
    for (command, name) in [("send-server", "TcpListener"), ("send-socket", "TcpStream")] {
        crew.tell(&format!("{command} 1 {{}}"));
        let place = crate::support::address(&crew.next("server"));
        if command == "send-server" {
            // Node has closed its own copy: nobody else accepts.
            assert_eq!(crew.next("message")["message"], used(name));
            assert_eq!(answer("stream", place), "worker 1");
        } else {
            assert_eq!(answer("stream", place), "worker 1");
            assert_eq!(crew.next("message")["message"], used(name));
        }
    }
}
