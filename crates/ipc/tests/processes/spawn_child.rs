//! What a started child is given: descriptors, environment, group, signals.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::fs::File;
use std::io::Write;

use portcrew_ipc::spawn::{SpawnSpec, Stdio, spawn};
use serde_json::{Value, json};

use crate::children::{example, finish, inherited, masks, run, shell};

#[tokio::test]
async fn the_child_has_exactly_the_promised_descriptors() {
    let plain = run(inherited(&[]).channel(false)).await.report();
    assert_eq!(plain["descriptors"], json!([0, 1, 2]));
    let channel = run(inherited(&[])).await.report();
    assert_eq!(channel["descriptors"], json!([0, 1, 2, 3]));
    let lane = run(inherited(&[]).lane(true)).await.report();
    assert_eq!(lane["descriptors"], json!([0, 1, 2, 3, 4]));
}

#[tokio::test]
async fn sources_that_have_the_numbers_of_targets_are_not_mixed_up() {
    // A process with nothing open gets 3, 4, … for the sockets that are to become 3 and 4.
    let report = run(inherited(&[]).args(["nest"]).channel(false)).await.report();
    assert_eq!(report["descriptors"], json!([0, 1, 2, 3, 4]));
    assert_eq!(report["claim"], json!({"worker_id": 1, "lane": true}));
}

#[tokio::test]
async fn the_environment_is_the_callers_and_the_contract() {
    let script = "echo $NODE_CHANNEL_FD $NODE_CHANNEL_SERIALIZATION_MODE $NODE_UNIQUE_ID \
                  $PORTCREW_LANE_FD $MINE ${LISTEN_FDS-none}";
    let env = [
        ("MINE", "kept"),
        ("NODE_CHANNEL_FD", "77"),
        ("NODE_CHANNEL_SERIALIZATION_MODE", "advanced"),
        ("NODE_UNIQUE_ID", "99"),
        ("PORTCREW_LANE_FD", "78"),
        ("LISTEN_FDS", "1"),
    ];
    let env = env.map(|(name, value)| (name.into(), value.into()));
    let spec = shell(script).env(env.clone()).channel(true).lane(true).worker_id(5);
    assert_eq!(run(spec).await.stdout, "3 json 5 4 kept none\n");
    // Without an id and a channel nothing of an outer one shows through.
    assert_eq!(run(shell(script).env(env)).await.stdout, "kept none\n");
}

#[tokio::test]
async fn nothing_beside_the_given_environment_is_inherited() {
    let report = run(inherited(&[("ONLY", "this")]).worker_id(1)).await.report();
    assert_eq!(report["environment"], json!({"ONLY": "this"}));
}

#[tokio::test]
async fn standard_input_is_at_its_end() {
    let outcome = run(SpawnSpec::new("/bin/cat").channel(false)).await;
    assert!(outcome.status.success(), "{outcome:?}");
    assert_eq!(outcome.stdout, "");
}

#[tokio::test]
async fn pipes_carry_all_three_standard_streams() {
    let spec = shell("cat; echo warned >&2").stdio(Stdio::Piped, Stdio::Piped, Stdio::Piped);
    let mut spawned = spawn(&spec).unwrap();
    let mut stdin = File::from(spawned.stdin.take().unwrap());
    stdin.write_all(b"through").unwrap();
    drop(stdin);
    let outcome = finish(spawned).await;
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), ("through", "warned\n"));
}

#[tokio::test]
async fn a_child_leads_its_own_group_unless_asked_otherwise() {
    let own = run(inherited(&[])).await;
    assert_eq!(own.report()["group"], json!(own.pid));
    let shared = run(inherited(&[]).own_process_group(false)).await;
    let ours = rustix::process::getpgrp().as_raw_nonzero().get();
    assert_eq!(shared.report()["group"], json!(ours));
}

#[tokio::test]
async fn the_child_ignores_and_blocks_no_signal_though_its_parent_does() {
    // Rust's own runtime ignores SIGPIPE in this process.
    let mut blocked = nix::sys::signal::SigSet::empty();
    blocked.add(nix::sys::signal::Signal::SIGUSR1);
    blocked.thread_block().unwrap();
    let spec = SpawnSpec::new("/bin/cat").args(["/proc/self/status"]).channel(false);
    let status = run(spec).await.stdout;
    blocked.thread_unblock().unwrap();
    assert_eq!(masks(&status), [0, 0]);
    let ours = std::fs::read_to_string("/proc/self/status").unwrap();
    assert_ne!(masks(&ours)[0], 0, "the parent ignores nothing: no test");
}

#[tokio::test]
async fn the_program_sees_the_name_and_the_arguments_it_was_given() {
    let report = run(inherited(&[]).argv0("worker-1").args(["show", "ä", ""])).await.report();
    assert_eq!(report["arguments"], json!(["worker-1", "show", "ä", ""]));
    let report = run(inherited(&[])).await.report();
    assert_eq!(report["arguments"][0], json!(example("inherited")));
}

#[tokio::test]
async fn a_process_that_ignores_sigchld_loses_no_exit_status() {
    let report = run(inherited(&[]).args(["children"]).channel(false)).await.report();
    assert_eq!(report, json!([0, 7]));
}

#[tokio::test]
async fn two_hundred_failing_starts_leave_no_descriptor() {
    let report = run(inherited(&[]).args(["failing"]).channel(false)).await.report();
    assert_eq!(report["failed"], Value::from(200));
    assert_eq!(report["before"], report["after"]);
}

#[tokio::test]
async fn a_start_that_runs_out_of_descriptors_at_any_step_leaves_nothing() {
    let report = run(inherited(&[]).args(["starved"]).channel(false)).await.report();
    // Three pipes and two socket pairs with two ends each, and the pidfd: each was once too much.
    assert_eq!(report["failed"], json!(11));
    assert_eq!(report["before"], report["after"]);
    assert_eq!(report["children_left"], json!(false));
}
