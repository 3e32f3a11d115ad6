//! Workers that were lost, and their successors.

use super::*;

fn delays(actions: &[Action]) -> Vec<(Duration, u32)> {
    let delays = notices(actions).into_iter().filter_map(|it| match it {
        Notice::Restarting { delay, streak, .. } => Some((delay, streak)),
        _ => None,
    });
    delays.collect()
}

#[test]
fn a_worker_that_dies_is_replaced_after_the_first_delay_in_its_own_slot() {
    let mut world = World::serving(2);
    let actions = world.exit(W2);
    let [(delay, 1)] = delays(&actions)[..] else {
        panic!("{actions:?}");
    };
    assert!(delay >= Duration::from_millis(80) && delay <= Duration::from_millis(120));
    assert_eq!(world.open, []);
    world.waits(120);
    let asked: Vec<_> = world.open.iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(asked, [(S1, G0)]);
}

#[test]
fn delays_grow_while_starts_fail_and_begin_anew_after_one_that_served() {
    let mut world = World::serving_with(3, |settings| settings.slot_budget = 100);
    world.exit(W1);
    let mut last = Duration::ZERO;
    for streak in 1..=6 {
        world.waits(30_000);
        let worker = world.spawn()[0];
        let [(delay, told)] = delays(&world.exit(worker))[..] else {
            panic!("one restart");
        };
        assert_eq!(told, streak);
        assert!(delay > last, "{delay:?} after {last:?}");
        last = delay;
    }
    world.waits(30_000);
    let worker = world.spawn()[0];
    world.serve(worker);
    world.waits(1_000);
    let [(delay, 1)] = delays(&world.exit(worker))[..] else {
        panic!("the first of a row");
    };
    assert!(delay <= Duration::from_millis(120));
}

#[test]
fn a_worker_that_served_is_missed_for_a_second_at_most_however_often_it_dies() {
    let mut world = World::serving(1);
    let mut worker = W1;
    for _ in 0..50 {
        let [(delay, _)] = delays(&world.exit(worker))[..] else {
            panic!("one restart");
        };
        assert!(delay <= Duration::from_millis(1_200), "{delay:?}");
        world.waits(1_200);
        worker = world.spawn()[0];
        world.serve(worker);
    }
    assert_eq!(world.crew.phase(), Phase::Running);
}

#[test]
fn a_slot_that_spends_its_budget_tries_rarely_while_the_others_run_on() {
    let mut world = World::serving(3);
    world.exit(W1);
    let actions = world.crash_for(60_000);
    assert!(forks(&actions).len() <= 8, "{}", forks(&actions).len());
    let (delay, _) = *delays(&actions).last().expect("it restarts");
    assert!(delay >= Duration::from_secs(24), "{delay:?}");
    assert_eq!(world.crew.phase(), Phase::Running);
    assert_eq!(world.crew.ready_workers(), 2);
}

#[test]
fn a_worker_that_leaves_by_its_own_will_is_replaced_at_once() {
    let mut world = World::serving(1);
    let planned = true;
    let actions = world.on(Event::Disconnected { worker: W1, planned });
    assert_eq!(forks(&actions).len(), 1);
    assert_eq!(delays(&actions), [(Duration::ZERO, 0)]);
    assert_eq!(world.exit_with(W1, Exit::Code(0), planned), []);
}

#[test]
fn the_same_holds_when_its_end_is_heard_of_first() {
    let mut world = World::serving(1);
    assert_eq!(forks(&world.exit_with(W1, Exit::Code(0), true)).len(), 1);
    let (worker, planned) = (W1, true);
    assert_eq!(world.on(Event::Disconnected { worker, planned }), []);
}

#[test]
fn to_leave_as_soon_as_one_has_come_is_a_failed_start() {
    let mut world = World::with(1, |_| {});
    world.spawn();
    world.on(Event::Online { worker: W1 });
    assert_eq!(forks(&world.exit_with(W1, Exit::Code(0), true)), []);
}

#[test]
fn slots_that_fail_together_are_not_restarted_together() {
    let mut world = World::serving(2);
    let first = delays(&world.exit(W1))[0].0;
    let second = delays(&world.exit(W2))[0].0;
    assert_ne!(first, second);
}

#[test]
fn the_view_tells_who_has_a_slot_and_how_often_it_was_restarted() {
    let mut world = World::serving(1);
    assert_eq!(world.seats(), [(SlotState::Held(W1), G0)]);
    world.exit(W1);
    assert_eq!(world.seats(), [(SlotState::BackingOff, G0)]);
    world.waits(120);
    assert_eq!(world.seats(), [(SlotState::Starting, G0)]);
    world.spawn();
    assert_eq!(world.seats(), [(SlotState::Held(W2), G0)]);
    assert_eq!(world.crew.slots().next().map(|it| it.restarts), Some(1));
}
