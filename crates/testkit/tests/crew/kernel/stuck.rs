//! A worker that accepts nothing for a while: what comes to its socket is handed to the others.

use portcrew_testkit::http::Load;
use portcrew_testkit::process::Signal;
use portcrew_testkit::require_node;

use super::{by_waiting, crew, node, rescued, rust, signal, stop};
use crate::support::HANG;

#[test]
fn clients_of_a_stopped_worker_are_answered_by_the_others_and_later_by_itself() {
    let found = require_node!();
    for program in [rust(), node(&found)] {
        let (mut crew, address) = crew(program, 3);
        let (_, stopped) = by_waiting(&crew)[0];
        stop(&crew, stopped);
        let report = Load::new(address).clients(3).requests(300).per_try_timeout(HANG).run();
        report.assert_all_ok();
        assert_eq!(report.by_worker.len(), 2, "{:?}", report.by_worker);
        assert!(rescued(&mut crew) > 0);
        let books = crew.settled_counts();
        assert_eq!(books.accepted, books.taken, "{books:?}");
        signal(&crew, stopped, Signal::Cont);
        let report = Load::new(address).requests(300).run();
        report.assert_all_ok();
        assert_eq!(report.by_worker.len(), 3, "{:?}", report.by_worker);
    }
}

#[test]
fn where_all_are_stopped_nothing_is_moved_and_nothing_lost() {
    let (mut crew, address) = crew(rust(), 2);
    let workers = by_waiting(&crew);
    for (_, pid) in &workers {
        stop(&crew, *pid);
    }
    let load = Load::new(address).clients(40).per_try_timeout(HANG).background();
    portcrew_testkit::process::eventually("something waits for each", HANG, || {
        by_waiting(&crew).iter().all(|it| it.0 > 5).then_some(())
    });
    // What was moved before both had something is with them; from then on nothing is.
    let moved = rescued(&mut crew);
    let all = portcrew_testkit::process::eventually("all wait", HANG, || {
        let waiting: usize = by_waiting(&crew).iter().map(|it| it.0).sum();
        let moved = rescued(&mut crew);
        (waiting as u64 + moved == 40).then_some(moved)
    });
    assert_eq!(all, moved);
    for (_, pid) in &workers {
        signal(&crew, *pid, Signal::Cont);
    }
    load.wait_answered(200, HANG);
    load.finish().assert_all_ok();
}
