//! How many connections wait, in the primary and in the kernel, and how many have.

use std::net::TcpStream;

use portcrew_testkit::process::{Signal, eventually};
use serde_json::Value;

use crate::crew::HANG;
use crate::home::Home;

/// What the primary holds at most for one listener.
const HELD: u64 = 256;

/// More than a worker is offered at once and the primary holds, and fewer than the backlog besides.
const CLIENTS: u64 = 320;

#[test]
fn what_waits_behind_a_worker_that_stands_still_is_seen_and_remembered() {
    let home = Home::new();
    let crew = home.crew("api", "1");
    let address = crew.address();
    let listener = || home.api("api", "GET", "/v1/status", "").1["listeners"][0].clone();
    let worker = *crew.pids().first().unwrap();
    crew.process.signal_descendant(worker, Signal::Stop).unwrap();
    let clients: Vec<_> = (0..CLIENTS).map(|_| TcpStream::connect(address).unwrap()).collect();
    let number = |it: &Value, path: &str| it.pointer(path).and_then(Value::as_u64).unwrap();
    let full = eventually("a full queue", HANG, || {
        Some(listener()).filter(|it| number(it, "/held") == HELD)
    });
    assert_eq!(number(&full, "/deepest"), HELD);
    let unaccepted = number(&full, "/accept_queue/waiting");
    // The others are offered: few, since a worker that is slow gets one at a time.
    assert!((CLIENTS - HELD - 16..CLIENTS - HELD).contains(&unaccepted), "{full}");
    assert!(number(&full, "/accept_queue/deepest") >= unaccepted, "{full}");
    assert_eq!(number(&full, "/accept_queue/dropped"), 0);
    crew.process.signal_descendant(worker, Signal::Cont).unwrap();
    drop(clients);
    let empty = eventually("empty queues", HANG, || {
        let are_empty =
            |it: &Value| ["/held", "/accept_queue/waiting"].map(|at| number(it, at)) == [0, 0];
        Some(listener()).filter(are_empty)
    });
    assert_eq!(number(&empty, "/deepest"), HELD);
    assert!(number(&empty, "/accept_queue/deepest") >= unaccepted, "{empty}");
}
