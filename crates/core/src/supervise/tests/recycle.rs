//! Workers that are replaced because they are worn, and slots that are to have none any more.

use super::*;
use crate::supervise::Worn;

fn limited(workers: usize) -> World {
    World::serving_with(workers, |settings| {
        (settings.max_connections, settings.max_memory) = (Some(100), Some(1_000));
    })
}

fn worn(worker: WorkerId) -> Event {
    Event::Used { worker, connections: 100 }
}

#[test]
fn a_worn_worker_leaves_when_its_successor_has_been_ready_for_the_stable_time() {
    let mut world = limited(1);
    assert_eq!(world.on(Event::Used { worker: W1, connections: 99 }), []);
    let actions = world.on(worn(W1));
    let (slot, worker, why) = (S0, W1, Worn::Connections(100));
    assert_eq!(notices(&actions), [Notice::Recycling { slot, worker, why }]);
    assert_eq!((forks(&actions).len(), disconnected(&actions)), (1, vec![]));
    world.spawn();
    world.serve(W2);
    assert_eq!(world.waits(999), []);
    let actions = world.waits(1);
    assert_eq!(disconnected(&actions), [W1]);
    assert_eq!(notices(&actions), [Notice::Recycled { slot, worker }]);
    assert_eq!(world.crew.generation(), G0);
}

#[test]
fn two_are_never_replaced_at_once() {
    let mut world = limited(2);
    world.on(worn(W1));
    assert_eq!(world.on(worn(W2)), []);
    world.spawn();
    world.serve(W3);
    let actions = world.waits(1_000);
    let asked: Vec<_> = forks(&actions).iter().map(|it| it.1).collect();
    assert_eq!((disconnected(&actions), asked), (vec![W1], vec![S1]));
}

#[test]
fn a_successor_that_fails_leaves_the_old_one_serving_and_another_is_tried_later() {
    let mut world = limited(1);
    world.on(worn(W1));
    world.spawn();
    let actions = world.exit(W2);
    let (slot, worker, newcomer) = (S0, W1, Some(W2));
    let reason = Reason::Exited(CRASH);
    assert_eq!(actions, [Action::Notify(Notice::NotRecycled { slot, worker, newcomer, reason })]);
    assert_eq!(world.stage(W1), Some(Stage::Ready));
    assert_eq!(forks(&world.waits(20_000)), [], "not at once");
    assert_eq!(forks(&world.waits(20_000)).len(), 1);
}

#[test]
fn an_old_one_that_dies_meanwhile_leaves_its_slot_to_the_newcomer() {
    let mut world = limited(1);
    world.on(worn(W1));
    world.spawn();
    let actions = world.exit(W1);
    assert_eq!((forks(&actions), signals(&actions)), (vec![], vec![]));
    assert_eq!(world.seats(), [(SlotState::Held(W2), G0)]);
    world.serve(W2);
    assert_eq!(world.waits(3_600_000), []);
}

#[test]
fn nobody_is_recycled_during_a_reload_and_a_reload_takes_the_place_of_a_recycling() {
    let mut world = limited(1);
    world.on(worn(W1));
    world.spawn();
    let actions = world.on(Event::Reload);
    assert_eq!(signals(&actions), [(W2, Force::Terminate)]);
    world.exit_with(W2, Exit::Signal(15), false);
    let newcomer = world.spawn()[0];
    assert_eq!(world.on(worn(W1)), []);
    world.serve(newcomer);
    assert_eq!(disconnected(&world.waits(1_000)), [W1]);
    world.exit_with(W1, Exit::Code(0), true);
    assert_eq!(world.waits(3_600_000), [], "the new one is not worn");
}

#[test]
fn memory_that_is_given_back_before_its_turn_is_forgiven() {
    let mut world = limited(2);
    world.on(worn(W1));
    assert_eq!(world.on(Event::Memory { worker: W2, bytes: 1_001 }), []);
    world.on(Event::Memory { worker: W2, bytes: 900 });
    world.spawn();
    world.serve(W3);
    let actions = world.waits(1_000);
    assert_eq!((disconnected(&actions), forks(&actions)), (vec![W1], vec![]));
}

