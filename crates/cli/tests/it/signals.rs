//! Signals that were ignored when the command started.

use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Program, Signal};
use portcrew_testkit::require_node;

use crate::crew::Crew;

#[test]
fn a_hang_up_that_was_ignored_at_the_start_stays_ignored() {
    let _node = require_node!();
    // What `nohup` does.
    let program = Program::new("sh")
        .args(["-c", "trap '' HUP; exec \"$@\"", "sh"])
        .args([env!("CARGO_BIN_EXE_portcrew"), "run", "-w", "1"])
        .arg(fixture("hello.js"));
    let mut crew = Crew { process: program.start() };
    crew.serving(1);
    let old = crew.pids();
    crew.process.signal(Signal::Hup);
    // Behind it in time: when this one has been obeyed, the other would have been.
    crew.process.signal(Signal::Ttin);
    crew.says("2 workers wanted now");
    crew.serving(2);
    assert!(crew.pids().is_superset(&old));
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 0);
    assert!(!crew.said().iter().any(|line| line.contains("reload")), "{:?}", crew.said());
}
