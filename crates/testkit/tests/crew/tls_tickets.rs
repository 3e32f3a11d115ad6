//! The workers of a listener have the keys of TLS tickets in common: a client resumes its session with any of them.

use portcrew_testkit::node::{Node, fixture};
use portcrew_testkit::process::{Program, Signal, eventually, proc_fs};
use portcrew_testkit::tls::{Certificate, Connected, TlsClient};
use portcrew_testkit::{require_certificate, require_node};
use serde_json::{Value, json};

use crate::support::{Crew, HANG, SERVER, primary};

const VERSIONS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

fn tls_workers(node: &Node, certificate: &Certificate) -> Program {
    let program = primary(node.path()).arg(fixture("tls_hello.js"));
    certificate.told_to(program).env("STABLE_MS", "100")
}

fn resumed(connections: &[Connected]) -> usize {
    connections.iter().filter(|it| it.reused).count()
}

fn of_worker(connections: &[Connected], worker: u64) -> usize {
    connections.iter().filter(|it| it.worker == worker).count()
}

#[test]
fn of_sixteen_connections_to_four_node_workers_fifteen_are_resumed() {
    let node = require_node!();
    let certificate = require_certificate!();
    let mut crew = Crew::start(tls_workers(&node, &certificate));
    let address = crew.fork(4);
    for version in VERSIONS {
        let mut client = TlsClient::start(&node, &certificate, address, version);
        let connections = client.connect_times(16);
        assert!(connections.iter().all(|it| it.protocol == version), "{connections:?}");
        assert!(!connections[0].reused && resumed(&connections) == 15, "{connections:?}");
        for worker in 1..=4 {
            assert_eq!(of_worker(&connections, worker), 4, "{connections:?}");
        }
    }
}

#[test]
fn they_are_resumed_by_whichever_worker_the_kernel_chooses() {
    let node = require_node!();
    let certificate = require_certificate!();
    let program = tls_workers(&node, &certificate).env("NODE_CLUSTER_SCHED_POLICY", "none");
    let mut crew = Crew::start(program);
    let address = crew.fork(4);
    for version in VERSIONS {
        let mut client = TlsClient::start(&node, &certificate, address, version);
        let mut connections = Vec::new();
        for chosen in proc_fs::children(crew.pid()).unwrap() {
            connections.extend(with_alone(&crew, chosen, || client.connect_times(4)));
        }
        assert!(!connections[0].reused && resumed(&connections) == 15, "{connections:?}");
        for worker in 1..=4 {
            assert_eq!(of_worker(&connections, worker), 4, "{connections:?}");
        }
    }
}

/// Stops the other workers meanwhile, so that the kernel has no choice.
fn with_alone<T>(crew: &Crew, chosen: u32, act: impl FnOnce() -> T) -> T {
    let mut others = proc_fs::children(crew.pid()).unwrap();
    others.retain(|pid| *pid != chosen);
    let signal = |pid: u32, signal| crew.process.signal_descendant(pid, signal).unwrap();
    for pid in &others {
        signal(*pid, Signal::Stop);
        let stopped = || (proc_fs::state(*pid).unwrap() == 'T').then_some(());
        eventually("it stops", HANG, stopped);
    }
    let done = act();
    for pid in others {
        signal(pid, Signal::Cont);
    }
    done
}

#[test]
fn a_successor_and_a_new_generation_resume_what_the_old_ones_began() {
    let node = require_node!();
    let certificate = require_certificate!();
    let mut crew = Crew::start(tls_workers(&node, &certificate));
    crew.tell("start 4");
    let address = crew.listening(4);
    let mut client = TlsClient::start(&node, &certificate, address, "TLSv1.3");
    assert_eq!(resumed(&client.connect_times(4)), 3);
    crew.tell("kill 2 SIGKILL");
    crew.next_where("listening", |event| event["worker"] == 5);
    let connections = client.connect_times(16);
    assert_eq!((resumed(&connections), of_worker(&connections, 5)), (16, 4), "{connections:?}");
    crew.tell("reload");
    let committed = |event: &Value| event["notice"].as_str().unwrap().contains("Committed");
    crew.next_where("crew", committed);
    let connections = client.connect_times(16);
    assert_eq!(resumed(&connections), 16, "{connections:?}");
    for worker in 6..=9 {
        assert_eq!(of_worker(&connections, worker), 4, "{connections:?}");
    }
}

/// Starts one worker of the library that brings `data`, or nothing. What its listener has.
fn joins(crew: &mut Crew, data: &str) -> Value {
    crew.tell(&format!("fork 1 DATA={data}"));
    let event = crew.next_where("message", |event| event["message"].get("data").is_some());
    event["message"]["data"].clone()
}

fn the_first_data_wins(mut crew: Crew) {
    assert_eq!(joins(&mut crew, ""), Value::Null);
    assert_eq!(joins(&mut crew, r#"{"first":[1,"ä"]}"#), json!({ "first": [1, "ä"] }));
    assert_eq!(joins(&mut crew, r#"{"second":2}"#), json!({ "first": [1, "ä"] }));
    assert_eq!(joins(&mut crew, ""), json!({ "first": [1, "ä"] }));
}

#[test]
fn of_what_rust_workers_bring_the_first_is_everybodys() {
    for policy in ["rr", "none"] {
        let program = primary(SERVER).env("NODE_CLUSTER_SCHED_POLICY", policy);
        the_first_data_wins(Crew::start(program));
    }
}

#[test]
fn under_nodes_primary_it_is_so_too() {
    let node = require_node!();
    for policy in ["rr", "none"] {
        let program = node.fixture("node_primary.js").arg(SERVER).env("POLICY", policy);
        the_first_data_wins(Crew::start(program.stdin_pipe()));
    }
}

#[test]
fn rust_and_node_workers_of_one_crew_have_the_same_keys_whoever_came_first() {
    let node = require_node!();
    let certificate = require_certificate!();
    let script = format!("program {} {}", node.path().display(), fixture("tls_hello.js").display());

    let mut crew = Crew::start(tls_workers(&node, &certificate));
    crew.tell("fork 1");
    let address = crew.listening(1);
    let keys = crew.message(1);
    assert_eq!(keys["ticketKeys"].as_str().unwrap().len(), 96, "{keys}");
    crew.tell(&format!("program {SERVER}"));
    let own = json!({ "ticketKeys": "ab".repeat(48) });
    assert_eq!(joins(&mut crew, &own.to_string()), keys);
    assert_eq!(crew.listening(1), address);

    let mut crew = Crew::start(certificate.told_to(primary(SERVER)));
    assert_eq!(joins(&mut crew, &own.to_string()), own);
    let address = crew.listening(1);
    crew.tell(&script);
    crew.tell("fork 1");
    assert_eq!(crew.message(2), own);
    assert_eq!(crew.listening(1), address);
}
