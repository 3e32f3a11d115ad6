//! Every example does what its first lines say.

use std::time::Duration;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::artifact::example;
use portcrew_testkit::process::{Process, Program, Signal, proc_fs, wait_dead};

use crate::support::{HANG, listening_sockets, served_by};

fn start(name: &str) -> Process {
    Program::new(example(name)).env("PORT", "0").env_remove("NODE_CLUSTER_SCHED_POLICY").start()
}

/// A server with one worker for each processor, which stops when it is asked to.
fn serves_and_stops(name: &str) {
    let mut process = start(name);
    let address = served_by(process.pid());
    let report = Load::new(address).clients(8).requests(1_000).run();
    report.assert_all_ok();
    let workers = std::thread::available_parallelism().unwrap().get();
    assert!(report.by_worker.len() <= workers, "{report}");
    process.signal(Signal::Term);
    assert!(process.wait_exit(HANG).success());
}

#[test]
fn axum_hello_serves_and_stops() {
    serves_and_stops("axum_hello");
}

#[test]
fn hyper_hello_serves_and_stops() {
    serves_and_stops("hyper_hello");
}

#[test]
fn std_threads_serves_and_stops() {
    serves_and_stops("std_threads");
}

#[test]
fn count_requests_counts_exactly_the_requests() {
    let process =
        Program::new(example("count_requests")).env("PORT", "0").env("WORKERS", "3").start();
    let address = served_by(process.pid());
    Load::new(address).clients(8).requests(500).run().assert_all_ok();
    let line = process.wait_line(|line| line == "numReqs = 500", HANG);
    let next = process.wait_line_after(line.mark, |line| line.starts_with("numReqs"), HANG);
    assert_eq!(next.text, "numReqs = 500", "it counted more than there were");
}

#[test]
fn any_program_is_started_with_the_listening_socket_and_ends_with_the_primary() {
    let sleeper = ["/bin/sh", "-c", "echo \"{fd} $LISTEN_FDS\"; exec sleep 1000"];
    let mut process = Program::new(example("any_program")).env("PORT", "0").args(sleeper).start();
    process.wait_line(|line| line == "3 1", HANG);
    process.wait_line(|line| line.starts_with("listening on 127.0.0.1:"), HANG);
    let workers = proc_fs::children(process.pid()).unwrap();
    process.signal(Signal::Kill);
    process.wait_exit(HANG);
    assert!(workers.iter().all(|pid| wait_dead(*pid, HANG)), "{workers:?}");
}

#[test]
fn pass_listener_serves_by_workers_that_hold_the_socket_alone() {
    let process = start("pass_listener");
    process.wait_line(|line| line == "the primary's own copy is closed", HANG);
    assert_eq!(listening_sockets(process.pid()), []);
    let workers = proc_fs::children(process.pid()).unwrap();
    assert_eq!(workers.len(), 4);
    let served: Vec<_> = workers.iter().map(|pid| listening_sockets(*pid)).collect();
    assert!(served.iter().all(|one| one.len() == 1 && one[0] == served[0][0]), "{served:?}");
    let report = Load::new(served[0][0].0).clients(16).requests(2_000).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker.len(), 4, "{report}");
}

#[test]
fn prefork_parent_and_children_all_get_connections() {
    let process = start("prefork");
    let parent = process.pid();
    let address = served_by(parent);
    process.wait_line(|line| line.starts_with("parent") && line.contains("3 children"), HANG);
    let everybody = |report: &portcrew_testkit::http::Report| report.by_worker.len() == 4;
    // The kernel decides, so this is a matter of tries: rounds until each has had one.
    for _ in 0..100 {
        let load = Load::new(address).worker_key("pid").clients(16).requests(400);
        let report = load.time_limit(Duration::from_secs(20)).run();
        report.assert_all_ok();
        if everybody(&report) {
            assert!(report.by_worker.contains_key(&parent.to_string()), "{report}");
            return;
        }
    }
    process.fail("somebody never got a connection");
}
