//! Workers that are replaced because they are worn, under load, and slots that are to have none any more.

use std::time::Duration;

use portcrew::{CrewNotice, Event, Outcome, Settings, WorkerId, Worn};
use portcrew_testkit::http::Load;

use crate::local::Local;
use crate::support::{Crew, HANG, SERVER, primary};

fn settings() -> Settings {
    let mut settings = Settings::program(SERVER, [""; 0]).silent();
    settings.stable_for = Duration::from_millis(100);
    settings
}

/// Waits until a worker was recycled: who, and why.
fn recycled(local: &mut Local) -> (WorkerId, Worn) {
    let (wanted, why) = local.until(|event| match event {
        Event::Crew(CrewNotice::Recycling { worker, why, .. }) => Some((*worker, *why)),
        _ => None,
    });
    local.until(|event| match event {
        Event::Crew(CrewNotice::Recycled { worker, .. }) => (*worker == wanted).then_some(()),
        _ => None,
    });
    (wanted, why)
}

#[test]
fn a_worker_that_has_taken_its_connections_is_replaced_and_no_request_fails() {
    let mut crew =
        Crew::start(primary(SERVER).env("STABLE_MS", "100").env("MAX_CONNECTIONS", "200"));
    crew.tell("start 2");
    let address = crew.listening(2);
    let load = Load::new(address).clients(4).background();
    let hear = |word: &str| {
        crew.next_where("crew", |event| event["notice"].as_str().unwrap().contains(word));
    };
    hear("Connections(");
    hear("Recycled");
    load.wait_answered(100, HANG);
    load.finish().assert_all_ok();
}

#[test]
fn a_worker_that_has_lived_for_long_enough_is_replaced() {
    let mut settings = settings();
    settings.max_age = Some(Duration::from_secs(1));
    let mut local = Local::new(settings);
    local.cluster.start(1).unwrap();
    let (worker, why) = recycled(&mut local);
    assert_eq!(worker, WorkerId(1));
    assert!(matches!(why, Worn::Age(age) if age >= Duration::from_millis(800)), "{why:?}");
    local.exit(worker);
}

#[test]
fn a_worker_that_has_too_much_memory_is_replaced() {
    let mut settings = settings();
    // Every process has that much.
    settings.max_memory = Some(1);
    let mut local = Local::new(settings);
    local.cluster.start(1).unwrap();
    let (worker, why) = recycled(&mut local);
    assert_eq!(worker, WorkerId(1));
    assert!(matches!(why, Worn::Memory(100_000..)), "{why:?}");
}

#[test]
fn a_successor_that_breaks_costs_the_old_worker_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken");
    let mut settings = settings().env("BROKEN_IF", &broken);
    settings.max_age = Some(Duration::from_secs(1));
    let mut local = Local::new(settings);
    local.cluster.start(1).unwrap();
    local.until(|event| matches!(event, Event::Listening { .. }).then_some(()));
    std::fs::write(&broken, "").unwrap();
    let kept = local.until(|event| match event {
        Event::Crew(CrewNotice::NotRecycled { worker, .. }) => Some(*worker),
        _ => None,
    });
    let worker = local.cluster.worker(kept).unwrap();
    let _: serde_json::Value = local.run(worker.request(&1, HANG)).unwrap();
}

#[test]
fn a_crew_whose_workers_all_end_for_good_has_finished() {
    let mut settings = Settings::program("sh", ["-c", "exit 78"]);
    settings.stop_exit_codes = vec![78];
    let mut local = Local::new(settings);
    local.cluster.start(2).unwrap();
    let outcome = local.until(|event| match event {
        Event::Finished(outcome) => Some(*outcome),
        _ => None,
    });
    assert_eq!(outcome, Outcome::Retired { code: 78 });
}
