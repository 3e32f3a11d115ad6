//! Reloads that succeed, and requests that meet one.

use super::*;

#[test]
fn an_old_worker_leaves_only_when_its_successor_has_been_ready_for_the_stable_time() {
    let mut world = World::serving(1);
    let actions = world.on(Event::Reload);
    assert_eq!(notices(&actions), [Notice::ReloadStarted { generation: G1 }]);
    let asked: Vec<_> = forks(&actions).iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(asked, [(S0, G1)]);
    world.spawn();
    assert_eq!(world.waits(5_000), []);
    assert_eq!(world.serve(W2), []);
    assert_eq!(world.waits(999), []);
    let actions = world.waits(1);
    assert_eq!(disconnected(&actions), [W1]);
    let (generation, slot) = (G1, S0);
    let progress = Notice::ReloadProgress { generation, slot, replaced: 1, of: 1 };
    assert_eq!(notices(&actions), [progress, Notice::ReloadCommitted { generation }]);
    assert_eq!(world.crew.generation(), G1);
}

#[test]
fn slots_follow_one_another_without_waiting_for_the_old_workers_to_end() {
    let mut world = World::serving(2);
    world.on(Event::Reload);
    assert_eq!(world.open.len(), 1, "one at a time");
    world.spawn();
    world.serve(W3);
    let actions = world.waits(1_000);
    assert_eq!(disconnected(&actions), [W1]);
    assert_eq!(forks(&actions).len(), 1);
    world.spawn();
    world.serve(W4);
    assert_eq!(disconnected(&world.waits(1_000)), [W2]);
    assert_eq!(world.crew.ready_workers(), 2);
    assert_eq!(world.crew.phase(), Phase::Running);
}

#[test]
fn where_no_worker_ever_listened_to_live_for_the_stable_time_is_enough() {
    let mut world = World::with(1, |_| {});
    world.spawn();
    world.waits(60_000);
    world.on(Event::Reload);
    world.spawn();
    assert_eq!(world.waits(999), []);
    let actions = world.waits(1);
    assert_eq!(signals(&actions), [(W1, Force::Terminate)]);
    assert_eq!(world.crew.generation(), G1);
}

#[test]
fn requests_merge_while_nobody_was_started() {
    let mut world = World::serving(1);
    world.on(Event::Reload);
    let told = notices(&world.on(Event::Reload));
    assert_eq!(told, [Notice::ReloadMerged { generation: G1 }]);
    world.spawn();
    world.serve(W2);
    world.waits(60_000);
    assert_eq!(world.crew.phase(), Phase::Running, "one reload was enough");
    assert_eq!(world.crew.generation(), G1);
}

#[test]
fn a_request_that_meets_a_newcomer_is_one_more_reload_afterwards() {
    let mut world = World::serving(1);
    world.on(Event::Reload);
    world.spawn();
    let told = notices(&world.on(Event::Reload));
    assert_eq!(told, [Notice::ReloadMerged { generation: G2 }]);
    world.serve(W2);
    let told = notices(&world.waits(1_000));
    assert!(told.contains(&Notice::ReloadCommitted { generation: G1 }));
    world.exit_with(W1, Exit::Code(0), true);
    world.spawn();
    world.serve(W3);
    let actions = world.waits(1_000);
    assert_eq!(disconnected(&actions), [W2]);
    assert!(notices(&actions).contains(&Notice::ReloadCommitted { generation: G2 }));
}

#[test]
fn requests_merge_while_a_slot_is_being_cleared() {
    let mut world = World::serving_with(1, |it| (it.surge, it.max_unavailable) = (0, 1));
    assert_eq!(disconnected(&world.on(Event::Reload)), [W1]);
    assert_eq!(notices(&world.on(Event::Reload)), [Notice::ReloadMerged { generation: G1 }]);
    world.exit_with(W1, Exit::Code(0), true);
    world.spawn();
    assert_eq!(notices(&world.on(Event::Reload)), [Notice::ReloadMerged { generation: G2 }]);
}

#[test]
fn requests_that_come_later_are_one_more_reload_afterwards() {
    let mut world = World::serving(2);
    world.on(Event::Reload);
    world.spawn();
    world.serve(W3);
    world.waits(1_000);
    for _ in 0..3 {
        let told = notices(&world.on(Event::Reload));
        assert_eq!(told, [Notice::ReloadMerged { generation: G2 }]);
    }
    world.exit_with(W1, Exit::Code(0), true);
    world.spawn();
    world.serve(W4);
    let told = notices(&world.waits(1_000));
    assert!(told.contains(&Notice::ReloadCommitted { generation: G1 }));
    assert!(told.contains(&Notice::ReloadStarted { generation: G2 }));
    world.exit_with(W2, Exit::Code(0), true);
    for _ in 0..2 {
        let worker = world.spawn()[0];
        world.serve(worker);
        world.waits(1_000);
    }
    assert_eq!(world.crew.generation(), G2);
    assert_eq!(world.crew.phase(), Phase::Running);
}

#[test]
fn an_old_worker_that_dies_meanwhile_is_restarted_as_it_was() {
    let mut world = World::serving(2);
    world.on(Event::Reload);
    world.spawn();
    world.exit(W2);
    let actions = world.waits(120);
    let asked: Vec<_> = forks(&actions).iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(asked, [(S1, G0)]);
}

#[test]
fn a_new_worker_that_leaves_by_its_own_will_is_replaced_by_its_like() {
    let mut world = World::serving(2);
    world.on(Event::Reload);
    world.spawn();
    world.serve(W3);
    world.waits(1_000);
    world.exit_with(W1, Exit::Code(0), true);
    let actions = world.exit_with(W3, Exit::Code(0), true);
    let asked: Vec<_> = forks(&actions).iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(asked, [(S0, G1)]);
    assert_eq!(world.crew.phase(), Phase::Reloading(G1));
}

#[test]
fn a_newcomer_takes_a_slot_whose_old_worker_waits_for_its_restart() {
    let mut world = World::serving(1);
    world.on(Event::Reload);
    world.spawn();
    world.serve(W2);
    world.waits(950);
    world.exit(W1);
    assert_eq!(forks(&world.waits(60_000)), []);
    assert_eq!(world.seats(), [(SlotState::Held(W2), G1)]);
}
