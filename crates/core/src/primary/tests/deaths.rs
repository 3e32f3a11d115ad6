//! Workers that go without an answer.

use super::*;

#[test]
fn a_connection_is_judged_only_when_its_worker_is_reaped_and_drained() {
    let mut world = World::limited(|_| {}).crew(1, true);
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    let judge = Action::Prove { conn: ConnId(1), worker, seq };
    let status = Exit::Signal(9);
    let exited = world.on(Event::Exited { worker, status });
    assert!(!exited.contains(&judge));
    assert!(world.on(Event::Drained { worker }).contains(&judge));
}

#[test]
fn an_answer_that_a_dead_worker_had_sent_still_counts() {
    let mut world = World::limited(|_| {}).crew(1, true);
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    let status = Exit::Signal(9);
    world.on(Event::Exited { worker, status });
    let actions = world.answers(worker, seq, true);
    assert_eq!(released(actions), [(1, End::Taken(W1))]);
}

#[test]
fn what_is_proven_untouched_goes_to_another_worker_first_in_the_queue() {
    let mut world = World::limited(|_| {}).crew(2, false);
    world.accepts(1);
    let (worker, _) = world.offer(1);
    world.accepts(2);
    world.accepts(3);
    world.dies(worker);
    world.proves(1, Proof::Untouched);
    let (other, seq) = world.offer(2);
    assert_eq!(offered(world.answers(other, seq, true)), [(1, other)]);
    assert_eq!(world.primary.ledger().offered_again, 1);
}

#[test]
fn what_is_not_proven_untouched_is_closed_by_what_is_known() {
    for (proof, reason) in [
        (Proof::Touched, CloseReason::Touched),
        (Proof::PeerGone, CloseReason::PeerGone),
        (Proof::Unprovable, CloseReason::Unprovable),
    ] {
        let mut world = World::limited(|_| {}).crew(1, true);
        world.accepts(1);
        world.dies(W1);
        assert_eq!(released(world.proves(1, proof)), [(1, closed(reason))]);
        assert_eq!(world.proves(1, proof), [], "judged once");
    }
}

#[test]
fn no_proof_takes_a_connection_from_a_worker_that_lives() {
    let mut world = World::limited(|_| {}).crew(2, true);
    world.accepts(1);
    assert_eq!(world.proves(1, Proof::Untouched), []);
    assert!(matches!(world.place(1), Some(Place::Offered(..))));
}

#[test]
fn a_grandchild_that_holds_the_sockets_is_waited_for_only_so_long() {
    let mut world = World::limited(|limits| limits.exit_drain = Duration::from_secs(1));
    world = world.crew(1, true);
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    let status = Exit::Code(0);
    world.on(Event::Exited { worker, status });
    assert_eq!(world.waits(999), []);
    let judge = Action::Prove { conn: ConnId(1), worker, seq };
    let actions = world.waits(1);
    assert!(actions.contains(&Action::CloseChannel { worker }), "{actions:?}");
    assert!(actions.contains(&judge), "{actions:?}");
    assert_eq!(world.on(Event::Drained { worker }), [], "it is forgotten");
}

#[test]
fn what_a_deserter_holds_is_closed_and_never_offered_again_while_it_lives() {
    let mut world = World::limited(|limits| limits.abandoned_after = Duration::from_secs(10));
    world = world.crew(2, true);
    world.accepts(1);
    let (worker, _) = world.offer(1);
    world.on(Event::Drained { worker });
    assert_eq!(world.waits(9_999), []);
    let actions = world.waits(1);
    assert_eq!(released(&actions), [(1, closed(CloseReason::Abandoned))]);
}

#[test]
fn a_deserter_that_dies_in_time_is_judged_like_any_other() {
    let mut world = World::limited(|_| {}).crew(1, true);
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    world.on(Event::Drained { worker });
    let status = Exit::Code(1);
    let actions = world.on(Event::Exited { worker, status });
    let judge = Action::Prove { conn: ConnId(1), worker, seq };
    assert!(actions.contains(&judge), "{actions:?}");
    assert_eq!(world.primary.next_timeout(), None);
}

#[test]
fn a_death_leaves_the_listener_open_for_the_successor() {
    let mut world = World::limited(|_| {}).crew(1, true);
    let closes = Action::CloseListener { listener: L0 };
    assert!(!world.dies(W1).contains(&closes));
    assert!(world.view(L0).is_open);
}

#[test]
fn disconnect_and_exit_come_in_either_order_and_each_is_told_once() {
    for exit_first in [true, false] {
        let mut world = World::limited(|_| {}).crew(1, true);
        let (worker, status) = (W1, Exit::Code(0));
        let mut events = [Event::Exited { worker, status }, Event::Drained { worker }];
        if !exit_first {
            events.reverse();
        }
        let mut told = Vec::new();
        for event in events.into_iter().cycle().take(4) {
            told.extend_from_slice(world.on(event));
        }
        let count = |of: fn(&Action) -> bool| told.iter().filter(|it| of(it)).count();
        assert_eq!(count(|it| matches!(it, Action::Notify(Notice::Exited { .. }))), 1);
        assert_eq!(count(|it| matches!(it, Action::Notify(Notice::Disconnected { .. }))), 1);
        assert_eq!(world.primary.life(W1), None);
    }
}
