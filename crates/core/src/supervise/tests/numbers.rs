//! Reloads by numbers: how many newcomers at once, and how many slots may be without a ready worker meanwhile.

use super::*;

fn serving(workers: usize, surge: usize, max_unavailable: usize) -> World {
    World::serving_with(workers, |settings| {
        (settings.surge, settings.max_unavailable) = (surge, max_unavailable);
    })
}

fn slots(actions: &[Action]) -> Vec<SlotId> {
    forks(actions).iter().map(|it| it.1).collect()
}

#[test]
fn so_many_newcomers_stand_beside_the_old_ones_as_the_surge_says() {
    let mut world = serving(3, 2, 0);
    let actions = world.on(Event::Reload);
    assert_eq!((slots(&actions), disconnected(&actions)), (vec![S0, S1], vec![]));
    let newcomers = world.spawn();
    world.serve(newcomers[1]);
    let actions = world.waits(1_000);
    assert_eq!((disconnected(&actions), slots(&actions)), (vec![W2], vec![SlotId(2)]));
}

#[test]
fn a_surge_of_none_is_one_where_nobody_may_be_missing() {
    let mut world = serving(2, 0, 0);
    let actions = world.on(Event::Reload);
    assert_eq!((slots(&actions), disconnected(&actions)), (vec![S0], vec![]));
}

#[test]
fn workers_may_be_given_for_ever_to_end() {
    let settings = Settings { term_grace: Duration::MAX, ..Settings::default() };
    assert_eq!(settings.longest_end(), Duration::MAX);
}

#[test]
fn where_one_may_be_missing_and_none_may_be_more_the_old_one_has_ended_before_the_new_one_comes() {
    let mut world = serving(2, 0, 1);
    let actions = world.on(Event::Reload);
    assert_eq!((slots(&actions), disconnected(&actions)), (vec![], vec![W1]));
    assert_eq!(slots(&world.exit_with(W1, Exit::Code(0), true)), [S0]);
    let newcomer = world.spawn()[0];
    world.serve(newcomer);
    let actions = world.waits(1_000);
    assert_eq!((slots(&actions), disconnected(&actions)), (vec![], vec![W2]));
}

#[test]
fn with_both_some_come_beside_and_some_in_place_of_the_old_ones() {
    let mut world = serving(4, 1, 1);
    let actions = world.on(Event::Reload);
    assert_eq!((slots(&actions), disconnected(&actions)), (vec![S0], vec![W2]));
    assert_eq!(slots(&world.exit_with(W2, Exit::Code(0), true)), [S1]);
}

#[test]
fn a_slot_that_is_missing_already_counts() {
    let mut world = serving(3, 0, 1);
    world.exit(W1);
    world.waits(120);
    world.spawn();
    let actions = world.on(Event::Reload);
    assert_eq!(signals(&actions), [(W4, Force::Terminate)], "it serves nobody yet");
    assert_eq!(disconnected(&actions), []);
    let actions = world.exit_with(W4, Exit::Code(0), true);
    assert_eq!((slots(&actions), disconnected(&actions)), (vec![S0], vec![]));
}

#[test]
fn a_slot_that_was_cleared_for_a_newcomer_that_fails_has_its_old_program_again() {
    let mut world = serving(2, 0, 1);
    world.on(Event::Reload);
    world.exit_with(W1, Exit::Code(0), true);
    let newcomer = world.spawn()[0];
    let actions = world.exit(newcomer);
    let told = notices(&actions);
    assert!(matches!(told[..], [Notice::ReloadFailed { .. }, Notice::RolledBack { .. }]));
    let asked: Vec<_> = forks(&actions).iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(asked, [(S0, G0)]);
    assert_eq!(disconnected(&actions), []);
}

#[test]
fn one_failure_ends_all_trials() {
    let mut world = serving(3, 3, 0);
    world.on(Event::Reload);
    let newcomers = world.spawn();
    let actions = world.exit(newcomers[1]);
    let ended: Vec<_> = signals(&actions).iter().map(|it| it.0).collect();
    assert_eq!(ended, [newcomers[0], newcomers[2]]);
    assert_eq!(world.crew.ready_workers(), 3);
    assert_eq!(world.crew.phase(), Phase::Running);
}

#[test]
fn a_reload_that_waits_for_workers_that_never_come_is_rolled_back_in_time() {
    let mut world = serving(2, 0, 1);
    world.on(Event::Reload);
    world.exit_with(W1, Exit::Code(0), true);
    let first = world.spawn()[0];
    world.serve(first);
    world.waits(1_000);
    // Too many are missing before the other one can be sent away: the new one has left, and its like says nothing.
    world.exit_with(W2, Exit::Code(0), true);
    let second = world.spawn()[0];
    world.serve(second);
    world.on(Event::Scale { by: 2 });
    let late: Vec<_> = world.spawn();
    for worker in &late {
        world.on(Event::Online { worker: *worker });
    }
    let actions = world.waits(3_600_000);
    let told = notices(&actions);
    let verdict =
        |it: &&Notice| matches!(it, Notice::RolledBack { .. } | Notice::ReloadCommitted { .. });
    assert_eq!(told.iter().filter(verdict).count(), 1, "{told:?}");
}

#[test]
fn where_two_must_not_meet_a_slot_waits_for_the_end_of_its_last_process() {
    let mut world = World::serving_with(2, |settings| settings.overlap = false);
    let (worker, planned) = (W1, true);
    let actions = world.on(Event::Disconnected { worker, planned });
    assert_eq!(slots(&actions), [], "it has not ended");
    assert_eq!(slots(&world.exit_with(W1, Exit::Code(0), true)), [S0]);
    let successor = world.spawn()[0];
    world.serve(successor);
    let actions = world.on(Event::Reload);
    assert_eq!((slots(&actions), disconnected(&actions)), (vec![], vec![successor]));
    assert_eq!(slots(&world.exit_with(successor, Exit::Code(0), true)), [S0]);
}
