//! Whose a port is, and when it is free again: close and listen anew, in one worker and between workers.

use std::net::{SocketAddr, TcpStream};

use portcrew_testkit::http::Load;
use portcrew_testkit::node::Node;
use portcrew_testkit::process::{Program, eventually};
use portcrew_testkit::require_node;
use serde_json::{Value, json};

use crate::forms::{Pair, loopback, node_under_us, own_place, port, rust, rust_under_node};
use crate::support::HANG;

const POLICIES: [&str; 2] = ["rr", "none"];

fn policy(program: Program, policy: &str) -> Program {
    // The first is read by Node's primary of these tests, the second by ours.
    program.env("POLICY", policy).env("NODE_CLUSTER_SCHED_POLICY", policy)
}

/// Our workers under us and under Node, and Node's under us, by each policy.
fn pairs(workers: usize) -> Vec<(String, Pair)> {
    let mut pairs = Vec::new();
    for name in POLICIES {
        let rust = Pair::of_rust(policy(rust(), name), workers);
        pairs.push((format!("ours alone, {name}"), rust));
        if let Some(node) = Node::find_or_skip() {
            let theirs = Pair::of_node(policy(node_under_us(&node), name), workers);
            pairs.push((format!("Node's under us, {name}"), theirs));
            let ours = Pair::of_rust(policy(rust_under_node(&node), name), workers);
            pairs.push((format!("ours under Node, {name}"), ours));
        }
    }
    pairs
}

fn listens(pair: &mut Pair, worker: u64, at: SocketAddr) {
    let said = pair.listen(worker, "it", &at.to_string(), &json!({}));
    assert_eq!(said["port"], at.port(), "worker {worker}: {said}");
}

fn assert_served(at: SocketAddr) {
    Load::new(at).clients(2).requests(10).run().assert_all_ok();
}

fn assert_free(at: SocketAddr) {
    let refused = || TcpStream::connect(at).is_err().then_some(());
    eventually("nobody listens there any more", HANG, refused);
}

#[test]
fn a_port_is_closed_and_had_again_by_the_same_worker() {
    for (whose, mut pair) in pairs(1) {
        let at = own_place();
        for round in 0..20 {
            listens(&mut pair, 1, at);
            assert!(TcpStream::connect(at).is_ok(), "{whose}, round {round}");
            pair.close(1, "it");
        }
        assert_free(at);
    }
}

#[test]
fn a_port_that_was_given_up_before_the_answer_is_had_again_at_once() {
    for (whose, mut pair) in pairs(1) {
        let at = own_place();
        for round in 0..10 {
            let said = pair.again(1, "it", &at.to_string());
            assert_eq!(said["port"], at.port(), "{whose}, round {round}: {said}");
            assert_served(at);
            pair.close(1, "it");
        }
        assert_free(at);
    }
}

#[test]
fn a_listener_is_closed_while_it_is_accepted_from_and_its_port_had_again_at_once() {
    for name in POLICIES {
        let mut pair = Pair::of_rust(policy(rust(), name), 1);
        let at = own_place();
        listens(&mut pair, 1, at);
        for round in 0..100 {
            let said = pair.reopen(1, "it", &at.to_string());
            assert_eq!(said["port"], at.port(), "{name}, round {round}: {said}");
        }
        assert_served(at);
    }
}

#[test]
fn one_worker_has_a_port_once_and_another_after_it() {
    for (whose, mut pair) in pairs(2) {
        let at = own_place();
        listens(&mut pair, 1, at);
        let twice = pair.listen(1, "again", &at.to_string(), &json!({}));
        assert_eq!(twice["code"], "EADDRINUSE", "{whose}: {twice}");
        assert_served(at);
        pair.close(1, "it");
        for worker in [2, 1] {
            listens(&mut pair, worker, at);
            assert_served(at);
            pair.close(worker, "it");
        }
        assert_free(at);
    }
}

#[test]
fn a_worker_that_closes_and_listens_anew_disturbs_nobody() {
    for (whose, mut pair) in pairs(2) {
        let at = own_place();
        listens(&mut pair, 1, at);
        listens(&mut pair, 2, at);
        let load = Load::new(at).clients(8).background();
        for _ in 0..10 {
            load.wait_answered(20, HANG);
            pair.close(2, "it");
            load.wait_answered(20, HANG);
            listens(&mut pair, 2, at);
        }
        println!("{whose}");
        load.finish().assert_all_ok();
    }
}

