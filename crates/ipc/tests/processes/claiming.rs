//! What a child takes over, what it refuses, and what its own children see.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::children::{example, inherited, run};

/// The report of a process with exactly this environment, and `stdin` as its descriptor 0.
fn claim_with(env: &[(&str, &str)], stdin: impl Into<Stdio>) -> Value {
    let mut command = Command::new(example("inherited"));
    let output = command.env_clear().envs(env.iter().copied()).stdin(stdin).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    serde_json::from_slice(&output.stdout).unwrap()
}

fn error(env: &[(&str, &str)], stdin: impl Into<Stdio>) -> String {
    let report = claim_with(env, stdin);
    assert_eq!(report["environment"], json!({}), "the variables stay after a refused claim");
    report["claim"]["error"].as_str().unwrap_or_else(|| panic!("no error: {report}")).to_owned()
}

fn unix_stream() -> OwnedFd {
    UnixStream::pair().unwrap().0.into()
}

#[tokio::test]
async fn a_worker_takes_its_id_the_channel_and_the_lane_and_clears_the_environment() {
    let report = run(inherited(&[]).worker_id(4_000_000_000).lane(true)).await.report();
    assert_eq!(report["claim"], json!({"worker_id": 4_000_000_000_u32, "lane": true}));
    assert_eq!(report["environment"], json!({}));
}

#[tokio::test]
async fn a_plain_fork_has_a_channel_and_no_id() {
    let report = run(inherited(&[])).await.report();
    assert_eq!(report["claim"], json!({"worker_id": null, "lane": false}));
}

#[tokio::test]
async fn a_grandchild_sees_neither_the_channel_nor_the_variables() {
    let spec = inherited(&[]).worker_id(1).lane(true).args(["grandchild"]);
    let report = run(spec).await.report();
    assert_eq!(report["claim"], json!("none"));
    assert_eq!(report["environment"], json!({}));
    assert_eq!(report["descriptors"], json!([0, 1, 2]));
}

#[test]
fn the_grace_is_taken_and_one_that_is_no_number_refuses_nothing() {
    for grace in ["10000", "soon", "340282366920938463463"] {
        let env = [("NODE_CHANNEL_FD", "0"), ("PORTCREW_GRACE_MS", grace)];
        let report = claim_with(&env, unix_stream());
        assert_eq!(report["claim"], json!({"worker_id": null, "lane": false}), "{grace}");
        assert_eq!(report["environment"], json!({}), "{grace}");
    }
}

#[test]
fn an_id_without_a_channel_makes_no_worker_and_is_removed() {
    let report = claim_with(&[("NODE_UNIQUE_ID", "3"), ("KEPT", "1")], Stdio::null());
    assert_eq!(report["claim"], json!("none"));
    assert_eq!(report["environment"], json!({"KEPT": "1"}));
}

#[test]
fn an_empty_id_counts_as_none() {
    let env = [("NODE_CHANNEL_FD", "0"), ("NODE_UNIQUE_ID", "")];
    let report = claim_with(&env, unix_stream());
    assert_eq!(report["claim"], json!({"worker_id": null, "lane": false}));
}

#[test]
fn a_channel_on_standard_input_moves_away_and_leaves_dev_null() {
    let report = claim_with(&[("NODE_CHANNEL_FD", "0")], unix_stream());
    assert_eq!(report["claim"], json!({"worker_id": null, "lane": false}));
}

#[test]
fn advanced_serialization_is_refused_by_the_name_of_its_variable() {
    let env = [
        ("NODE_CHANNEL_FD", "0"),
        ("NODE_CHANNEL_SERIALIZATION_MODE", "advanced"),
        ("NODE_UNIQUE_ID", "1"),
    ];
    let message = error(&env, unix_stream());
    assert!(message.contains("NODE_CHANNEL_SERIALIZATION_MODE is \"advanced\""), "{message}");
}

#[test]
fn an_old_parent_that_names_no_mode_means_json() {
    let env = [("NODE_CHANNEL_FD", "0"), ("NODE_UNIQUE_ID", "1")];
    let report = claim_with(&env, unix_stream());
    assert_eq!(report["claim"]["worker_id"], json!(1));
}

#[test]
fn a_descriptor_that_is_no_channel_is_refused_with_what_it_is() {
    let channel = |fd| [("NODE_CHANNEL_FD", fd), ("NODE_UNIQUE_ID", "1")];
    assert!(error(&channel("99"), Stdio::null()).contains("descriptor 99, which is not open"));
    assert!(error(&channel("0"), Stdio::null()).contains("0, which is not a Unix socket"));
    let tcp: OwnedFd = std::net::TcpListener::bind("127.0.0.1:0").unwrap().into();
    assert!(error(&channel("0"), tcp).contains("0, which is not a Unix socket"));
    let datagram: OwnedFd = std::os::unix::net::UnixDatagram::unbound().unwrap().into();
    assert!(error(&channel("0"), datagram).contains("a Unix socket of another type"));
}

#[test]
fn what_is_no_number_is_refused_by_the_name_of_its_variable() {
    for number in ["", "-1", "+3", "three", "3 ", "99999999999999999999"] {
        let message = error(&[("NODE_CHANNEL_FD", number)], Stdio::null());
        assert!(message.starts_with("NODE_CHANNEL_FD is"), "{message}");
        if !number.is_empty() {
            let env = [("NODE_CHANNEL_FD", "0"), ("NODE_UNIQUE_ID", number)];
            let message = error(&env, unix_stream());
            assert!(message.starts_with("NODE_UNIQUE_ID is"), "{message}");
        }
    }
}

#[test]
fn one_descriptor_cannot_be_channel_and_lane() {
    let env = [("NODE_CHANNEL_FD", "0"), ("PORTCREW_LANE_FD", "0")];
    assert!(error(&env, unix_stream()).contains("PORTCREW_LANE_FD names descriptor 0"));
}

#[tokio::test]
async fn a_second_claim_is_refused() {
    let report = run(inherited(&[]).worker_id(1).args(["twice"])).await.report();
    assert_eq!(report["first"], json!({"worker_id": 1, "lane": false}));
    let message = report["second"]["error"].as_str().unwrap();
    assert!(message.contains("claimed before"), "{message}");
}

#[tokio::test]
async fn a_claim_beside_another_thread_is_refused_with_or_without_a_channel() {
    for channel in [true, false] {
        let spec = inherited(&[]).channel(channel).args(["thread"]);
        let report = run(spec).await.report();
        let message = report["claim"]["error"].as_str().unwrap();
        assert!(message.contains("2 threads run already"), "{message}");
    }
}
