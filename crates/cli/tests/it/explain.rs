//! `--explain`: who accepts, by which policy, and how each worker is spoken to.

use std::ffi::OsStr;
use std::fs;

use portcrew_testkit::node::fixture;
use portcrew_testkit::process::Signal;
use portcrew_testkit::require_node;

use crate::crew::{Crew, HANG, portcrew, run};
use crate::policies::several;

/// How often the primary has said a line with this in it.
fn times(crew: &Crew, words: &str) -> usize {
    crew.said().iter().filter(|line| line.contains(words)).count()
}

fn explained(policy: &str, workers: &str) -> Crew {
    let program = portcrew("run").args(["--explain", "-w", workers, "--policy", policy]);
    Crew { process: program.arg(fixture("hello.js")).start() }
}

#[test]
fn a_listener_that_the_primary_accepts_from_is_explained_with_policy_counts_and_window() {
    let _node = require_node!();
    for (policy, how) in [
        ("round-robin", "in turn (round-robin)"),
        (
            "sticky=cookie:sid+v4:24+wait:2s",
            "each client to its own worker (sticky), known by the cookie `sid`, else by the address (IPv4 by 24 bits, \
             IPv6 by 64 bits); a busy worker is waited for 2 s",
        ),
    ] {
        let crew = explained(policy, "1");
        let address = crew.serving(1);
        crew.says("worker 1 speaks Node's channel");
        let accepts = format!("{address}: the primary accepts and hands over {how}");
        let bounds = format!(
            "{address}: nobody counts open connections, at which the policy does not look; a worker has up to 16 \
             unanswered, one while it is slow"
        );
        for line in [accepts, bounds] {
            assert!(crew.said().contains(&line), "{line}: {:?}", crew.said());
        }
    }
}

#[test]
fn a_listener_that_the_workers_accept_from_is_explained_without_a_window() {
    let _node = require_node!();
    let crew = explained("shared", "1");
    let address = crew.serving(1);
    crew.says("worker 1 speaks Node's channel");
    for line in [
        "the workers accept from one socket (shared); the kernel chooses",
        "nobody counts open connections; a worker takes what it can",
    ] {
        let line = format!("{address}: {line}");
        assert!(crew.said().contains(&line), "{line}: {:?}", crew.said());
    }
}

#[test]
fn on_a_path_one_connection_at_a_time_is_unanswered() {
    let _node = require_node!();
    let (directory, script) = several();
    let path = directory.path().join("a.sock");
    let program = portcrew("run").args(["--explain", "-w", "1"]).arg(script);
    let crew = Crew { process: program.arg(&path).start() };
    let line = crew.says("unanswered").text;
    let words = format!("portcrew: {}: nobody counts", path.display());
    assert!(line.starts_with(&words), "{line}");
    assert!(line.ends_with("; a worker has one unanswered at a time"), "{line}");
}

#[test]
fn each_worker_is_explained_and_those_that_replace_one_of_their_kind_are_not() {
    let _node = require_node!();
    let crew = explained("round-robin", "2");
    crew.serving(2);
    crew.says("worker 1 speaks Node's channel");
    crew.says("worker 2 speaks Node's channel");
    crew.process.signal_descendant(*crew.pids().first().unwrap(), Signal::Kill).unwrap();
    crew.process.wait_line(|line| line.starts_with("3 | LISTENING "), HANG);
    crew.process.signal(Signal::Hup);
    crew.says("reload: done in ");
    // The first in a new place. What is said of it is said after all that was said of the others.
    crew.process.signal(Signal::Ttin);
    crew.says("worker 6 speaks Node's channel");
    assert_eq!(times(&crew, " speaks Node's channel"), 3, "{:?}", crew.said());
    assert_eq!(times(&crew, ": the primary accepts"), 1, "{:?}", crew.said());
}

#[test]
fn a_rust_worker_is_handed_connections_on_the_lane() {
    let demo = ["--explain", "-w", "1", env!("CARGO_BIN_EXE_portcrew"), "demo", "--port", "0"];
    let crew = run(demo);
    crew.says("worker 1 is handed connections on the lane");
}

#[test]
fn a_worker_that_speaks_buns_dialect_and_binds_by_itself_is_explained_as_that() {
    // What Bun writes when its `http` server listens.
    let listening = r#"{"cmd":"NODE_CLUSTER","act":"listening","port":80,"data":null,"address":null,"addressType":4}"#;
    let online = r#"{"cmd":"NODE_CLUSTER","act":"online","seq":0}"#;
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("bun.sh");
    let text = format!(
        "printf '\\002%s\\n\\002%s\\n' '{online}' '{listening}' >&\"$NODE_CHANNEL_FD\"\nexec sleep 600\n"
    );
    fs::write(&script, text).unwrap();
    let args = ["--explain", "-w", "1", "--grace", "0"].map(OsStr::new);
    let crew = run(args.into_iter().chain([script.as_os_str()]));
    crew.says(
        "worker 1 speaks Node's channel in Bun's dialect; what it binds by itself, no policy is for",
    );
}

#[test]
fn nobody_who_does_not_ask_is_told() {
    let _node = require_node!();
    let crew = run(["-w".as_ref(), "1".as_ref(), fixture("hello.js").as_os_str()]);
    crew.serving(1);
    crew.process.signal(Signal::Hup);
    crew.says("reload: done in ");
    for words in ["the primary accepts", "unanswered", "speaks"] {
        assert_eq!(times(&crew, words), 0, "{:?}", crew.said());
    }
}
