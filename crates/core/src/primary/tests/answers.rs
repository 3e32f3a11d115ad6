//! What counts as an answer, and from when its time is counted.

use super::*;

/// How many answers there were, and how long they took together.
fn counted(world: &World) -> (u64, Duration) {
    let answers = world.primary.answers();
    (answers.count(), answers.sum())
}

#[test]
fn each_answer_is_counted_from_its_own_offer_whether_taken_or_refused() {
    let mut world = World::limited(|_| {}).crew(2, true);
    world.accepts(1);
    let (first, seq) = world.offer(1);
    world.waits(3);
    world.answers(first, seq, false);
    let (second, seq) = world.offer(1);
    world.waits(4);
    world.answers(second, seq, true);
    assert_eq!(counted(&world), (2, Duration::from_millis(7)));
}

#[test]
fn time_in_the_queue_is_no_part_of_it() {
    let mut world = World::limited(|_| {}).crew(1, false);
    world.accepts(1);
    world.accepts(2);
    let (worker, seq) = world.offer(1);
    world.waits(5);
    world.answers(worker, seq, true);
    let (worker, seq) = world.offer(2);
    world.answers(worker, seq, true);
    assert_eq!(counted(&world), (2, Duration::from_millis(5)));
}

#[test]
fn what_no_worker_has_said_is_no_answer() {
    let mut world = World::limited(|_| {}).crew(2, true);
    world.accepts(1);
    let (lost, seq) = world.offer(1);
    world.on(Event::NotReceived { worker: lost, seq });
    let (worker, _) = world.offer(1);
    world.dies(worker);
    world.proves(1, Proof::Unprovable);
    world.answers(lost, Seq(99), true);
    assert_eq!(counted(&world), (0, Duration::ZERO));
}
