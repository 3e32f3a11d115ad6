//! A worker dies whenever it is started: starts are bounded, and who waits is served by the first one that lives.

use std::time::{Duration, Instant};

use portcrew::{CrewNotice, Event, Outcome, Settings, Signal};
use portcrew_testkit::faults::{Client, Fate, Kind};

use crate::local::Local;
use crate::support::{HANG, SERVER};

/// The first delay of a restart, less the fifth by which it is spread: `supervise::Settings::restart_first`.
const SHORTEST_DELAY: Duration = Duration::from_millis(80);
/// `supervise::Settings::crew_budget`.
const BUDGET: usize = 10;

#[test]
fn a_program_that_never_starts_is_tried_no_more_often_than_the_budget_allows() {
    let mut local = Local::new(Settings::program("false", [""; 0]));
    local.cluster.start(2).unwrap();
    let (mut starts, mut delays) = (0, Vec::new());
    let outcome = loop {
        match local.next() {
            Event::Fork { .. } => starts += 1,
            Event::Crew(CrewNotice::Restarting { delay, .. }) => delays.push(delay),
            Event::Finished(outcome) => break outcome,
            _ => {}
        }
    };
    assert!(matches!(outcome, Outcome::NeverReady { .. }), "{outcome}");
    assert!((3..=BUDGET + 1).contains(&starts), "{starts} starts");
    assert!(delays.iter().all(|delay| *delay >= SHORTEST_DELAY), "{delays:?}");
}

#[test]
fn who_comes_while_every_start_fails_is_answered_by_the_first_worker_that_lives() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken");
    let settings = Settings::program(SERVER, [""; 0]).env("BROKEN_IF", &broken).silent();
    let mut local = Local::new(settings);
    local.cluster.start(1).unwrap();
    let first = local.until(|event| match event {
        Event::Fork { process, .. } => Some(process.clone()),
        _ => None,
    });
    let port = local.until(|event| match event {
        Event::Listening { address, .. } => address.port,
        _ => None,
    });
    std::fs::write(&broken, "").unwrap();
    let began = Instant::now();
    first.kill(Signal::Kill);
    local.exit(first.id());
    let to = ([127, 0, 0, 1], port).into();
    let clients = [Kind::Plain, Kind::HalfClosed].map(|kind| {
        let client = Client::connect(kind, to).unwrap();
        local.runtime.spawn_blocking(move || client.fate(HANG))
    });
    for _ in 0..4 {
        local.until(|event| matches!(event, Event::Exit { .. }).then_some(()));
    }
    assert!(began.elapsed() >= SHORTEST_DELAY * 3, "four starts in {:?}", began.elapsed());
    std::fs::remove_file(&broken).unwrap();
    local.until(|event| matches!(event, Event::Listening { .. }).then_some(()));
    for fate in clients {
        // The cluster goes on in this thread.
        let fate = local.run(fate).unwrap();
        assert!(matches!(fate, Fate::Answered(worker) if worker > 1), "{fate:?}");
    }
}
