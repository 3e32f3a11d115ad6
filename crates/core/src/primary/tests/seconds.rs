//! Questions of a worker for what it holds already.

use super::*;
use crate::Errno;

fn listening(query: Query) -> FromWorker {
    FromWorker::Listening { query, port: 80 }
}

fn close(query: &Query) -> FromWorker {
    FromWorker::Close { key: query.key() }
}

fn in_use() -> Vec<(WorkerId, Reply)> {
    vec![(W1, Reply::Failed(Errno::ADDRESS_IN_USE))]
}

#[test]
fn a_worker_that_listens_does_not_get_its_address_twice() {
    let mut world = World::limited(|_| {}).crew(1, false);
    world.says(W1, listening(tcp(80)));
    assert_eq!(replies(&world.asks(W1, tcp(80))), in_use());
}

#[test]
fn a_second_question_that_overtook_the_first_ones_word_is_answered_after_it() {
    let mut world = World::limited(|_| {});
    world.comes(W1, false);
    world.asks(W1, tcp(80));
    assert_eq!(world.asks(W1, tcp(80)), [], "while it is bound");
    assert_eq!(replies(&world.bound(L0)).len(), 1);
    assert_eq!(world.asks(W1, tcp(80)), [], "before it has said what it made of it");
    let refused = replies(world.says(W1, listening(tcp(80))));
    assert_eq!(refused, [in_use(), in_use()].concat());
}

#[test]
fn a_port_that_was_given_up_before_its_answer_is_bound_anew_for_the_next_question() {
    let mut world = World::limited(|_| {}).crew(1, false);
    assert_eq!(world.asks(W1, tcp(80)), []);
    let actions = world.says(W1, close(&tcp(80))).to_vec();
    assert_eq!(actions[0], Action::CloseListener { listener: L0 });
    assert!(matches!(actions[1], Action::Bind { listener: ListenerId(1), .. }), "{actions:?}");
    let answer = replies(&world.bound(ListenerId(1)));
    assert!(matches!(answer[..], [(W1, Reply::Handover { .. })]), "{answer:?}");
}

#[test]
fn a_port_that_others_hold_is_joined_anew() {
    let mut world = World::limited(|_| {}).crew(2, false);
    world.asks(W1, tcp(80));
    let answer = replies(world.says(W1, close(&tcp(80))));
    assert!(matches!(answer[..], [(W1, Reply::Handover { .. })]), "{answer:?}");
    assert_eq!(world.view(L0).holders.len(), 2);
}

#[test]
fn of_three_at_once_each_waits_for_the_word_about_the_one_before() {
    let mut world = World::limited(|_| {}).crew(1, false);
    world.asks(W1, tcp(80));
    world.asks(W1, tcp(80));
    world.says(W1, close(&tcp(80)));
    assert_eq!(replies(&world.bound(ListenerId(1))).len(), 1);
    assert_eq!(replies(world.says(W1, listening(tcp(80)))), in_use());
}

#[test]
fn what_cannot_be_bound_fails_for_every_question() {
    let mut world = World::limited(|_| {});
    world.comes(W1, false);
    world.asks(W1, tcp(80));
    world.asks(W1, tcp(80));
    let outcome = Err(Errno::ACCESS);
    let answers = replies(world.on(Event::Bound { listener: L0, outcome }));
    assert_eq!(answers, vec![(W1, Reply::Failed(Errno::ACCESS)); 2]);
}

#[test]
fn a_listener_that_its_user_closes_refuses_the_questions_that_are_kept() {
    let mut world = World::limited(|_| {}).crew(1, false);
    world.asks(W1, tcp(80));
    let actions = world.on(Event::CloseListener { listener: L0 });
    assert_eq!(replies(actions), [(W1, Reply::Failed(Errno::CANCELLED))]);
}

#[test]
fn a_worker_that_leaves_gets_no_answer_to_what_is_kept_and_neither_do_others() {
    let mut world = World::limited(|_| {}).crew(2, false);
    world.asks(W1, tcp(80));
    world.asks(W2, tcp(80));
    assert_eq!(replies(world.on(Event::Disconnect { worker: W1 })), []);
    let refused = replies(world.says(W2, listening(tcp(80))));
    assert_eq!(refused, [(W2, Reply::Failed(Errno::ADDRESS_IN_USE))]);
}

#[test]
fn questions_that_are_kept_are_bounded_as_listeners_are() {
    let mut world = World::limited(|limits| limits.listeners_per_worker = 3).crew(1, false);
    assert_eq!(world.asks(W1, tcp(80)), []);
    assert_eq!(world.asks(W1, tcp(80)), []);
    let refused = replies(&world.asks(W1, tcp(80)));
    assert_eq!(refused, [(W1, Reply::Failed(Errno::TOO_MANY))]);
    world.says(W1, listening(tcp(80)));
    assert!(matches!(world.asks(W1, tcp(81))[..], [Action::Bind { .. }]), "there is room again");
}

#[test]
fn two_questions_for_any_port_with_one_number_are_a_mistake() {
    let mut world = World::limited(|_| {});
    world.joins(W1, false, tcp(0));
    assert_eq!(replies(&world.asks(W1, tcp(0))), in_use());
}
