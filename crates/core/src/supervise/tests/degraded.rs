//! Crews whose starts fail too often.

use super::*;

#[test]
fn a_crew_that_never_started_gives_up_when_its_budget_is_spent() {
    for workers in [1, 2, 8] {
        let mut world = World::with(workers, |_| {});
        let actions = world.crash_for(60_000);
        assert!(notices(&actions).contains(&Notice::Degraded));
        let finished = Action::Finished(Outcome::NeverReady { last: Some(CRASH) });
        assert_eq!(actions.last(), Some(&finished), "{workers} workers");
        let starts = forks(&actions).len();
        assert!(starts <= 10.max(2 * workers) + 4, "{starts} starts");
    }
}

#[test]
fn a_crew_that_once_served_tries_one_canary_at_a_time_and_rarely() {
    let mut world = World::serving(4);
    for worker in [W1, W2, W3, W4] {
        world.exit(worker);
    }
    world.crash_for(60_000);
    assert_eq!(world.crew.phase(), Phase::Degraded);
    let waiting = |it: &&(SlotState, Generation)| it.0 == SlotState::BackingOff;
    assert_eq!(world.seats().iter().filter(waiting).count(), 1);
    let actions = world.crash_for(600_000);
    let starts = forks(&actions).len();
    assert!((15..=25).contains(&starts), "{starts} in ten minutes");
}

#[test]
fn a_canary_that_serves_lets_the_crew_fill_its_slots() {
    let mut world = World::serving(3);
    for worker in [W1, W2, W3] {
        world.exit(worker);
    }
    world.crash_for(60_000);
    world.waits(36_000);
    let canary = world.spawn()[0];
    let actions = world.serve(canary);
    assert_eq!(notices(&actions), [Notice::Recovered]);
    for worker in world.spawn() {
        world.serve(worker);
    }
    assert_eq!(world.crew.ready_workers(), 3);
    assert_eq!(world.crew.phase(), Phase::Running);
}

#[test]
fn a_canary_of_a_program_that_never_listens_has_started_when_it_outlives_the_deadline() {
    let mut world = World::with(1, |settings| {
        settings.exit_when_degraded = ExitWhenDegraded::Never;
    });
    world.crash_for(60_000);
    assert_eq!(world.crew.phase(), Phase::Degraded);
    world.waits(36_000);
    world.spawn();
    world.waits(30_000);
    assert_eq!(world.crew.phase(), Phase::Running);
}

#[test]
fn whoever_wants_it_is_told_by_the_end_of_the_crew_also_later() {
    let mut world = World::serving_with(2, |settings| {
        settings.exit_when_degraded = ExitWhenDegraded::Always;
    });
    world.exit(W1);
    world.exit(W2);
    let actions = world.crash_for(60_000);
    assert!(matches!(actions.last(), Some(Action::Finished(Outcome::DiedTooOften { .. }))));
}

#[test]
fn a_reload_heals_a_degraded_crew() {
    let mut world = World::serving(2);
    world.exit(W1);
    world.exit(W2);
    world.crash_for(60_000);
    assert_eq!(world.crew.phase(), Phase::Degraded);
    world.on(Event::Reload);
    for _ in 0..2 {
        for worker in world.spawn() {
            world.serve(worker);
        }
        world.waits(1_000);
    }
    assert_eq!(world.crew.phase(), Phase::Running);
    assert_eq!(world.crew.ready_workers(), 2);
    assert_eq!(world.crew.generation(), G1);
}

#[test]
fn a_degraded_crew_whose_empty_slots_are_not_wanted_any_more_has_recovered() {
    let mut world = World::serving(4);
    for worker in [W2, W3, W4] {
        world.exit(worker);
    }
    world.crash_for(60_000);
    assert_eq!(world.crew.phase(), Phase::Degraded);
    let actions = world.on(Event::Resize { workers: 1 }).to_vec();
    assert_eq!(notices(&actions), [Notice::Resized { workers: 1 }, Notice::Recovered]);
    assert_eq!((world.crew.phase(), world.crew.ready_workers()), (Phase::Running, 1));
}
