//! When the primary accepts, and when it does not.

use super::*;
use crate::primary::AcceptFailure;

const STOP: Action = Action::Accept { listener: L0, on: false };
const BEGIN: Action = Action::Accept { listener: L0, on: true };

#[test]
fn a_full_queue_stops_accepting_and_the_first_free_place_begins_it_again() {
    let mut world = World::limited(|limits| limits.held = 2).crew(1, false);
    world.accepts(1);
    assert_eq!(world.accepts(2), []);
    assert_eq!(world.accepts(3), [STOP]);
    let (worker, seq) = world.offer(1);
    assert!(world.answers(worker, seq, true).contains(&BEGIN));
}

#[test]
fn accepting_begins_with_the_socket_and_needs_no_worker() {
    let mut world = World::limited(|_| {}).crew(1, true);
    world.dies(W1);
    assert!(world.view(L0).is_accepting);
    world.accepts(1);
    assert_eq!(world.place(1), Some(Place::Held));
    assert_eq!(offered(&world.joins(W2, true, tcp(80))), [(1, W2)]);
}

#[test]
fn a_failed_accept_rests_longer_each_time_and_is_told_once() {
    let mut world = World::limited(|_| {}).crew(1, true);
    let failed = Event::AcceptFailed { listener: L0, failure: AcceptFailure::Resource };
    let told = Action::Notify(Notice::AcceptPaused { listener: L0 });
    assert_eq!(world.on(failed.clone()), [told, STOP]);
    let first = world.primary.next_timeout().expect("it rests");
    assert_eq!(world.on(failed.clone()), [], "it rests already");
    assert_eq!(world.waits(first.since(world.now).as_millis() as u64 + 1), [BEGIN]);
    assert_eq!(world.on(failed), [STOP]);
    let second = world.primary.next_timeout().expect("it rests");
    assert!(second.since(world.now) > first.since(Time::ZERO));
}

#[test]
fn one_failed_connection_stops_nothing() {
    let mut world = World::limited(|_| {}).crew(1, true);
    let failure = AcceptFailure::Connection;
    assert_eq!(world.on(Event::AcceptFailed { listener: L0, failure }), []);
    assert_eq!(world.primary.ledger().accept_failures, 1);
}

#[test]
fn a_shared_socket_is_given_to_the_workers_and_never_accepted_from() {
    let mut world = World::ruled(Rule::shared());
    let actions = world.joins(W1, true, tcp(80));
    assert_eq!(replies(&actions), [(W1, Reply::Shared)]);
    assert!(!actions.contains(&BEGIN));
    assert!(!world.view(L0).is_accepting);
}

#[test]
fn the_deepest_queue_is_of_those_who_waited_and_not_of_those_who_found_a_free_worker() {
    let mut world = World::limited(|_| {}).crew(1, false);
    world.accepts(1);
    assert_eq!(world.view(L0).deepest, 0);
    world.accepts(2);
    world.accepts(3);
    let (worker, seq) = world.offer(1);
    world.answers(worker, seq, true);
    let view = world.view(L0);
    assert_eq!((view.waiting.len(), view.deepest), (1, 2));
}
