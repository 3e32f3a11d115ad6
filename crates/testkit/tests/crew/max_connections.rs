//! Workers that refuse connections: Node's `maxConnections`. Nobody offers in a busy loop, and nothing is lost while
//! somebody has room.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use portcrew_testkit::node::{Node, Version};
use portcrew_testkit::process::eventually;
use portcrew_testkit::require_node;
use serde_json::{Value, json};

use crate::forms::{Pair, loopback, node_under_us, port};
use crate::stage::skip;
use crate::support::HANG;

/// The first Node whose workers know `dropMaxConnection`, and that 0 connections are a number too.
const KNOWS_DROP: Version = Version { major: 22, minor: 12, patch: 0 };

/// How often one connection may be refused before it is closed: `Limits::refusals`.
const REFUSALS: u64 = 64;

/// How long a worker that refused one gets no other: `Limits::refusal_rest`.
const REST: Duration = Duration::from_millis(50);

/// Workers that take this many connections each.
fn limited(node: &Node, limits: &[u64], on: &str, drop: bool) -> (Pair, Vec<Value>) {
    let mut pair = Pair::of_node(node_under_us(node), limits.len());
    let mut said = Vec::new();
    for (worker, limit) in (1..).zip(limits) {
        let options = json!({ "max": limit, "drop": drop });
        said.push(pair.listen(worker, "it", on, &options));
    }
    (pair, said)
}

fn two_full_workers(node: &Node) -> (Pair, SocketAddr, Vec<TcpStream>) {
    let (mut pair, said) = limited(node, &[1, 1], "127.0.0.1:0", false);
    let at = loopback(port(&said[0]));
    let mut held = Vec::new();
    for taken in 1..=2 {
        held.push(TcpStream::connect(at).unwrap());
        eventually("it is taken", HANG, || (pair.crew.snapshot()["taken"] == taken).then_some(()));
    }
    (pair, at, held)
}

fn client(at: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(at).unwrap();
    client.set_read_timeout(Some(HANG)).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    client
}

/// What the server sent before it closed.
fn answer(mut client: TcpStream) -> String {
    let mut text = Vec::new();
    // A reset is an end too.
    let _ = client.read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

fn offered_again(pair: &mut Pair) -> u64 {
    pair.crew.snapshot()["offered_again"].as_u64().unwrap()
}

#[test]
fn when_everybody_refuses_each_rests_in_between_and_the_connection_is_closed_and_counted() {
    let node = require_node!();
    let (mut pair, at, _held) = two_full_workers(&node);
    let began = Instant::now();
    assert_eq!(answer(client(at)), "");
    let took = began.elapsed();
    let counts = eventually("it is counted", HANG, || {
        let snapshot = pair.crew.snapshot();
        (snapshot["closed"]["all_refused"] == 1).then_some(snapshot)
    });
    assert_eq!(counts["offered_again"], REFUSALS);
    // Two workers, each offered no more than one per rest. It may well have taken longer.
    let most = 2 * (1 + took.as_millis() / REST.as_millis());
    println!("{} offers in {took:?}; no more than {most} were possible", REFUSALS + 1);
    assert!(u128::from(REFUSALS) < most, "that is faster than anybody rests");
}

#[test]
fn a_connection_that_everybody_refuses_is_served_when_somebody_has_room_again() {
    let node = require_node!();
    let (mut pair, at, mut held) = two_full_workers(&node);
    let waiting = client(at);
    let refused = || (offered_again(&mut pair) >= 4).then_some(());
    eventually("it was refused by everybody", HANG, refused);
    held.pop();
    let answer = answer(waiting);
    assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer:?}");
    assert_eq!(pair.crew.snapshot()["closed"]["all_refused"], 0);
}

#[test]
fn ten_connections_find_the_workers_that_have_room_for_them() {
    let node = require_node!();
    if node.version() < KNOWS_DROP {
        return skip("to this Node's workers a maxConnections of 0 is none").unwrap_or_default();
    }
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("s");
    let on = format!("unix:{}", path.display());
    let (mut pair, _) = limited(&node, &[0, 1, 9], &on, false);
    let _held: Vec<_> = (0..10).map(|_| UnixStream::connect(&path).unwrap()).collect();
    let taken = eventually("all are taken", HANG, || {
        let snapshot = pair.crew.snapshot();
        (snapshot["taken"] == 10).then(|| snapshot["workers"].clone())
    });
    let taken: Vec<_> = taken.as_array().unwrap().iter().map(|it| it["taken"].clone()).collect();
    assert_eq!(taken, [0, 1, 9]);
}

#[test]
fn a_worker_that_drops_what_is_too_much_has_taken_it() {
    let node = require_node!();
    if node.version() < KNOWS_DROP {
        return skip("this Node does not know dropMaxConnection").unwrap_or_default();
    }
    let (mut pair, said) = limited(&node, &[0], "127.0.0.1:0", true);
    assert_eq!(answer(client(loopback(port(&said[0])))), "");
    assert_eq!(pair.crew.message(1), json!({ "dropped": "it" }));
    let snapshot = pair.crew.snapshot();
    assert_eq!((&snapshot["taken"], &snapshot["offered_again"]), (&json!(1), &json!(0)));
}
