//! Every Node fixture does under real Node what its first lines say.

use std::net::SocketAddr;
use std::time::Duration;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Process, Signal, proc_fs};
use portcrew_testkit::require_node;

use crate::server::HANG;

fn listening(process: &Process) -> SocketAddr {
    let line = process.wait_line(|line| line.starts_with("LISTENING "), HANG);
    line.text.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn hello_serves_alone_as_worker_zero() {
    let node = require_node!();
    let process = node.fixture("hello.js").start();
    let report = Load::new(listening(&process)).clients(8).requests(200).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker, [("0".to_owned(), 200)].into());
}

#[test]
fn hello_takes_its_port_from_argument_or_environment_and_names_a_port_that_is_taken() {
    let node = require_node!();
    let first = node.fixture("hello.js").start();
    let port = listening(&first).port().to_string();
    for program in
        [node.fixture("hello.js").arg(&port), node.fixture("hello.js").env("PORT", &port)]
    {
        let mut second = program.start();
        second.wait_line(|line| line == "FAILED EADDRINUSE", HANG);
        assert_eq!(second.wait_exit(HANG).code(), Some(1));
    }
}

#[test]
fn cluster_branch_forks_its_workers_and_replaces_a_killed_one() {
    let node = require_node!();
    let process = node.fixture("cluster_branch.js").env("WORKERS", "2").start();
    let address = listening(&process);
    let first = process.wait_line(|line| line.starts_with("LISTENING "), HANG);
    let both = process.wait_line_after(first.mark, |line| line.starts_with("LISTENING "), HANG);
    let report = Load::new(address).requests(100).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker, [("1".to_owned(), 50), ("2".to_owned(), 50)].into());
    let worker = proc_fs::children(process.pid()).unwrap()[0];
    process.signal_descendant(worker, Signal::Kill).unwrap();
    process.wait_line(|line| line.ends_with("signal SIGKILL"), HANG);
    process.wait_line_after(both.mark, |line| line.starts_with("LISTENING "), HANG);
}

#[test]
fn count_requests_adds_up_what_its_workers_tell() {
    let node = require_node!();
    let mut process = node.fixture("count_requests.js").args(["0"]).env("WORKERS", "2").start();
    let report = Load::new(listening(&process)).clients(4).requests(100).run();
    report.assert_all_ok();
    process.wait_line(|line| line == "numReqs = 100", HANG);
    process.signal(Signal::Term);
    assert!(process.wait_exit(HANG).success());
}

#[test]
fn broken_throws_at_boot() {
    let node = require_node!();
    let mut process = node.fixture("broken.js").start();
    assert_eq!(process.wait_exit(HANG).code(), Some(1));
    process.wait_line(|line| line.contains("broken at boot"), HANG);
}

#[test]
fn never_listens_lives_without_a_listening_socket() {
    let node = require_node!();
    let mut process = node.fixture("never_listens.js").start();
    process.wait_line(|line| line == format!("ALIVE {}", process.pid()), HANG);
    assert_eq!(process.try_exit(), None);
    let sockets = proc_fs::fds(process.pid()).unwrap();
    assert!(!sockets.iter().any(|(_, target)| target.starts_with("socket:")), "{sockets:?}");
}

#[test]
fn slow_start_listens_later_than_it_starts() {
    let node = require_node!();
    let process = node.fixture("slow_start.js").env("START_DELAY_MS", "300").start();
    let starting = process.wait_line(|line| line.starts_with("STARTING "), HANG);
    let address = listening(&process);
    let ready = process.wait_line(|line| line.starts_with("LISTENING "), HANG);
    assert!(ready.at - starting.at >= Duration::from_millis(200), "{starting:?} {ready:?}");
    Load::new(address).requests(1).run().assert_all_ok();
}

#[test]
fn keepalive_announces_the_close_of_a_connection_that_had_its_requests() {
    let node = require_node!();
    let process = node.fixture("keepalive.js").env("MAX_PER_SOCKET", "5").start();
    let report = Load::new(listening(&process)).requests(50).keep_alive(1_000).run();
    report.assert_all_ok();
    assert_eq!((report.connections, report.announced), (10, 10), "{report}");
}

#[test]
fn keepalive_ends_idle_connections_and_exits_on_sigterm() {
    let node = require_node!();
    let mut process = node.fixture("keepalive.js").env("KEEP_ALIVE_MS", "60000").start();
    let load = Load::new(listening(&process)).clients(4).keep_alive(1_000_000).background();
    load.wait_answered(100, HANG);
    process.signal(Signal::Term);
    assert!(process.wait_exit(HANG).success());
    let report = load.finish();
    // No answer was cut off. What came too late raced the close, was reset in the queue, or found the port closed.
    let late = report.raced + report.reset + report.refused;
    assert_eq!(report.attempts(), report.ok + late, "{report}");
}
