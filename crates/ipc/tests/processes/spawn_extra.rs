//! Descriptors beyond the three standard ones, by the numbers that the caller chose.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use portcrew_ipc::spawn::{Extra, LAST_EXTRA_FD, SpawnErrorKind, SpawnSpec, spawn};
use serde_json::json;

use crate::children::{example, finish, inherited, run, shell};
use crate::common::DEADLINE;

#[tokio::test]
async fn channel_and_lane_take_the_numbers_that_are_left() {
    let spec = inherited(&[]).lane(true).worker_id(1);
    let spec = spec.extra(3, Extra::Null).extra(5, Extra::Socket).extra(9, Extra::Null);
    let report = run(spec.clone()).await.report();
    assert_eq!(report["descriptors"], json!([0, 1, 2, 3, 4, 5, 6, 9]));
    assert_eq!(report["claim"], json!({"worker_id": 1, "lane": true}));
    // The exec helper gives its program neither more nor less.
    let report = run(spec.cwd("/").helper(example("inherited"))).await.report();
    assert_eq!(report["descriptors"], json!([0, 1, 2, 3, 4, 5, 6, 9]));
    assert_eq!(report["claim"], json!({"worker_id": 1, "lane": true}));
}

#[tokio::test]
async fn an_extra_socket_carries_bytes_both_ways() {
    let spec = shell("read line <&4; echo \"got $line\" >&4").extra(4, Extra::Socket);
    let mut spawned = spawn(&spec).unwrap();
    let mut socket = UnixStream::from(spawned.extra.remove(&4).unwrap());
    socket.set_nonblocking(false).unwrap();
    socket.set_read_timeout(Some(DEADLINE)).unwrap();
    socket.write_all(b"this\n").unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert_eq!(answer, "got this\n");
    assert!(finish(spawned).await.status.success());
}

#[tokio::test]
async fn a_given_descriptor_is_shared_and_stays_ours() {
    let mut file = tempfile::tempfile().unwrap();
    let given = Arc::new(file.try_clone().unwrap().into());
    let spec = shell("echo $0 >&7").extra(7, Extra::Given(Arc::clone(&given)));
    for _ in 0..2 {
        assert!(run(spec.clone()).await.status.success());
    }
    let mut text = String::new();
    std::io::Seek::rewind(&mut file).unwrap();
    file.read_to_string(&mut text).unwrap();
    assert_eq!(text, "/bin/sh\n/bin/sh\n", "both wrote at the one position that they share");
}

#[test]
fn numbers_that_cannot_be_are_refused_with_the_reason() {
    for (number, listeners) in [(2, 0), (-1, 0), (LAST_EXTRA_FD + 1, 0), (3, 1)] {
        let mut spec: SpawnSpec = shell("true").extra(number, Extra::Null);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        spec.listeners = [Arc::new(listener.into())].into_iter().take(listeners).collect();
        let error = spawn(&spec).unwrap_err();
        assert_eq!(error.kind(), SpawnErrorKind::BadSpec);
        let reason = if listeners == 0 { "from 3 to 255" } else { "listening sockets" };
        assert!(error.to_string().contains(reason), "{number}: {error}");
    }
}
