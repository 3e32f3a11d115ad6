//! The stand-alone examples against real Node: a Rust child of a Node parent, and the reverse.
//!
//! Without Node these tests say that they are skipped; with `PORTCREW_REQUIRE_NODE=1` they fail.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use portcrew_ipc::spawn::{SpawnSpec, resolve_program};

use crate::children::{Outcome, example, run};
use crate::common::skipped;

/// Where Node is, or a word on why the test does nothing.
fn node() -> Option<PathBuf> {
    let path = std::env::var_os("PATH");
    match resolve_program("node".as_ref(), path.as_deref(), Path::new("/")) {
        Ok(node) => Some(node),
        Err(error) => {
            let required = std::env::var_os("PORTCREW_REQUIRE_NODE").is_some_and(|is| is == "1");
            assert!(!required, "PORTCREW_REQUIRE_NODE=1, and {error}");
            skipped("node not found");
            None
        }
    }
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(name)
}

/// Runs a parent, which has no channel of its own, and gives its words.
async fn run_parent(program: PathBuf, args: Vec<OsString>) -> (Outcome, Vec<String>) {
    let spec = SpawnSpec::new(program).args(args).env(std::env::vars_os()).channel(false);
    let outcome = run(spec).await;
    assert!(outcome.status.success(), "{outcome:?}");
    let lines = outcome.stdout.lines().map(str::to_owned).collect();
    (outcome, lines)
}

/// The number after `"from":` in a line.
fn pid_in(line: &str) -> u32 {
    let digits = line.split("\"from\":").nth(1).unwrap();
    digits.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_rust_child_of_a_node_fork_talks_and_serves_a_passed_connection() {
    let Some(node) = node() else { return };
    let args = vec![script("node_parent.js").into(), example("rust_child").into()];
    let (outcome, lines) = run_parent(node, args).await;
    let pid = pid_in(&lines[0]);
    assert_ne!(pid, outcome.pid);
    let hello = r#"parent: the child said {"from":PID,"got":{"hello":"Rust"},"hello":"parent"}"#;
    assert_eq!(lines[0], hello.replace("PID", &pid.to_string()));
    // The word of the child and the bytes of its connection go different ways, in any order.
    let mut middle = lines[1..3].to_vec();
    middle.sort();
    let read = format!("parent: the client read \"ping pong from Rust child {pid}\"");
    assert_eq!(middle, [r#"parent: the child said {"served":true}"#.to_owned(), read]);
    assert_eq!(lines[3..], ["parent: the child ended with 0"]);
}

#[tokio::test]
async fn a_node_child_of_a_rust_parent_talks_and_serves_a_passed_connection() {
    if node().is_none() {
        return;
    }
    let args = vec![script("node_child.js").into()];
    let (outcome, lines) = run_parent(example("rust_parent"), args).await;
    let pid = pid_in(&lines[0]);
    assert_ne!(pid, outcome.pid);
    let hello = r#"parent: the child said {"from":PID,"got":{"hello":"Node"},"hello":"parent"}"#;
    assert_eq!(lines[0], hello.replace("PID", &pid.to_string()));
    let read = format!("parent: the client read \"ping pong from Node child {pid}\"");
    let rest = [read.as_str(), "child: disconnected", "parent: the child ended with Some(0)"];
    assert_eq!(lines[1..], rest);
}

#[tokio::test]
async fn a_rust_child_without_a_parent_says_what_it_is_for() {
    let spec = SpawnSpec::new(example("rust_child")).channel(false);
    let outcome = run(spec).await;
    assert_eq!(outcome.status.code(), Some(1));
    assert!(outcome.stderr.contains("started by a parent"), "{outcome:?}");
}
