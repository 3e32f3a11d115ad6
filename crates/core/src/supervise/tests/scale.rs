//! More workers, or fewer.

use super::*;

#[test]
fn one_more_is_started_and_one_fewer_is_told_to_leave() {
    let mut world = World::serving(2);
    let actions = world.on(Event::Scale { by: 1 });
    assert_eq!(notices(&actions), [Notice::Resized { workers: 3 }]);
    assert_eq!(forks(&actions).len(), 1);
    world.spawn();
    world.serve(W3);
    let actions = world.on(Event::Scale { by: -1 });
    assert_eq!(disconnected(&actions), [W3]);
    assert_eq!(world.crew.wanted(), 2);
}

#[test]
fn a_crew_has_at_least_one_worker_and_at_most_what_is_allowed() {
    let mut world = World::serving_with(2, |settings| settings.most_workers = 5);
    world.on(Event::Scale { by: -9 });
    assert_eq!(world.crew.wanted(), 1);
    world.on(Event::Resize { workers: 0 });
    assert_eq!(world.crew.wanted(), 1);
    world.on(Event::Resize { workers: 9 });
    assert_eq!(world.crew.wanted(), 5);
}

#[test]
fn a_slot_that_goes_takes_its_restart_and_its_request_along() {
    let mut world = World::serving(2);
    world.exit(W2);
    world.on(Event::Resize { workers: 1 });
    assert_eq!(world.waits(60_000), []);
    world.on(Event::Resize { workers: 2 });
    world.on(Event::Resize { workers: 1 });
    let (ticket, ..) = world.open.remove(0);
    let (worker, actions) = world.spawn_one(ticket);
    assert_eq!(signals(&actions), [(worker, Force::Terminate)]);
}

#[test]
fn slots_that_come_during_a_reload_are_replaced_in_their_turn() {
    let mut world = World::serving(1);
    world.on(Event::Reload);
    world.on(Event::Resize { workers: 2 });
    let mut told = Vec::new();
    for _ in 0..3 {
        for worker in world.spawn() {
            world.serve(worker);
        }
        told.extend(notices(&world.waits(1_000)));
    }
    assert!(told.contains(&Notice::ReloadCommitted { generation: G1 }));
    assert_eq!(world.crew.ready_workers(), 2);
    assert!(world.seats().iter().all(|it| it.1 == G1));
}

#[test]
fn a_reload_ends_when_the_slots_that_were_left_are_gone() {
    let mut world = World::serving(2);
    world.on(Event::Reload);
    let first = world.spawn()[0];
    world.serve(first);
    world.waits(1_000);
    let second = world.spawn()[0];
    let actions = world.on(Event::Resize { workers: 1 });
    assert_eq!(signals(&actions), [(second, Force::Terminate)]);
    assert_eq!(disconnected(&actions), [W2]);
    assert_eq!(
        notices(&actions),
        [Notice::Resized { workers: 1 }, Notice::ReloadCommitted { generation: G1 }]
    );
}
