//! The end of a crew: as asked, in time, or by force.

use std::fs;

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::{Signal, proc_fs, wait_dead};
use portcrew_testkit::require_node;

use crate::crew::{assert_gone, run};

#[test]
fn a_crew_that_is_asked_to_stop_leaves_nobody_behind() {
    let _node = require_node!();
    for signal in [Signal::Term, Signal::Int] {
        let mut crew = run(["-w".as_ref(), "2".as_ref(), fixture("hello.js").as_os_str()]);
        Load::new(crew.serving(2)).requests(10).run().assert_all_ok();
        let pids = crew.pids();
        assert_eq!(pids.len(), 2);
        crew.process.signal(signal);
        assert_eq!(crew.status(), 0);
        assert_gone(&pids);
        assert_eq!(crew.said().last().unwrap(), "stopped");
    }
}

#[test]
fn a_second_signal_ends_workers_that_do_not_leave() {
    let _node = require_node!();
    let script = fixture("never_listens.js");
    let args = ["-w".as_ref(), "2".as_ref(), "--grace".as_ref(), "1h".as_ref()];
    let mut crew = run(args.into_iter().chain([script.as_os_str()]));
    let pids = crew.pids_when(2);
    for worker in 1..=2 {
        let alive = format!("{worker} | ALIVE ");
        crew.process.wait_line(|line| line.starts_with(&alive), crate::crew::HANG);
    }
    crew.process.signal(Signal::Int);
    crew.says("stopping: ");
    crew.process.signal(Signal::Int);
    assert_eq!(crew.status(), 4);
    assert_gone(&pids);
    assert_eq!(crew.said().last().unwrap(), "stopped by force: 2 workers killed");
}

#[test]
fn a_worker_that_ignores_every_word_is_killed_when_the_grace_is_over() {
    let _node = require_node!();
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("stubborn.js");
    let text = "process.on('SIGTERM', () => console.log('NO'));\
        setInterval(() => {}, 1 << 30); console.log('READY');";
    fs::write(&script, text).unwrap();
    let args = ["-w".as_ref(), "1".as_ref(), "--grace".as_ref(), "100ms".as_ref()];
    let mut crew = run(args.into_iter().chain([script.as_os_str()]));
    crew.process.wait_line(|line| line == "1 | READY", crate::crew::HANG);
    crew.process.signal(Signal::Term);
    crew.process.wait_line(|line| line == "1 | NO", crate::crew::HANG);
    assert_eq!(crew.status(), 4);
    let said = crew.said();
    for step in ["worker 1 has not left; it gets SIGTERM", "worker 1 has not left; it gets SIGKILL"]
    {
        assert!(said.iter().any(|line| line == step), "{step}: {said:?}");
    }
}

#[test]
fn the_time_from_sigterm_to_sigkill_is_the_one_that_was_chosen() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("stubborn.sh");
    fs::write(&script, "trap '' TERM; echo UP; while :; do sleep 1000; done").unwrap();
    let begin = |time: &str| {
        let options = ["-w", "1", "--grace", "0", "--kill-after", time];
        let options = options.map(AsRef::<std::ffi::OsStr>::as_ref);
        let crew = run(options.into_iter().chain([script.as_os_str()]));
        crew.process.wait_line(|line| line == "1 | UP", crate::crew::HANG);
        crew.process.signal(Signal::Term);
        crew.says("worker 1 has not left; it gets SIGTERM");
        crew
    };
    let killed = |crew: &crate::crew::Crew| {
        crew.said().iter().any(|line| line == "worker 1 has not left; it gets SIGKILL")
    };
    let mut patient = begin("1h");
    // With one time for all, whatever it is, the one that was asked first would be over first.
    let mut hasty = begin("0");
    assert_eq!(hasty.status(), 4);
    assert!(killed(&hasty));
    patient.process.signal(Signal::Term);
    assert_eq!(patient.status(), 4);
    assert!(!killed(&patient), "{:?}", patient.said());
}

#[test]
fn workers_that_stand_still_and_children_that_ignore_signals_end_with_their_crew() {
    let directory = tempfile::tempdir().unwrap();
    let script = directory.path().join("stubborn.sh");
    let text = "(trap '' TERM; echo CHILD; exec sleep 1000) & echo UP; kill -STOP $$";
    fs::write(&script, text).unwrap();
    let options = ["-w", "2", "--grace", "100ms"].map(AsRef::<std::ffi::OsStr>::as_ref);
    let mut crew = run(options.into_iter().chain([script.as_os_str()]));
    let mut up = 0;
    let mut is_last = |line: &str| {
        up += usize::from(line.ends_with("| UP") || line.ends_with("| CHILD"));
        up == 4
    };
    crew.process.wait_line(&mut is_last, crate::crew::HANG);
    let all = proc_fs::descendants(crew.process.pid());
    assert!(all.len() >= 4, "{all:?}");
    crew.process.signal(Signal::Term);
    assert_eq!(crew.status(), 4);
    // Children of dead workers are zombies of this process now.
    assert!(all.iter().all(|pid| wait_dead(*pid, crate::crew::HANG)), "{all:?}");
}
