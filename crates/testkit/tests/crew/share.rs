//! Who gets the connections: exact shares one after another, no error under load, whole books.

use portcrew_testkit::http::Load;
use portcrew_testkit::ledger::Ledger;
use portcrew_testkit::process::artifact::example;

use crate::support::{Crew, even_share, primary};

#[test]
fn one_after_another_two_workers_get_exactly_half_each() {
    let mut crew = Crew::start(primary(example("axum_hello")).env("PORT", "0"));
    let address = crew.fork(2);
    let report = Load::new(address).requests(10_000).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker, even_share(2, 5_000));
    Ledger::new(crew.settled_counts()).with(&report).assert_balanced();
}

#[test]
fn sixty_four_clients_at_once_are_all_answered() {
    let mut crew = Crew::start(primary(example("axum_hello")).env("PORT", "0"));
    let address = crew.fork(2);
    let report = Load::new(address).clients(64).requests(10_000).run();
    report.assert_all_ok();
    println!("64 clients: {:?}, {:?} most over least", report.by_worker, report.max_over_min());
    Ledger::new(crew.settled_counts()).with(&report).assert_balanced();
}

#[test]
fn kept_connections_are_all_answered_and_cost_the_primary_one_each() {
    let mut crew = Crew::start(primary(example("axum_hello")).env("PORT", "0"));
    let address = crew.fork(2);
    let report = Load::new(address).clients(64).keep_alive(100).requests(10_000).run();
    report.assert_all_ok();
    assert!(report.connections < 300, "{report}");
    let counts = crew.settled_counts();
    assert_eq!(counts.accepted, report.connections);
    Ledger::new(counts).with(&report).assert_balanced();
}

#[test]
fn the_channel_alone_serves_as_exactly_as_the_lane() {
    let mut crew = Crew::start(primary(example("axum_hello")).env("PORT", "0").env("LANE", "0"));
    let address = crew.fork(4);
    let report = Load::new(address).requests(2_000).run();
    report.assert_all_ok();
    assert_eq!(report.by_worker, even_share(4, 500));
    Load::new(address).clients(64).requests(2_000).run().assert_all_ok();
}
