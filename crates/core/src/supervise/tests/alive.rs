//! Workers that serve no more, and pauses of the primary that are not held against them.

use super::*;

fn is_looked_at(actions: &[Action]) -> bool {
    actions == [Action::Examine { worker: W1 }]
}

fn watched() -> World {
    let mut world = World::with(1, |settings| {
        settings.probe_failures = Some(3);
        settings.answer_within = Some(Duration::from_secs(5));
        settings.watchdog = Some(Duration::from_secs(10));
    });
    world.spawn();
    world.serve(W1);
    world
}

fn restarted(actions: &[Action]) -> Vec<Reason> {
    let reasons = notices(actions).into_iter().filter_map(|it| match it {
        Notice::Restarting { reason, .. } => Some(reason),
        _ => None,
    });
    reasons.collect()
}

fn is_suspected(actions: &[Action]) -> bool {
    actions.contains(&Action::Examine { worker: W1 })
}

fn fails(world: &mut World) -> Vec<Action> {
    let (worker, began, answered) = (W1, world.now, false);
    world.on(Event::Probed { worker, began, answered })
}

#[test]
fn probes_that_fail_in_a_row_end_and_replace_a_worker_and_one_that_is_answered_forgives() {
    let mut world = watched();
    for _ in 0..2 {
        assert_eq!(fails(&mut world), []);
    }
    let (worker, began, answered) = (W1, world.now, true);
    assert_eq!(world.on(Event::Probed { worker, began, answered }), []);
    for _ in 0..2 {
        assert_eq!(fails(&mut world), []);
    }
    assert!(is_looked_at(&fails(&mut world)));
    let actions = found(&mut world, Found::Able);
    assert_eq!(signals(&actions), [(W1, Force::Report)]);
    assert_eq!(restarted(&actions), [Reason::ProbesFailed(3)]);
    assert!(signals(&world.waits(2_000)).contains(&(W1, Force::Kill)));
}

#[test]
fn the_first_probe_that_is_answered_makes_a_worker_ready_and_failures_before_it_do_not_count() {
    let mut world = World::with(1, |settings| settings.probe_failures = Some(1));
    world.spawn();
    assert_eq!(fails(&mut world), []);
    let (worker, began, answered) = (W1, world.now, true);
    world.on(Event::Probed { worker, began, answered });
    assert_eq!(world.crew.ready_workers(), 1);
}

#[test]
fn a_connection_that_is_not_answered_for_too_long_ends_its_worker() {
    let mut world = watched();
    let since = world.now;
    world.waits(4_999);
    assert_eq!(world.on(Event::Owes { worker: W1, since }), []);
    world.waits(1);
    assert!(is_looked_at(&world.on(Event::Owes { worker: W1, since })));
    let actions = found(&mut world, Found::Able);
    assert_eq!(restarted(&actions), [Reason::Unanswered(Duration::from_secs(5))]);
}

#[test]
fn a_worker_that_gives_no_sign_of_life_is_ended() {
    let mut world = watched();
    for _ in 0..5 {
        assert!(!is_suspected(&world.waits(9_999)));
        world.on(Event::Sign { worker: W1 });
    }
    assert!(is_suspected(&world.waits(10_000)));
    let actions = found(&mut world, Found::Able);
    assert_eq!(restarted(&actions), [Reason::SignMissed(Duration::from_secs(10))]);
}

#[test]
fn a_pause_of_the_primary_kills_nobody() {
    let mut world = watched();
    fails(&mut world);
    fails(&mut world);
    let began = world.now;
    // Nobody is called for so long.
    world.now = world.now + Duration::from_secs(60);
    let (worker, answered) = (W1, false);
    assert_eq!(world.on(Event::Owes { worker, since: began }), []);
    for _ in 0..3 {
        assert_eq!(world.on(Event::Probed { worker, began, answered }), []);
    }
    assert!(!is_suspected(&world.waits(0)));
    assert_eq!(fails(&mut world), []);
    assert!(!is_suspected(&world.waits(9_999)));
    assert!(is_suspected(&world.waits(1)));
}

#[test]
fn a_newcomer_that_hangs_within_the_stable_time_fails_the_reload() {
    let mut world = World::serving_with(1, |settings| settings.probe_failures = Some(1));
    world.on(Event::Reload);
    world.spawn();
    world.serve(W2);
    let (worker, began, answered) = (W2, world.now, false);
    world.on(Event::Probed { worker, began, answered });
    let told = notices(&world.on(Event::Examined { worker, found: Found::Able, owes: None }));
    assert!(matches!(
        told[1..],
        [Notice::ReloadFailed { reason: Reason::ProbesFailed(1), .. }, Notice::RolledBack { .. }]
    ));
    assert_eq!(world.stage(W1), Some(Stage::Ready));
}
