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

/// Nobody is left to open a descriptor for.
const SHORT: Event = Event::AcceptFailed { listener: L0, failure: AcceptFailure::Descriptors };

#[test]
fn a_rest_for_want_of_descriptors_ends_when_as_many_of_ours_are_closed_as_the_low_mark() {
    let mut world = World::limited(|limits| limits.accept_low_mark = 2).crew(1, true);
    for conn in 1..=6 {
        world.accepts(conn);
    }
    let (worker, early) = world.offer(1);
    world.answers(worker, early, true);
    assert!(world.on(SHORT).contains(&STOP));
    // What was closed before counts for nothing: the failure came afterwards.
    let (worker, first) = world.offer(2);
    assert!(!world.answers(worker, first, true).contains(&BEGIN));
    let (worker, second) = world.offer(3);
    assert_eq!(world.answers(worker, second, true).last(), Some(&BEGIN));
    // Nor does a mark wait for what never comes: its time ends the rest as well.
    world.on(SHORT);
    assert!(world.waits(1_000).contains(&BEGIN));
}

/// Where the low mark is 1.
#[test]
fn a_rest_for_want_of_descriptors_ends_when_one_of_ours_is_closed() {
    let mut world = World::limited(|limits| limits.accept_low_mark = 1).crew(2, false);
    world.accepts(1);
    world.accepts(2);
    assert!(world.on(SHORT).contains(&STOP));
    let (worker, seq) = world.offer(1);
    let actions = world.answers(worker, seq, true).to_vec();
    assert_eq!(
        (actions[0].clone(), actions.last()),
        (release(1, End::Taken(worker)), Some(&BEGIN))
    );
    world.on(SHORT);
    assert!(world.dies(W2).contains(&BEGIN), "its sockets are closed");
    // Only its time ends a rest for want of anything else.
    world.on(Event::AcceptFailed { listener: L0, failure: AcceptFailure::Resource });
    world.proves(2, Proof::Touched);
    assert!(!world.view(L0).is_accepting && world.view(L0).is_resting);
}

#[test]
fn want_that_goes_on_is_told_once_and_again_when_it_comes_back() {
    let told = Action::Notify(Notice::AcceptPaused { listener: L0 });
    let mut world = World::limited(|limits| {
        limits.accept_rest = Duration::from_millis(10);
        limits.accept_rest_cap = Duration::from_millis(100);
    })
    .crew(1, false);
    assert!(world.on(SHORT).contains(&told));
    for conn in 0..5 {
        // One has come in between, each time.
        world.waits(150);
        world.accepts(conn);
        assert!(!world.on(SHORT).contains(&told), "{conn}");
    }
    world.waits(150);
    world.waits(100);
    assert!(world.on(SHORT).contains(&told));
}

fn shedding() -> World {
    World::limited(|limits| {
        (limits.held, limits.shed) = (1, 2);
        limits.shed_every = Duration::from_millis(50);
    })
    .crew(1, false)
}

const fn release(conn: u64, end: End) -> Action {
    Action::Release { conn: ConnId(conn), end }
}

#[test]
fn what_finds_the_queue_full_is_shed_so_many_at_a_time() {
    let mut world = shedding();
    world.accepts(1);
    assert_eq!(world.accepts(2), [], "it goes on to accept");
    let shed = |conn| release(conn, closed(CloseReason::Shed));
    assert_eq!(world.accepts(3), [shed(3)]);
    assert!(world.view(L0).is_shedding);
    assert_eq!(world.accepts(4), [shed(4), STOP]);
    assert_eq!(world.waits(49), []);
    assert_eq!(world.waits(1), [BEGIN]);
    assert_eq!(world.accepts(5), [shed(5)]);
    assert_eq!(world.primary.ledger().closed_for(CloseReason::Shed), 3);
    assert_eq!(world.view(L0).accepted, Some(5));
}

#[test]
fn a_free_place_ends_the_shedding_and_does_not_begin_another_share_of_it() {
    let mut world = shedding();
    for conn in 1..=3 {
        world.accepts(conn);
    }
    let (worker, seq) = world.offer(1);
    assert!(!world.answers(worker, seq, true).contains(&BEGIN), "it never stopped");
    assert!(world.view(L0).is_accepting && !world.view(L0).is_shedding);
    assert_eq!(world.accepts(4), [], "it waits");
    // The second of this span, and not the first of another.
    assert_eq!(world.accepts(5).last(), Some(&STOP));
    let (worker, seq) = world.offer(2);
    assert!(
        world.answers(worker, seq, true).contains(&BEGIN),
        "room ends the wait for the next span"
    );
    assert_eq!(world.waits(50), [], "so does the timer for nobody");
}

#[test]
fn without_descriptors_the_shell_sheds_and_each_one_is_counted() {
    let mut world = shedding();
    assert_eq!(world.on(SHORT).last(), Some(&Action::Shed { listener: L0, most: 2 }));
    world.on(Event::Shed { listener: L0, count: 2 });
    let ledger = world.primary.ledger();
    assert_eq!((ledger.accepted, ledger.closed_for(CloseReason::Shed)), (2, 2));
    // However often it fails in one span.
    let rest = world.primary.next_timeout().expect("it rests").since(world.now);
    world.waits(u64::try_from(rest.as_millis()).unwrap_or(0) + 1);
    assert!(!world.on(SHORT).iter().any(|it| matches!(it, Action::Shed { .. })));
    world.waits(50);
    assert_eq!(world.on(SHORT).last(), Some(&Action::Shed { listener: L0, most: 2 }));
    world.on(Event::CloseListener { listener: L0 });
    world.on(Event::Shed { listener: L0, count: 1 });
    assert_eq!(world.primary.ledger().accepted, 3, "they were on their way");
}
