//! Clients that keep their connections lose nothing when every worker is replaced: each is told `Connection: close`
//! before its connection ends, also one that was idle when its worker was told to leave.

use std::time::Duration;

use portcrew_testkit::http::{Load, Report};
use portcrew_testkit::process::artifact::example;
use portcrew_testkit::process::{Process, Program, Signal, eventually, proc_fs};

use crate::support::{HANG, scaled, served_by};

/// Requests on one connection: more than any client makes here, so that only the server ends one.
const UNENDING: u32 = u32::MAX;

/// Between an answer and the next request a client is silent for so long: most connections are idle at any moment.
const THINK: Duration = Duration::from_millis(20);

/// Reloads that crew again and again under clients that keep their connections.
fn reloaded_under_kept_connections(name: &str, think: Duration) -> Report {
    let program = Program::new(example(name)).env("PORT", "0");
    let mut process = program.env_remove("NODE_CLUSTER_SCHED_POLICY").start();
    let address = served_by(process.pid());
    let load = Load::new(address).clients(16).think(think).keep_alive(UNENDING);
    let load = load.time_limit(Duration::from_secs(3_000)).background();
    for _ in 0..scaled(2, 100) {
        load.wait_answered(200, HANG);
        reload(&process);
    }
    load.wait_answered(200, HANG);
    let report = load.finish();
    process.signal(Signal::Term);
    assert!(process.wait_exit(HANG).success());
    report
}

/// Replaces every worker, and waits until the old ones have gone.
fn reload(process: &Process) {
    let old = proc_fs::children(process.pid()).unwrap();
    process.signal(Signal::Hup);
    eventually("every worker is a new one", HANG, || {
        let now = proc_fs::children(process.pid()).unwrap();
        (now.len() == old.len() && now.iter().all(|pid| !old.contains(pid))).then_some(())
    });
}

fn assert_nothing_lost(report: &Report) {
    report.assert_all_ok();
    assert!(report.announced > 0, "{report}");
    assert_eq!(report.reconnects, 0, "a connection ended unannounced:\n{report}");
    let ends = report.announced + 16;
    assert_eq!(report.connections, ends, "one connection for each announcement:\n{report}");
}

#[test]
fn an_axum_crew_announces_each_end_to_clients_that_pause() {
    assert_nothing_lost(&reloaded_under_kept_connections("axum_hello", THINK));
}

#[test]
fn a_hyper_crew_announces_each_end_to_clients_that_pause() {
    assert_nothing_lost(&reloaded_under_kept_connections("hyper_hello", THINK));
}

#[test]
fn a_crew_that_is_never_idle_announces_each_end_as_well() {
    assert_nothing_lost(&reloaded_under_kept_connections("axum_hello", Duration::ZERO));
}
