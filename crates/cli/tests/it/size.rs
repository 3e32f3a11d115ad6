//! The number of workers: kept when one dies, changed by signals.

use portcrew_testkit::http::Load;
use portcrew_testkit::node::fixture;
use portcrew_testkit::process::Signal;
use portcrew_testkit::require_node;

use crate::crew::run;

#[test]
fn a_worker_that_is_killed_is_replaced() {
    let _node = require_node!();
    let crew = run(["-w".as_ref(), "2".as_ref(), fixture("hello.js").as_os_str()]);
    let address = crew.serving(2);
    let old = crew.pids();
    let victim = *old.first().unwrap();
    crew.process.signal_descendant(victim, Signal::Kill).unwrap();
    let line = crew.says("was ended by SIGKILL; a new one starts in ");
    assert!(line.text.starts_with("portcrew: worker "), "{}", line.text);
    crew.serving(3);
    let new = crew.pids_when(2);
    assert!(!new.contains(&victim));
    assert_eq!(new.intersection(&old).count(), 1);
    let report = Load::new(address).requests(100).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker.len(), 2, "{report}");
}

#[test]
fn signals_make_the_crew_larger_and_smaller_but_never_empty() {
    let _node = require_node!();
    let crew = run(["-w".as_ref(), "1".as_ref(), fixture("hello.js").as_os_str()]);
    let address = crew.serving(1);
    crew.process.signal(Signal::Ttin);
    crew.says("2 workers wanted now");
    crew.serving(2);
    let report = Load::new(address).requests(100).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker, [("1".to_owned(), 50), ("2".to_owned(), 50)].into());
    crew.process.signal(Signal::Ttou);
    crew.says("1 worker wanted now");
    crew.pids_when(1);
    crew.process.signal(Signal::Ttou);
    crew.says("1 worker is the limit; nothing changed");
    Load::new(address).requests(20).run().assert_all_ok();
}
