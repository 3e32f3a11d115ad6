//! A worker dies at one point of the protocol: what it cannot have touched is answered by another.

use std::time::Duration;

use portcrew_testkit::http::{Background, Load, Report};
use portcrew_testkit::process::eventually;
use serde_json::Value;

use crate::support::{Crew, HANG, ROGUE, SERVER, primary};

/// A crew of one good worker and one that plays `part`, loaded until the latter holds connections.
struct Scene {
    crew: Crew,
    load: Background,
}

impl Scene {
    fn new(part: &str, lane: bool) -> Self {
        let program = primary(SERVER).env("LANE", if lane { "1" } else { "0" });
        let mut crew = Crew::start(program);
        let address = crew.fork(1);
        let load = Load::new(address).clients(8).per_try_timeout(HANG);
        Self::with(crew, load, part)
    }

    fn with(mut crew: Crew, load: Load, part: &str) -> Self {
        crew.tell(&format!("program {ROGUE} {part}"));
        crew.tell("fork");
        crew.process.wait_line(|line| line == "READY", HANG);
        crew.next("listening");
        Self { load: load.background(), crew }
    }

    /// Waits for the sign that the rogue is at its point, kills it, and lets the load end.
    fn kill(mut self, sign: &str) -> (Report, Value) {
        if sign.is_empty() {
            eventually("the rogue is offered a connection", HANG, || {
                (self.crew.snapshot()["offered"].as_u64() > Some(0)).then_some(())
            });
        } else {
            self.crew.process.wait_line(|line| line.starts_with(sign), HANG);
        }
        self.crew.tell("kill 2 SIGKILL");
        self.crew.next("exit");
        self.load.wait_answered(50, HANG);
        let report = self.load.finish();
        self.crew.settled_counts();
        (report, self.crew.snapshot())
    }
}

fn is_answered_by_another(part: &str, lane: bool, sign: &str) {
    let (report, counts) = Scene::new(part, lane).kill(sign);
    report.assert_all_ok();
    assert!(counts["offered_again"].as_u64() > Some(0), "{counts}");
    assert!(!report.by_worker.contains_key("2"), "{report}");
}

#[test]
fn what_a_dead_worker_never_received_is_answered_by_another() {
    is_answered_by_another("deaf", true, "");
    is_answered_by_another("deaf", false, "");
}

#[test]
fn what_a_dead_worker_received_and_did_not_touch_is_answered_by_another() {
    is_answered_by_another("mute", true, "RECEIVED");
    is_answered_by_another("mute", false, "RECEIVED");
}

#[test]
fn what_a_dead_worker_had_read_from_is_closed_and_counted() {
    for lane in [true, false] {
        let (report, counts) = Scene::new("nibbler", lane).kill("TOUCHED");
        let touched = counts["closed"]["touched"].as_u64().unwrap();
        assert!(touched > 0, "{counts}");
        assert_eq!(report.reset + report.eof_without_answer, touched, "{report}");
        assert_eq!(report.failures(), touched, "{report}");
    }
}

#[test]
fn on_a_path_nothing_can_be_proven_so_it_is_closed_and_counted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let mut crew = Crew::start(primary(SERVER).env("ADDRESS", format!("unix:{}", path.display())));
    crew.tell("fork");
    crew.next("listening");
    let load = Load::new(path).clients(8).per_try_timeout(Duration::from_secs(20));
    let (report, counts) = Scene::with(crew, load, "mute").kill("RECEIVED");
    let unprovable = counts["closed"]["unprovable"].as_u64().unwrap();
    assert!(unprovable > 0, "{counts}");
    assert_eq!(report.failures(), unprovable, "{report}");
}
