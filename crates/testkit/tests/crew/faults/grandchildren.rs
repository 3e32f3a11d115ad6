//! What workers start holds on to their sockets: nobody waits for it without an end, and a stop ends it.

use std::net::TcpListener;

use portcrew_testkit::faults::{Client, Fate, Kind};
use portcrew_testkit::process::{Program, Signal, eventually};

use crate::support::{Crew, HANG, ROGUE, SERVER, has_ended, primary};

fn child(crew: &Crew) -> u32 {
    u32::try_from(crew.next("child")["pid"].as_u64().unwrap()).unwrap()
}

fn is_free(address: std::net::SocketAddr) -> Option<()> {
    TcpListener::bind(address).ok().map(drop)
}

#[test]
fn a_connection_of_a_dead_worker_whose_channel_lives_on_is_answered_by_another() {
    for lane in ["1", "0"] {
        let mut crew = Crew::start(primary(ROGUE).arg("parent").env("LANE", lane));
        let address = crew.fork(1);
        let grandchild = child(&crew);
        let client = Client::connect(Kind::HalfClosed, address).unwrap();
        eventually("it is offered", HANG, || (crew.snapshot()["offered"] == 1).then_some(()));
        // It alone: what the primary kills it kills with its group.
        let worker = u32::try_from(crew.next("fork")["pid"].as_u64().unwrap()).unwrap();
        crew.process.signal_descendant(worker, Signal::Kill).unwrap();
        crew.next("exit");
        crew.tell(&format!("program {SERVER}"));
        crew.fork(1);
        assert_eq!(client.fate(HANG), Fate::Answered(2));
        assert!(!has_ended(grandchild), "nobody asked it to leave");
    }
}

fn started(program: Program) -> (Crew, std::net::SocketAddr, u32) {
    let mut crew = Crew::start(program.env("GRACE_MS", "50"));
    crew.tell("start 1");
    let address = crew.listening(1);
    let grandchild = child(&crew);
    (crew, address, grandchild)
}

fn stop(crew: &mut Crew) {
    crew.tell("stop");
    crew.next("finished");
}

#[test]
fn a_stop_ends_what_a_worker_has_started_and_the_port_is_free() {
    for policy in ["rr", "none"] {
        let program = primary(ROGUE).arg("parent").env("NODE_CLUSTER_SCHED_POLICY", policy);
        let (mut crew, address, grandchild) = started(program);
        stop(&mut crew);
        eventually("the grandchild ends", HANG, || has_ended(grandchild).then_some(()));
        eventually("the port is free", HANG, || is_free(address));
    }
}

#[test]
fn what_left_its_workers_group_lives_on_and_keeps_no_port_that_the_primary_listens_on() {
    let (mut crew, address, grandchild) = started(primary(ROGUE).args(["parent", "setsid"]));
    stop(&mut crew);
    eventually("the port is free", HANG, || is_free(address));
    assert!(!has_ended(grandchild));
}

#[test]
fn with_a_socket_that_workers_share_it_keeps_the_port() {
    // The floor: it is nobody's child any more, and no group of ours.
    let program = primary(ROGUE).args(["parent", "setsid"]);
    let (mut crew, address, grandchild) = started(program.env("NODE_CLUSTER_SCHED_POLICY", "none"));
    stop(&mut crew);
    assert!(!has_ended(grandchild));
    assert!(is_free(address).is_none());
}
