//! A worker that dies: its socket stays, with all that waits in it.

use std::time::Duration;

use portcrew_testkit::http::Load;
use portcrew_testkit::process::{Signal, eventually};
use portcrew_testkit::require_node;

use super::{by_waiting, crew, node, rescued, rust, signal, stop};
use crate::support::{Crew, HANG, scaled};

/// No load lasts longer.
const LONG: Duration = Duration::from_secs(600);

#[test]
fn what_waits_for_one_that_is_killed_is_answered_by_another() {
    let found = require_node!();
    for program in [rust(), node(&found)] {
        let (mut crew, address) = crew(program, 2);
        let workers = by_waiting(&crew);
        for (_, pid) in &workers {
            stop(&crew, *pid);
        }
        let load = Load::new(address).clients(40).requests(40).per_try_timeout(HANG).background();
        eventually("all wait", HANG, || {
            (by_waiting(&crew).iter().map(|it| it.0).sum::<usize>() == 40).then_some(())
        });
        signal(&crew, workers[0].1, Signal::Kill);
        signal(&crew, workers[1].1, Signal::Cont);
        load.finish().assert_all_ok();
        assert!(rescued(&mut crew) > 0);
    }
}

#[test]
fn what_waits_for_the_only_worker_goes_to_its_successor() {
    let (crew, address) = crew(rust(), 1);
    let (_, worker) = by_waiting(&crew)[0];
    stop(&crew, worker);
    let load = Load::new(address).clients(20).requests(20).per_try_timeout(HANG).background();
    eventually("all wait", HANG, || (by_waiting(&crew)[0].0 == 20).then_some(()));
    signal(&crew, worker, Signal::Kill);
    load.finish().assert_all_ok();
}

#[test]
fn kills_under_load_cost_what_was_inside_and_refuse_nobody() {
    let found = require_node!();
    for program in [rust(), node(&found)] {
        // Each is replaced at once, so that there are always three to choose from.
        let mut crew = Crew::start(program.env("RESPAWN", "1"));
        let address = crew.fork(3);
        let load = Load::new(address).clients(16).time_limit(LONG).background();
        for _ in 0..scaled(8, 500) {
            load.wait_answered(50, HANG);
            let (_, pid) = by_waiting(&crew)[0];
            signal(&crew, pid, Signal::Kill);
            crew.next("exit");
            crew.next("listening");
        }
        let report = load.finish();
        let hung = report.timeout + report.never_connected;
        assert_eq!((report.refused, hung), (0, 0), "{report}");
    }
}
