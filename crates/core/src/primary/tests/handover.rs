//! A connection's straight way.

use super::*;
use crate::scheduler::{Incoming, Pick, WorkerView};

#[test]
fn a_connection_goes_to_a_free_worker_in_the_step_that_accepts_it() {
    let mut world = World::limited(|_| {}).crew(1, true);
    assert_eq!(offered(world.accepts(7)), [(7, W1)]);
}

#[test]
fn the_copy_is_closed_when_the_worker_has_taken_the_connection() {
    let mut world = World::limited(|_| {}).crew(1, true);
    world.accepts(7);
    let (worker, seq) = world.offer(7);
    let actions = world.answers(worker, seq, true);
    assert_eq!(released(actions), [(7, End::Taken(W1))]);
    assert_eq!(world.place(7), None);
}

#[test]
fn an_answer_frees_the_window_and_pulls_the_next() {
    let mut world = World::limited(|_| {}).crew(1, false);
    world.accepts(1);
    assert_eq!(offered(world.accepts(2)), []);
    let (worker, seq) = world.offer(1);
    assert_eq!(offered(world.answers(worker, seq, true)), [(2, W1)]);
}

#[test]
fn a_worker_on_the_lane_has_the_wide_window_where_the_kernel_can_prove_and_else_the_narrow_one() {
    let mut world = World::limited(|_| {});
    world.comes(W1, true);
    let fd = |fd| query(Address::Fd { fd });
    let (wide, narrow) = ((SocketKind::Tcp, 16), (SocketKind::Stream, 1));
    let cases = [(tcp(80), wide), (unix(), narrow), (fd(3), wide), (fd(4), narrow)];
    for (listener, (query, (kind, window))) in (0..).map(ListenerId).zip(cases) {
        world.asks(W1, query.clone());
        world.bound_to(listener, kind);
        assert_eq!(world.view(listener).holders[0].window, window, "{query:?}");
    }
}

#[test]
fn a_worker_that_asks_again_still_answers_for_what_it_had() {
    let mut world = World::limited(|_| {}).crew(2, false);
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    world.says(worker, FromWorker::Close { key: tcp(80).key() });
    world.asks(worker, tcp(80));
    let view = |world: &World| {
        let view = world.view(L0);
        let mut holders = view.holders.iter();
        holders.find(|it| it.worker == worker).map(|it| it.in_flight)
    };
    assert_eq!(view(&world), Some(1));
    world.answers(worker, seq, true);
    assert_eq!(view(&world), Some(0));
}

#[test]
fn what_waits_for_one_worker_goes_to_another_when_that_one_dies() {
    // The policy wants worker 1 for everything, while it is there.
    let first = |_: &Incoming, views: &[WorkerView]| {
        let named = views.iter().map(|it| it.worker).min();
        named.map_or(Pick::Wait, Pick::Worker)
    };
    let mut world = World::ruled(Rule::handover(first)).crew(2, false);
    assert_eq!(offered(world.accepts(1)), [(1, W1)]);
    assert_eq!(offered(world.accepts(2)), []);
    assert_eq!(offered(&world.dies(W1)), [(2, W2)]);
}

#[test]
fn one_that_the_policy_lets_wait_does_not_hold_up_those_behind_it() {
    let odd_waits = |incoming: &Incoming, views: &[WorkerView]| match incoming.peer {
        Some(_) => Pick::Wait,
        None => Pick::Worker(views[0].worker),
    };
    let mut world = World::ruled(Rule::handover(odd_waits)).crew(1, true);
    world.on(Event::Accepted {
        listener: L0,
        conn: ConnId(1),
        peer: Some(([127, 0, 0, 1], 9).into()),
        local: None,
    });
    assert_eq!(offered(world.accepts(2)), [(2, W1)]);
    assert_eq!(world.place(1), Some(Place::Held));
}

#[test]
fn a_worker_that_is_not_there_is_a_bad_pick_and_round_robin_decides() {
    let nobody = |_: &Incoming, _: &[WorkerView]| Pick::Worker(WorkerId(99));
    let mut world = World::ruled(Rule::handover(nobody)).crew(1, true);
    assert_eq!(offered(world.accepts(1)), [(1, W1)]);
    assert_eq!(world.primary.ledger().bad_picks, 1);
}

#[test]
fn a_connection_that_waits_too_long_is_closed_and_counted() {
    let mut world = World::limited(|limits| limits.held_for = Duration::from_millis(100));
    world = world.crew(1, false);
    world.accepts(1);
    world.accepts(2);
    assert_eq!(world.waits(99), []);
    let actions = world.waits(1);
    assert_eq!(released(&actions), [(2, closed(CloseReason::HeldTooLong))]);
}

#[test]
fn a_connection_of_a_listener_that_has_just_gone_is_closed_and_counted() {
    let mut world = World::limited(|_| {}).crew(1, true);
    world.on(Event::CloseListener { listener: L0 });
    let gone = closed(CloseReason::ListenerClosed);
    assert_eq!(released(world.accepts(1)), [(1, gone)]);
}
