//! Workers are killed under load: no client hangs, nothing leaks, and the books agree.

use std::net::SocketAddr;
use std::time::Duration;

use portcrew_testkit::http::Load;
use portcrew_testkit::ledger::Ledger;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Signal, eventually, proc_fs};
use portcrew_testkit::require_node;

use crate::support::{Crew, HANG, SERVER, listening_sockets, primary, scaled};

const WORKERS: usize = 4;
const CLIENTS: usize = 32;

#[test]
fn the_port_outlives_every_worker_and_who_waits_is_answered_by_the_next_one() {
    let mut crew = Crew::start(primary(SERVER));
    let address = crew.fork(2);
    for worker in 1..=2 {
        crew.tell(&format!("kill {worker} SIGKILL"));
        crew.next("exit");
    }
    let load = Load::new(address).clients(20).per_try_timeout(HANG).background();
    eventually("the clients wait", HANG, || (crew.snapshot()["held"] == 20).then_some(()));
    crew.fork(1);
    load.wait_answered(20, HANG);
    load.finish().assert_all_ok();
}

#[test]
fn killed_rust_workers_cost_their_own_requests_and_nothing_else() {
    let mut crew = Crew::start(primary(SERVER).env("RESPAWN", "1"));
    let address = crew.fork(WORKERS);
    kill_under_load(&mut crew, address, 100);
}

#[test]
fn killed_rust_workers_without_a_lane_cost_no_more() {
    let mut crew = Crew::start(primary(SERVER).env("RESPAWN", "1").env("LANE", "0"));
    let address = crew.fork(WORKERS);
    kill_under_load(&mut crew, address, scaled(30, 100));
}

#[test]
fn killed_node_workers_cost_no_more() {
    let node = require_node!();
    let mut crew = Crew::start(primary(node.path()).arg(fixture("hello.js")).env("RESPAWN", "1"));
    let address = crew.fork(WORKERS);
    kill_under_load(&mut crew, address, scaled(40, 100));
}

fn kill_under_load(crew: &mut Crew, address: SocketAddr, kills: u64) {
    // What is opened once, by the first connections, is no leak.
    Load::new(address).clients(CLIENTS).requests(200).run().assert_all_ok();
    let first = crew.settled_counts();
    let before = proc_fs::fd_count(crew.pid()).unwrap();
    let load = Load::new(address)
        .clients(CLIENTS)
        .per_try_timeout(HANG)
        .time_limit(Duration::from_secs(300))
        .background();
    for _ in 0..kills {
        load.wait_answered(50, HANG);
        // Forked in this order: the oldest dies.
        let victim = crew.next("fork")["pid"].as_u64().unwrap();
        crew.process.signal_descendant(u32::try_from(victim).unwrap(), Signal::Kill).unwrap();
        crew.next("listening");
    }
    let report = load.finish();
    let counts = crew.settled_counts().since(&first);
    let anything_else = report.hung() + report.refused + report.partial + report.bad_response;
    assert_eq!(anything_else, 0, "{report}");
    // What failed was inside a worker when it was killed: taken and not answered, or touched.
    assert!(report.failures() <= kills * CLIENTS as u64 / 2, "{report}");
    let ledger = Ledger::new(counts).with(&report);
    let inside = ledger.inside();
    ledger.allow_failures(inside).assert_balanced();
    crew.assert_fds(before);
    crew.assert_no_panic();
}

#[test]
fn a_death_keeps_the_address_and_a_disconnect_of_all_frees_it() {
    let mut crew = Crew::start(primary(SERVER));
    let address = crew.fork(1);
    crew.tell("kill 1 SIGKILL");
    crew.next("exit");
    crew.settled_counts();
    let held: Vec<_> = listening_sockets(crew.pid()).iter().map(|(held, _)| *held).collect();
    assert_eq!(held, [address]);
    crew.tell("disconnect");
    crew.next("disconnected");
    assert_eq!(listening_sockets(crew.pid()), []);
}