#[test]
fn a_successor_that_is_worn_when_it_is_young_has_to_wait() {
    let mut world = limited(1);
    world.on(worn(W1));
    world.spawn();
    world.serve(W2);
    world.waits(1_000);
    world.exit_with(W1, Exit::Code(0), true);
    assert_eq!(forks(&world.on(worn(W2))).len(), 1, "the first one was old");
    world.spawn();
    world.serve(W3);
    world.waits(1_000);
    world.exit_with(W2, Exit::Code(0), true);
    assert_eq!(world.on(worn(W3)), []);
    assert_eq!(forks(&world.waits(40_000)).len(), 1);
}

#[test]
fn workers_of_one_age_go_one_by_one_at_different_times() {
    let mut world = World::with(3, |settings| settings.max_age = Some(Duration::from_secs(1_000)));
    for worker in world.spawn() {
        world.serve(worker);
    }
    assert_eq!(world.waits(799_000), []);
    let mut times = Vec::new();
    while times.len() < 3 {
        world.waits(1_000);
        for worker in world.spawn() {
            world.serve(worker);
            times.push(world.now);
        }
    }
    assert!(times[2] <= Time::from_origin(Duration::from_secs(1_203)), "{times:?}");
    times.dedup();
    assert_eq!(times.len(), 3);
}

#[test]
fn where_two_must_not_meet_the_worn_one_leaves_first() {
    let mut world = World::serving_with(2, |settings| {
        (settings.overlap, settings.max_connections) = (false, Some(100));
    });
    let actions = world.on(worn(W1));
    assert_eq!((disconnected(&actions), forks(&actions)), (vec![W1], vec![]));
    assert_eq!(world.on(worn(W2)), [], "one at a time");
    assert_eq!(forks(&world.exit_with(W1, Exit::Code(0), true)).len(), 1);
    world.spawn();
    let actions = world.serve(W3);
    assert!(notices(&actions).contains(&Notice::Recycled { slot: S0, worker: W1 }));
    assert_eq!(disconnected(&actions), [W2]);
}

#[test]
fn a_code_that_asks_for_it_is_the_end_of_its_slot_until_the_next_reload() {
    let mut world = World::serving_with(2, |settings| settings.stop_exit_codes = vec![78]);
    let actions = world.exit_with(W1, Exit::Code(78), false);
    let (slot, worker, code) = (S0, W1, 78);
    assert_eq!(actions, [Action::Notify(Notice::Retired { slot, worker, code })]);
    assert_eq!(world.waits(3_600_000), []);
    let asked: Vec<_> = forks(&world.on(Event::Reload)).iter().map(|it| it.1).collect();
    assert_eq!(asked, [S0]);
}

#[test]
fn a_crew_that_is_to_have_no_worker_any_more_ends() {
    let mut world = World::serving_with(2, |settings| settings.stop_exit_codes = vec![0]);
    world.exit_with(W1, Exit::Code(0), false);
    let actions = world.exit_with(W2, Exit::Code(0), false);
    assert_eq!(actions.last(), Some(&Action::Finished(Outcome::Retired { code: 0 })));
    assert_eq!(world.crew.next_timeout(), None);
}

#[test]
fn a_new_release_whose_workers_end_for_good_is_a_failed_one() {
    let mut world = World::serving_with(1, |settings| settings.stop_exit_codes = vec![78]);
    world.on(Event::Reload);
    world.spawn();
    let told = notices(&world.exit_with(W2, Exit::Code(78), false));
    assert!(matches!(told[..], [Notice::ReloadFailed { .. }, Notice::RolledBack { .. }]));
    assert_eq!(world.stage(W1), Some(Stage::Ready));
}
