//! Workers that hang: what is stuck in them is answered by others, what they were doing is told, and nobody is ended for
//! a silence that was not theirs.

use std::net::SocketAddr;

use portcrew_testkit::http::{Background, Load};
use portcrew_testkit::ledger::Ledger;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Program, Signal, eventually};
use portcrew_testkit::require_node;
use serde_json::Value;

use crate::support::{Crew, HANG, ROGUE, SERVER, primary};

/// More than one worker may have unanswered, so that some clients always go on.
const CLIENTS: usize = 48;

/// A crew, where it listens, and its workers' processes: that of worker N at N - 1.
struct Scene {
    crew: Crew,
    address: SocketAddr,
    pids: Vec<u32>,
}

impl Scene {
    /// `answer_ms` is how long a worker may owe an answer.
    fn new(program: Program, workers: usize, answer_ms: u32) -> Self {
        let mut crew = Crew::start(program.env("ANSWER_MS", answer_ms.to_string()));
        crew.tell(&format!("start {workers}"));
        let pid = |_| u32::try_from(crew.next("fork")["pid"].as_u64().unwrap()).unwrap();
        let pids = (0..workers).map(pid).collect();
        let address = crew.listening(workers);
        Self { crew, address, pids }
    }

    fn load(&self) -> Background {
        Load::new(self.address).clients(CLIENTS).per_try_timeout(HANG).background()
    }

    fn signal(&self, worker: usize, signal: Signal) {
        self.crew.process.signal_descendant(self.pids[worker - 1], signal).unwrap();
    }

