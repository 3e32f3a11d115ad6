//! `--register`: Node workers that leave lose no request of a client that keeps its connection.

use std::time::Duration;

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Mark, Signal};
use portcrew_testkit::require_node;

use crate::crew::{Crew, HANG, is_said, portcrew};

const CLIENTS: usize = 16;

/// How often the crew is reloaded: in a run of all tests, and in a soak.
fn reloads() -> u64 {
    if std::env::var_os("PORTCREW_SOAK").is_some_and(|it| it == "1") { 100 } else { 2 }
}

fn crew(options: &[&str]) -> (Crew, tempfile::TempDir) {
    let state = tempfile::tempdir().unwrap();
    let program = portcrew("run").env("XDG_STATE_HOME", state.path()).env("HOME", state.path());
    let program = program.args(["-w", "2"]).args(options).arg(fixture("hello.js"));
    (Crew { process: program.start() }, state)
}

#[test]
fn reloads_under_kept_connections_announce_each_end_and_lose_nothing() {
    let _node = require_node!();
    let (crew, _state) = crew(&["--register"]);
    let load = Load::new(crew.serving(2)).clients(CLIENTS).keep_alive(u32::MAX);
    let load = load.think(Duration::from_millis(20)).time_limit(Duration::from_secs(3_000));
    let load = load.background();
    let mut mark = Mark::default();
    for _ in 0..reloads() {
        load.wait_answered(200, HANG);
        crew.process.signal(Signal::Hup);
        mark = crew.process.wait_line_after(mark, is_said("reload: done in "), HANG).mark;
    }
    // The last of the old workers may still linger.
    crew.pids_when(2);
    load.wait_answered(200, HANG);
    let report = load.finish();
    report.assert_all_ok();
    assert!(report.announced > 0, "{report}");
    assert_eq!(report.reconnects, 0, "a connection ended unannounced:\n{report}");
    assert_eq!(report.connections, report.announced + CLIENTS as u64, "{report}");
}

#[test]
fn a_place_that_cannot_be_written_is_refused_before_anything_starts() {
    let _node = require_node!();
    let program = portcrew("run").env("XDG_STATE_HOME", "/proc/self").args(["--register"]);
    let mut crew = Crew { process: program.arg(fixture("hello.js")).start() };
    crew.says("--register cannot put the module that workers load into /proc/self/portcrew: ");
    assert_eq!(crew.status(), 2);
}
