//! The primary is killed: its workers finish what they have, none stays longer than its grace, and a successor has the
//! address at once.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use portcrew_testkit::http::{Load, Report};
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Program, Signal, eventually, proc_fs, wait_dead};
use portcrew_testkit::require_node;

use crate::support::{Crew, HANG, SERVER, primary, scaled};

/// Longer than a test may take: whoever leaves before it does so by itself.
const NO_BOUND: &str = "600000";

/// The half of a request: its worker can answer it only when the other half has come.
fn begin_request(address: SocketAddr) -> TcpStream {
    let mut client = TcpStream::connect(address).unwrap();
    client.set_read_timeout(Some(HANG)).unwrap();
    client.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").unwrap();
    client
}

fn end_request(mut client: TcpStream) -> String {
    client.write_all(b"Connection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    client.read_to_string(&mut answer).unwrap();
    answer
}

/// Waits until a worker has taken every connection so far.
fn all_taken(crew: &mut Crew, connections: u64) {
    eventually("the connection is taken", HANG, || {
        (crew.settled_counts().taken >= connections).then_some(())
    });
}

/// Kills it; gives the workers that it leaves behind.
fn kill(crew: &mut Crew) -> Vec<u32> {
    let workers = proc_fs::children(crew.pid()).unwrap();
    crew.process.signal(Signal::Kill);
    crew.process.wait_exit(HANG);
    workers
}

fn assert_all_leave(workers: &[u32]) {
    assert!(workers.iter().all(|pid| wait_dead(*pid, HANG)), "{workers:?}");
}

/// Clients of a dead primary are refused or cut off. None hangs, and none is answered by halves.
fn assert_nobody_hung(report: &Report) {
    let lost = report.refused + report.reset + report.eof_without_answer;
    assert_eq!(report.failures(), lost, "{report}");
}

fn kill_under_load(program: Program, policy: &str) {
    let mut crew =
        Crew::start(program.env("GRACE_MS", NO_BOUND).env("NODE_CLUSTER_SCHED_POLICY", policy));
    let address = crew.fork(2);
    let begun = begin_request(address);
    if policy == "rr" {
        all_taken(&mut crew, 1);
    } else {
        // Who accepts by itself tells nobody; in its turn behind this one it has.
        Load::new(address).requests(1).run().assert_all_ok();
    }
    let load = Load::new(address).clients(8).per_try_timeout(HANG).background();
    load.wait_answered(50, HANG);
    let workers = kill(&mut crew);
    let mut successor = Crew::start(primary(SERVER).env("ADDRESS", address.to_string()));
    assert_eq!(
        successor.fork(1),
        address,
        "the address is free while workers of the old one finish"
    );
    assert!(end_request(begun).starts_with("HTTP/1.1 200"), "what had begun is answered");
    assert_all_leave(&workers);
    load.wait_answered(50, HANG);
    assert_nobody_hung(&load.finish());
}

#[test]
fn workers_finish_what_they_have_and_a_successor_has_the_address_at_once() {
    for _ in 0..scaled(3, 50) {
        kill_under_load(primary(SERVER), "rr");
        kill_under_load(primary(SERVER).env("LANE", "0"), "rr");
        kill_under_load(primary(SERVER), "none");
    }
}

#[test]
fn node_workers_end_at_once_as_under_nodes_own_primary() {
    let node = require_node!();
    for _ in 0..scaled(2, 20) {
        let mut crew = Crew::start(primary(node.path()).arg(fixture("hello.js")));
        let address = crew.fork(2);
        let load = Load::new(address).clients(8).per_try_timeout(HANG).background();
        load.wait_answered(50, HANG);
        let workers = kill(&mut crew);
        assert_all_leave(&workers);
        assert_nobody_hung(&load.finish());
    }
}

#[test]
fn a_worker_whose_client_never_finishes_goes_after_its_grace() {
    for lane in ["1", "0"] {
        let mut crew = Crew::start(primary(SERVER).env("LANE", lane).env("GRACE_MS", "300"));
        let address = crew.fork(1);
        let mut begun = begin_request(address);
        all_taken(&mut crew, 1);
        assert_all_leave(&kill(&mut crew));
        let end = begun.read(&mut [0; 1]).map_err(|error| error.kind());
        let learns = matches!(end, Ok(0) | Err(ErrorKind::ConnectionReset));
        assert!(learns, "its client does not learn it: {end:?}");
    }
}

#[test]
fn a_worker_that_was_told_to_leave_before_its_primary_died_goes_as_well() {
    let mut crew = Crew::start(primary(SERVER).env("GRACE_MS", "300"));
    let address = crew.fork(1);
    let _begun = begin_request(address);
    all_taken(&mut crew, 1);
    crew.tell("disconnect 1");
    eventually("its listener is closed", HANG, || {
        TcpStream::connect(address).is_err().then_some(())
    });
    assert_all_leave(&kill(&mut crew));
}