#[test]
fn a_port_that_the_kernel_chose_can_be_asked_for_by_its_number_when_it_is_closed() {
    for (_, mut pair) in pairs(1) {
        let ip = own_place().ip();
        let chosen = port(&pair.listen(1, "any", &format!("{ip}:0"), &json!({})));
        let at = SocketAddr::new(ip, chosen);
        let taken = pair.listen(1, "it", &at.to_string(), &json!({}));
        assert_eq!(taken["code"], "EADDRINUSE");
        pair.close(1, "any");
        listens(&mut pair, 1, at);
        assert_served(at);
    }
}

#[test]
fn the_last_live_one_that_closes_frees_the_port_and_no_death_does() {
    for name in POLICIES {
        let mut pair = Pair::of_rust(policy(rust(), name), 3);
        let at = own_place();
        for worker in 1..=3 {
            listens(&mut pair, worker, at);
        }
        pair.crew.tell("kill 1 SIGKILL");
        pair.crew.next("exit");
        pair.close(2, "it");
        assert_served(at);
        pair.close(3, "it");
        assert_free(at);
        listens(&mut pair, 2, at);
        pair.crew.tell("kill 2 SIGKILL");
        pair.crew.next("exit");
        pair.crew.next_where("disconnect", |event| event["worker"] == 2);
        // Nobody is there, and the client waits for who comes.
        let load = Load::new(at).clients(4).per_try_timeout(HANG).background();
        eventually("the clients wait", HANG, || waits(&mut pair).then_some(()));
        listens(&mut pair, 3, at);
        load.wait_answered(4, HANG);
        load.finish().assert_all_ok();
    }
}

/// Whether there is a listener that nobody holds.
fn waits(pair: &mut Pair) -> bool {
    let snapshot = pair.crew.snapshot();
    snapshot["listeners"][0]["holders"] == 0
}

#[test]
fn every_listen_on_port_0_is_a_port_of_its_own_and_the_same_in_all_workers() {
    for (whose, mut pair) in pairs(2) {
        let ports: Vec<_> = (1..=2).map(|worker| count_up(&mut pair, worker)).collect();
        // The first was closed by its only holder before the other worker came.
        assert_eq!(ports[0][1..], ports[1][1..], "{whose}");
        let distinct: std::collections::BTreeSet<_> = ports[0].iter().collect();
        assert_eq!(distinct.len(), 3, "{whose}: {ports:?}");
        for port in &ports[0][1..] {
            assert_served(loopback(*port));
        }
    }
}

/// Three listeners on port 0, the first of which is closed before the last comes: only who counts as Node's workers do
/// has the last in common with them.
fn count_up(pair: &mut Pair, worker: u64) -> Vec<u16> {
    let mut listen = |name: &str| port(&pair.listen(worker, name, "127.0.0.1:0", &json!({})));
    let (first, second) = (listen("first"), listen("second"));
    pair.close(worker, "first");
    let third = port(&pair.listen(worker, "third", "127.0.0.1:0", &json!({})));
    vec![first, second, third]
}

#[test]
fn our_worker_and_nodes_count_alike() {
    let node = require_node!();
    let mut pair = Pair::of_rust(rust(), 1);
    let ours = count_up(&mut pair, 1);
    let script = portcrew_testkit::node::fixture("listener.js");
    pair.crew.tell(&format!("program {} {}", node.path().display(), script.display()));
    pair.crew.tell("fork");
    pair.crew.next_where("online", |event| event["worker"] == 2);
    let theirs = count_up(&mut pair.into_node(), 2);
    assert_eq!(ours[1..], theirs[1..]);
}

#[test]
fn a_path_is_closed_and_had_again_too() {
    for (whose, mut pair) in pairs(1) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("s");
        let on = format!("unix:{}", path.display());
        for _ in 0..10 {
            let said = pair.listen(1, "it", &on, &json!({}));
            assert_eq!(said["listening"], "it", "{whose}: {said}");
            Load::new(path.as_path()).requests(2).run().assert_all_ok();
            let twice: Value = pair.listen(1, "again", &on, &json!({}));
            assert_eq!(twice["code"], "EADDRINUSE", "{whose}: {twice}");
            pair.close(1, "it");
        }
    }
}
