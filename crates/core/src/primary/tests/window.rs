//! A worker that is slow is given one connection at a time; quick ones many.

use super::*;

impl World {
    fn window(&self, worker: WorkerId) -> u32 {
        let view = self.view(L0);
        view.holders.iter().find(|it| it.worker == worker).map_or(0, |it| it.window)
    }
}

#[test]
fn nothing_more_is_given_to_a_worker_that_owes_an_answer_for_too_long_while_another_is_free() {
    let mut world = World::limited(|_| {}).crew(2, true);
    world.accepts(1);
    let (slow, _) = world.offer(1);
    let quick = if slow == W1 { W2 } else { W1 };
    world.waits(21);
    for conn in 2..10 {
        assert_eq!(offered(world.accepts(conn)), [(conn, quick)]);
    }
    assert_eq!((world.window(slow), world.window(quick)), (1, 16));
}

#[test]
fn when_all_owe_answers_the_late_one_gets_none_and_the_others_get_few_each() {
    let mut world = World::limited(|_| {}).crew(3, true);
    world.accepts(0);
    let (slow, _) = world.offer(0);
    world.waits(21);
    for conn in 1..=32 {
        world.accepts(conn);
    }
    let in_flight = |world: &World| {
        let view = world.view(L0);
        view.holders.iter().map(|it| (it.worker, it.in_flight)).collect::<Vec<_>>()
    };
    for (worker, count) in in_flight(&world) {
        assert_eq!(count, if worker == slow { 1 } else { 16 });
    }
    // What does not fit waits where it can still go to anybody.
    assert_eq!(offered(world.accepts(33)), []);
}

#[test]
fn sixteen_at_once_on_four_new_workers_are_four_each() {
    let mut world = World::limited(|limits| limits.channel_window = 16).crew(4, false);
    for conn in 0..16 {
        world.accepts(conn);
    }
    let view = world.view(L0);
    assert!(view.holders.iter().all(|it| it.in_flight == 4), "{view:?}");
}

#[test]
fn a_worker_that_asks_again_owes_what_it_owed() {
    let mut world = World::limited(|_| {}).crew(2, true);
    world.accepts(1);
    let (worker, _) = world.offer(1);
    world.says(worker, FromWorker::Close { key: tcp(80).key() });
    world.asks(worker, tcp(80));
    world.waits(21);
    world.accepts(2);
    assert_eq!(world.window(worker), 1);
}

#[test]
fn nobody_is_asked_by_a_timer_while_nothing_waits() {
    let mut world = World::limited(|_| {}).crew(2, true);
    world.accepts(1);
    assert_eq!(world.primary.next_timeout(), None);
}