    /// Blocks the runtime of a worker of the library.
    fn block(&mut self, worker: usize, how: &str) {
        self.crew.tell(&format!(r#"send {worker} {{"op":"hang","how":"{how}"}}"#));
        self.crew.next("blocked");
    }

    /// Waits until somebody owes an answer.
    fn wait_owed(&mut self) {
        eventually("a connection is not answered", HANG, || {
            (self.crew.snapshot()["offered"].as_u64() > Some(0)).then_some(())
        });
    }

    fn is_told(&self, kind: &str) -> bool {
        let kind = format!(r#""event":"{kind}""#);
        self.crew.process.lines().iter().any(|line| line.text.contains(&kind))
    }

    /// Lets the load end: every request was answered, and both books say so.
    fn end(&mut self, load: Background) -> Value {
        let report = load.finish();
        report.assert_all_ok();
        Ledger::new(self.crew.settled_counts()).with(&report).assert_balanced();
        self.crew.assert_no_panic();
        self.crew.snapshot()
    }
}

/// Returns when a worker that owes an answer since after this call has been found to hang: so long a deadline has
/// passed, for whoever owes for longer.
fn wait_for_a_deadline(answer_ms: u32) {
    let other = Scene::new(primary(SERVER), 1, answer_ms);
    other.signal(1, Signal::Stop);
    let load = Load::new(other.address).requests(1).per_try_timeout(HANG).background();
    other.crew.next("hangs");
    load.finish().assert_all_ok();
}

#[test]
fn what_is_stuck_in_a_stopped_worker_is_answered_by_others_which_go_on_meanwhile() {
    let mut scene = Scene::new(primary(SERVER), 3, 2_000);
    // No request is inside it, so none is lost with it.
    scene.signal(1, Signal::Stop);
    let load = scene.load();
    load.wait_answered(300, HANG);
    let hangs = scene.crew.next("hangs");
    assert_eq!((&hangs["worker"], &hangs["found"]), (&1.into(), &"Stopped".into()), "{hangs}");
    assert_eq!(hangs["state"], "Stopped");
    // It hears nothing else, so it is not asked with another signal first.
    assert_eq!(scene.crew.next("exit")["signal"], 9);
    scene.crew.next("listening");
    load.wait_answered(50, HANG);
    let counts = scene.end(load);
    assert!(counts["offered_again"].as_u64() > Some(0), "{counts}");
}

#[test]
fn a_worker_that_goes_on_before_the_deadline_is_left_alone_and_answers_once() {
    let mut scene = Scene::new(primary(SERVER), 3, 20_000);
    let load = scene.load();
    for round in 0..12 {
        let worker = 1 + round % 3;
        scene.signal(worker, Signal::Stop);
        load.wait_answered(20, HANG);
        scene.signal(worker, Signal::Cont);
    }
    let counts = scene.end(load);
    assert_eq!((&counts["offered_again"], &counts["stray_answers"]), (&0.into(), &0.into()));
    assert!(!scene.is_told("hangs") && !scene.is_told("exit"));
}

#[test]
fn a_worker_that_spins_is_said_to_run_and_its_connections_are_answered_by_another() {
    let mut scene = Scene::new(primary(SERVER), 2, 1_000);
    scene.block(1, "spin");
    let load = scene.load();
    let hangs = scene.crew.next("hangs");
    assert_eq!((&hangs["worker"], &hangs["found"]), (&1.into(), &"Able".into()), "{hangs}");
    assert_eq!(hangs["state"], "Running");
    // How much it got of a processor in so short a time is the machine's affair.
    assert!(hangs["cpu"].is_u64(), "{hangs}");
    assert_eq!(scene.crew.next("exit")["signal"], 15);
    load.wait_answered(100, HANG);
    let counts = scene.end(load);
    assert!(counts["offered_again"].as_u64() > Some(0), "{counts}");
}

#[test]
fn a_worker_whose_thread_waits_is_said_to_sleep() {
    let mut scene = Scene::new(primary(SERVER), 2, 1_000);
    scene.block(1, "sleep");
    let load = scene.load();
    let hangs = scene.crew.next("hangs");
    assert_eq!((&hangs["found"], &hangs["state"]), (&"Able".into(), &"Sleeping".into()), "{hangs}");
    scene.crew.next("exit");
    scene.end(load);
}

#[test]
fn a_node_worker_whose_event_loop_is_blocked_takes_that_request_with_it_and_no_other() {
    let node = require_node!();
    let program = primary(node.path()).arg(fixture("hang.js"));
    let mut scene = Scene::new(program, 2, 1_000);
    let inside =
        Load::new(scene.address).path("/spin").requests(1).per_try_timeout(HANG).background();
    scene.crew.process.wait_line(|line| line.starts_with("SPINS"), HANG);
    let load = scene.load();
    let hangs = scene.crew.next("hangs");
    assert_eq!((&hangs["found"], &hangs["state"]), (&"Able".into(), &"Running".into()), "{hangs}");
    // Its event loop is what would obey SIGTERM otherwise; without a handler the kernel does.
    scene.crew.next("exit");
    scene.crew.next("listening");
    load.wait_answered(100, HANG);
    let (report, inside) = (load.finish(), inside.finish());
    report.assert_all_ok();
    assert_eq!(inside.failures(), 1, "{inside}");
    let counts = scene.crew.settled_counts();
    Ledger::new(counts).with(&report).with(&inside).allow_failures(1).assert_balanced();
}

#[test]
fn an_idle_worker_whose_runtime_is_blocked_is_noticed_before_a_connection_meets_it() {
    let mut scene = Scene::new(primary(SERVER).env("HEARTBEAT_MS", "1000"), 2, 60_000);
    scene.block(2, "sleep");
    let hangs = scene.crew.next("hangs");
    assert_eq!((&hangs["worker"], &hangs["reason"]), (&2.into(), &"NoBeat(1s)".into()), "{hangs}");
    assert_eq!(scene.crew.next("exit")["worker"], 2);
    scene.crew.next("listening");
    let load = scene.load();
    load.wait_answered(100, HANG);
    let counts = scene.end(load);
    assert_eq!(counts["offered_again"], 0, "nobody has met it");
}

#[test]
fn a_worker_that_accepts_no_more_is_left_alone_while_its_runtime_turns() {
    let mut scene = Scene::new(primary(SERVER), 1, 1_000);
    scene.crew.tell(r#"send 1 {"op":"full"}"#);
    scene.crew.next("message");
    let load = scene.load();
    scene.wait_owed();
    wait_for_a_deadline(3_500);
    assert!(!scene.is_told("hangs") && !scene.is_told("exit"));
    scene.crew.tell(r#"send 1 {"op":"full"}"#);
    load.wait_answered(100, HANG);
    scene.end(load);
    assert!(!scene.is_told("hangs") && !scene.is_told("exit"));
}

#[test]
fn no_beat_is_held_against_a_worker_that_does_not_know_it() {
    let beats = |program: Program| program.env("HEARTBEAT_MS", "1000");
    let silent = Scene::new(beats(primary(ROGUE).arg("deaf")), 1, 60_000);
    let mut other = Scene::new(beats(primary(SERVER)), 1, 60_000);
    other.block(1, "sleep");
    other.crew.next("hangs");
    assert!(!silent.is_told("hangs") && !silent.is_told("exit"));
}

#[test]
fn a_pause_of_the_primary_beyond_the_deadline_is_held_against_nobody() {
    let mut scene = Scene::new(primary(SERVER).env("HEARTBEAT_MS", "1000"), 3, 1_000);
    let load = scene.load();
    load.wait_answered(100, HANG);
    // Each is stopped while it has something to answer, and goes on while nobody can hear it.
    (1..=3).for_each(|worker| scene.signal(worker, Signal::Stop));
    scene.wait_owed();
    scene.crew.process.signal(Signal::Stop);
    (1..=3).for_each(|worker| scene.signal(worker, Signal::Cont));
    wait_for_a_deadline(1_500);
    scene.crew.process.signal(Signal::Cont);
    load.wait_answered(100, HANG);
    scene.end(load);
    assert!(!scene.is_told("hangs") && !scene.is_told("exit"));
}

#[test]
fn a_worker_with_an_inspector_may_stand_at_a_breakpoint() {
    let node = require_node!();
    let program = primary(node.path()).arg("--inspect=0").arg(fixture("hang.js"));
    let mut scene = Scene::new(program, 1, 1_000);
    let spin = |count| Load::new(scene.address).path("/spin").clients(count).requests(count as u64);
    let loads = [1, 3].map(|count| {
        let load = spin(count).per_try_timeout(HANG).background();
        scene.crew.process.wait_line(|line| line.starts_with("SPINS"), HANG);
        load
    });
    scene.wait_owed();
    wait_for_a_deadline(1_000);
    assert!(!scene.is_told("hangs"));
    scene.crew.tell("stop-now");
    scene.crew.next("finished");
    // What became of the requests is another matter: they were inside.
    loads.into_iter().for_each(|load| drop(load.finish()));
}

#[test]
fn the_signal_for_workers_that_hang_is_the_first_that_one_gets() {
    let mut scene = Scene::new(primary(SERVER).env("HANG_SIGNAL", "SIGABRT"), 2, 1_000);
    scene.block(1, "spin");
    let load = scene.load();
    scene.crew.next("hangs");
    assert_eq!(scene.crew.next("exit")["signal"], 6);
    scene.end(load);
}
