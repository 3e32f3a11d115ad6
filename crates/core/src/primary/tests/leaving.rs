//! Workers that are told to leave, or say that they will.

use super::*;
use crate::primary::{Life, Stage};

const FAREWELL: FromWorker = FromWorker::ExitedAfterDisconnect { seq: Seq(40) };

fn heard(actions: &[Action]) -> bool {
    let word = |it: &Action| {
        matches!(it, Action::Send { message: ToWorker::FarewellHeard { ack: Seq(40) }, .. })
    };
    actions.iter().any(word)
}

fn told(actions: &[Action]) -> bool {
    let word = |it: &Action| matches!(it, Action::Send { message: ToWorker::Disconnect, .. });
    actions.iter().any(word)
}

#[test]
fn a_worker_that_is_told_by_somebody_else_is_sent_nothing_and_gets_nothing_any_more() {
    let mut world = World::limited(|_| {}).crew(2, true);
    let actions = world.on(Event::Unlist { worker: W1 });
    assert!(!actions.iter().any(|it| matches!(it, Action::Send { .. })), "{actions:?}");
    for conn in 0..4 {
        assert_eq!(offered(world.accepts(conn)), [(conn, W2)]);
    }
    assert_eq!(world.on(Event::Disconnect { worker: W1 }), [], "it was told");
    assert_eq!(world.primary.life(W1), Some(Life::Connected(Stage::Leaving)));
}

#[test]
fn a_worker_that_is_told_to_leave_gets_no_connection_more() {
    let mut world = World::limited(|_| {}).crew(2, true);
    assert!(told(world.on(Event::Disconnect { worker: W1 })));
    for conn in 0..4 {
        assert_eq!(offered(world.accepts(conn)), [(conn, W2)]);
    }
    assert_eq!(world.primary.life(W1), Some(Life::Connected(Stage::Leaving)));
}

#[test]
fn a_worker_that_is_made_to_end_gets_no_connection_more_and_its_end_is_not_planned() {
    let mut world = World::limited(|_| {}).crew(2, true);
    let actions = world.on(Event::GivenUp { worker: W1 });
    assert!(!actions.iter().any(|it| matches!(it, Action::Send { .. })), "{actions:?}");
    for conn in 0..4 {
        assert_eq!(offered(world.accepts(conn)), [(conn, W2)]);
    }
    let status = Exit::Signal(6);
    let actions = world.on(Event::Exited { worker: W1, status });
    let unplanned = Notice::Exited { worker: W1, status, planned: false };
    assert!(actions.contains(&Action::Notify(unplanned)), "{actions:?}");
}

#[test]
fn what_the_last_one_listens_on_that_is_made_to_end_stays_for_its_successor() {
    let mut world = World::limited(|_| {}).crew(1, true);
    world.on(Event::GivenUp { worker: W1 });
    assert_eq!(world.accepts(1), [], "it waits");
    let closes = FromWorker::Close { key: tcp(80).key() };
    assert_eq!(world.on(Event::Message { worker: W1, message: closes }), [], "it has it no more");
    assert_eq!(world.primary.ledger().held, 1);
    assert!(world.primary.is_accepting(L0));
}

#[test]
fn it_is_told_once() {
    let mut world = World::limited(|_| {}).crew(1, true);
    world.on(Event::Disconnect { worker: W1 });
    assert_eq!(world.on(Event::Disconnect { worker: W1 }), []);
}

#[test]
fn a_worker_that_leaves_gets_no_answer_to_a_question() {
    let mut world = World::limited(|_| {}).crew(1, true);
    world.on(Event::Disconnect { worker: W1 });
    assert_eq!(world.asks(W1, tcp(81)), []);
}

#[test]
fn what_it_refuses_while_it_leaves_goes_to_another() {
    let mut world = World::limited(|_| {}).crew(2, true);
    world.accepts(1);
    let (worker, seq) = world.offer(1);
    world.on(Event::Disconnect { worker });
    let other = if worker == W1 { W2 } else { W1 };
    assert_eq!(offered(world.answers(worker, seq, false)), [(1, other)]);
}

#[test]
fn the_last_holder_that_leaves_frees_the_address_and_what_waits_is_closed() {
    let mut world = World::limited(|_| {}).crew(1, false);
    world.accepts(1);
    world.accepts(2);
    let actions = world.on(Event::Disconnect { worker: W1 });
    assert_eq!(released(actions), [(2, closed(CloseReason::ListenerClosed))]);
    assert!(actions.contains(&Action::CloseListener { listener: L0 }));
    let (worker, seq) = world.offer(1);
    let actions = world.answers(worker, seq, false);
    assert_eq!(released(actions), [(1, closed(CloseReason::ListenerClosed))]);
}

#[test]
fn a_farewell_is_heard_and_makes_the_end_a_planned_one() {
    let mut world = World::limited(|_| {}).crew(1, true);
    let actions = world.says(W1, FAREWELL);
    assert!(heard(actions), "{actions:?}");
    let status = Exit::Code(0);
    let actions = world.on(Event::Exited { worker: W1, status });
    let planned = Action::Notify(Notice::Exited { worker: W1, status, planned: true });
    assert!(actions.contains(&planned), "{actions:?}");
}

#[test]
fn a_farewell_that_crosses_the_order_to_leave_is_answered_only_where_the_order_takes_time() {
    for listens in [false, true] {
        let mut world = World::limited(|_| {}).crew(u32::from(listens), true);
        if !listens {
            world.on(Event::Forked { worker: W1, origin: Origin::alone(W1) });
        }
        assert!(told(world.on(Event::Disconnect { worker: W1 })));
        assert_eq!(heard(world.says(W1, FAREWELL)), listens);
    }
}
