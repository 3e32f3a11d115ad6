//! What a worker is given and what it passes on; roles; crews in crews.

use portcrew_testkit::process::Program;
use portcrew_testkit::require_node;
use serde_json::{Value, json};

use crate::support::{Crew, HANG, ROLE, primary};

/// None of these may reach a grandchild.
const CONTRACT: [&str; 6] = [
    "NODE_CHANNEL_FD",
    "NODE_UNIQUE_ID",
    "NODE_CHANNEL_SERIALIZATION_MODE",
    "PORTCREW_LANE_FD",
    "PORTCREW_EXEC",
    "PORTCREW_GRACE_MS",
];

fn numbers(fds: &Value) -> Vec<u64> {
    fds.as_array().unwrap().iter().map(|fd| fd["fd"].as_u64().unwrap()).collect()
}

/// A worker of ours has its standard descriptors, channel and lane, of which its own children get none.
fn assert_exact(report: &Value) {
    let fds = report["fds"].as_array().unwrap();
    assert_eq!(fds.len(), 5, "{report:#}");
    assert!(
        fds[3..].iter().all(|fd| fd["is"].as_str().unwrap().starts_with("socket:")),
        "{report:#}"
    );
    assert_clean(report);
}

/// Whatever it has above the standard ones, its children get nothing of it.
fn assert_clean(report: &Value) {
    assert_eq!(numbers(&report["fds"])[..3], [0, 1, 2]);
    let fds = report["fds"].as_array().unwrap();
    assert!(fds[3..].iter().all(|fd| fd["cloexec"] == true), "{report:#}");
    assert_eq!(numbers(&report["child"]["fds"]), [0, 1, 2], "{report:#}");
    assert!(
        report["child"]["variables"].as_array().unwrap().contains(&json!("PATH")),
        "{report:#}"
    );
    for variables in [&report["variables"], &report["child"]["variables"]] {
        let left =
            CONTRACT.iter().find(|name| variables.as_array().unwrap().contains(&json!(name)));
        assert_eq!(left, None, "{report:#}");
    }
}

#[test]
fn a_worker_has_channel_and_lane_and_passes_neither_on() {
    let mut crew = Crew::start(primary(ROLE));
    crew.tell("fork");
    assert_eq!(crew.message(1), json!({ "role": "worker", "id": 1 }));
    crew.tell(r#"send 1 "report""#);
    assert_exact(&crew.message(1));
}

#[test]
fn a_worker_may_be_the_primary_of_a_crew_of_its_own() {
    let mut crew = Crew::start(primary(ROLE));
    crew.tell("fork");
    crew.message(1);
    crew.tell(r#"send 1 "nest""#);
    assert_eq!(crew.message(1), json!({ "inner": { "role": "worker", "id": 1 } }));
    assert_exact(&crew.message(1)["inner"]);
    assert_eq!(crew.message(1), json!({ "inner-exit": 0, "planned": true }));
    // The outer channel goes on.
    crew.tell(r#"send 1 "report""#);
    assert_exact(&crew.message(1));
    crew.tell("disconnect 1");
    let exit = crew.next("exit");
    assert_eq!((&exit["code"], &exit["planned"]), (&json!(0), &json!(true)));
}

#[test]
fn a_plain_fork_of_node_is_a_primary_with_a_parent() {
    let node = require_node!();
    let program = node.fixture("plain_fork.js").arg(ROLE).stdin_pipe();
    let mut crew = Crew::start(program);
    let told = |crew: &Crew| crew.next("message")["message"].clone();
    assert_eq!(told(&crew), json!({ "role": "primary", "parent": true }));
    crew.tell(r#""report""#);
    assert_clean(&told(&crew));
    crew.tell(r#""nest""#);
    assert_eq!(told(&crew), json!({ "inner": { "role": "worker", "id": 1 } }));
    assert_exact(&told(&crew)["inner"]);
    assert_eq!(told(&crew), json!({ "inner-exit": 0, "planned": true }));
    crew.process.close_stdin();
    assert_eq!(crew.next("exit")["code"], 0);
}

#[test]
fn without_a_channel_it_is_a_primary_without_a_parent() {
    // An id alone makes no worker.
    let mut process = Program::new(ROLE).env("NODE_UNIQUE_ID", "7").start();
    let (status, lines) = process.wait_output(HANG);
    assert!(status.success());
    assert_eq!(lines[0].text, json!({ "parent": false, "role": "primary" }).to_string());
}
