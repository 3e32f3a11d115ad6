//! Refused and lost connections, and answers to nothing.

use super::*;

#[test]
fn a_refused_connection_goes_to_another_worker_before_those_that_came_later() {
    let mut world = World::limited(|_| {}).crew(2, false);
    for conn in 1..=3 {
        world.accepts(conn);
    }
    let ((w_first, seq), (w_second, seq_second)) = (world.offer(1), world.offer(2));
    world.answers(w_first, seq, false);
    assert_eq!(world.place(1), Some(Place::Held));
    assert_eq!(offered(world.answers(w_second, seq_second, true)), [(1, w_second)]);
}

#[test]
fn a_worker_that_refused_rests_and_then_gets_more() {
    let mut world = World::limited(|limits| limits.refusal_rest = Duration::from_millis(50));
    world = world.crew(1, false);
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    assert_eq!(offered(world.answers(worker, seq, false)), []);
    assert_eq!(offered(&world.waits(49)), []);
    assert_eq!(offered(&world.waits(1)), [(1, W1)]);
}

#[test]
fn a_rest_is_over_when_its_time_has_come_though_the_time_out_was_not_handled() {
    let mut world = World::limited(|limits| limits.refusal_rest = Duration::from_millis(50));
    world = world.crew(1, true);
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    world.answers(worker, seq, false);
    world.now = world.now + Duration::from_millis(50);
    assert_eq!(offered(world.accepts(2)), [(1, W1), (2, W1)]);
}

#[test]
fn a_connection_that_all_refuse_is_closed_after_the_limit() {
    let mut world = World::limited(|limits| limits.refusals = 2).crew(1, false);
    world.accepts(1);
    for _ in 0..2 {
        let (worker, seq) = world.offer(1);
        assert_eq!(released(world.answers(worker, seq, false)), []);
        world.waits(50);
    }
    let (worker, seq) = world.offer(1);
    let actions = world.answers(worker, seq, false);
    assert_eq!(released(actions), [(1, closed(CloseReason::AllRefused))]);
}

#[test]
fn a_lost_descriptor_is_as_good_as_a_refusal() {
    let mut world = World::limited(|_| {}).crew(2, false);
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    let actions = world.on(Event::NotReceived { worker, seq });
    assert_eq!(offered(actions), [(1, if worker == W1 { W2 } else { W1 })]);
}

#[test]
fn an_answer_counts_once() {
    let mut world = World::limited(|_| {}).crew(1, true);
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    world.answers(worker, seq, true);
    assert_eq!(world.answers(worker, seq, true), []);
    assert_eq!(world.primary.ledger().taken, 1);
    assert_eq!(world.primary.ledger().stray_answers, 1);
}

#[test]
fn one_worker_cannot_answer_for_another() {
    let mut world = World::limited(|_| {}).crew(2, true);
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    let other = if worker == W1 { W2 } else { W1 };
    world.answers(other, seq, true);
    assert_eq!(world.place(1), Some(Place::Offered(worker, seq)));
}
