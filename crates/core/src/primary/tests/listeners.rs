//! How listeners come and go.

use super::*;
use crate::Errno;

const CLOSED: Action = Action::CloseListener { listener: L0 };

#[test]
fn workers_that_ask_for_one_key_share_one_socket() {
    let mut world = World::limited(|_| {});
    world.comes(W1, true);
    world.comes(W2, true);
    assert!(matches!(world.asks(W1, tcp(80))[..], [Action::Bind { .. }]));
    assert_eq!(world.asks(W2, tcp(80)), []);
    let told: Vec<_> = replies(&world.bound(L0)).into_iter().map(|it| it.0).collect();
    assert_eq!(told, [W1, W2]);
}

#[test]
fn a_socket_that_cannot_be_bound_is_an_error_for_all_who_wait_and_can_be_asked_for_again() {
    let mut world = World::limited(|_| {});
    world.comes(W1, true);
    world.asks(W1, tcp(80));
    let outcome = Err(Errno::ADDRESS_IN_USE);
    let actions = world.on(Event::Bound { listener: L0, outcome }).to_vec();
    assert_eq!(replies(&actions), [(W1, Reply::Failed(Errno::ADDRESS_IN_USE))]);
    assert!(matches!(world.asks(W1, tcp(80))[..], [Action::Bind { .. }]));
}

#[test]
fn a_socket_that_its_only_asker_gave_up_while_it_was_bound_is_closed_again() {
    let mut world = World::limited(|_| {});
    world.comes(W1, true);
    world.asks(W1, tcp(80));
    world.on(Event::Disconnect { worker: W1 });
    assert_eq!(world.bound(L0), [CLOSED]);
}

#[test]
fn a_socket_whose_only_asker_died_while_it_was_bound_stays_for_the_successor() {
    let mut world = World::limited(|_| {});
    world.comes(W1, true);
    world.asks(W1, tcp(80));
    world.dies(W1);
    assert!(!world.bound(L0).contains(&CLOSED));
    assert_eq!(replies(&world.joins(W2, true, tcp(80))).len(), 1);
}

#[test]
fn a_socket_that_was_given_up_and_is_wanted_again_before_it_is_bound_is_kept() {
    let mut world = World::limited(|_| {});
    world.comes(W1, true);
    world.comes(W2, true);
    world.asks(W1, tcp(80));
    world.on(Event::Disconnect { worker: W1 });
    assert_eq!(world.asks(W2, tcp(80)), []);
    assert_eq!(replies(&world.bound(L0))[0].0, W2);
}

#[test]
fn those_who_wait_for_a_socket_that_the_user_closes_are_told() {
    let mut world = World::limited(|_| {});
    world.comes(W1, true);
    world.asks(W1, tcp(80));
    let actions = world.on(Event::CloseListener { listener: L0 });
    assert_eq!(replies(actions), [(W1, Reply::Failed(Errno::CANCELLED))]);
    assert_eq!(world.bound(L0), [CLOSED]);
}

#[test]
fn a_close_that_is_about_an_older_listener_of_that_name_takes_nobody_off_the_new_one() {
    let mut world = World::limited(|_| {}).crew(1, true);
    world.on(Event::CloseListener { listener: L0 });
    world.asks(W1, tcp(80));
    world.says(W1, FromWorker::Close { key: tcp(80).key() });
    assert_eq!(replies(&world.bound(ListenerId(1))).len(), 1);
}

#[test]
fn the_last_one_that_closes_a_listener_frees_the_address() {
    let mut world = World::limited(|_| {}).crew(2, true);
    let key = tcp(80).key();
    assert_eq!(world.says(W1, FromWorker::Close { key: key.clone() }), []);
    assert_eq!(world.says(W2, FromWorker::Close { key }), [CLOSED]);
}

#[test]
fn the_last_live_one_frees_it_even_if_others_died_before() {
    let mut world = World::limited(|_| {}).crew(2, true);
    world.dies(W1);
    let key = tcp(80).key();
    assert_eq!(world.says(W2, FromWorker::Close { key }), [CLOSED]);
}

#[test]
fn a_udp_socket_is_shared_under_any_policy_and_nobody_accepts_from_it() {
    for rule in [Rule::default(), Rule::shared()] {
        let mut world = World::ruled(rule);
        let actions = world.joins(W1, true, udp(53, 0, 0));
        assert_eq!(replies(&actions), [(W1, Reply::Shared)]);
        assert!(!actions.iter().any(|it| matches!(it, Action::Accept { .. })));
        assert_eq!(world.view(L0).mode, Mode::Shared);
    }
}

#[test]
fn the_udp_sockets_with_which_workers_reuse_one_address_are_shared_in_pairs() {
    let mut world = World::limited(|_| {});
    let pair = [0, 1].map(|index| udp(53, Address::UDP_REUSE_ADDRESS, index));
    world.comes(W1, true);
    world.comes(W2, true);
    for (listener, query) in (0..).map(ListenerId).zip(&pair) {
        assert!(matches!(world.asks(W1, query.clone())[..], [Action::Bind { .. }]));
        assert_eq!(replies(&world.bound(listener)), [(W1, Reply::Shared)]);
        assert_eq!(replies(&world.asks(W2, query.clone())), [(W2, Reply::Shared)]);
    }
    // Without that wish it is one socket, asked for twice.
    world.says(W1, FromWorker::Listening { query: pair[0].clone(), port: 53 });
    let again = world.asks(W1, udp(53, 0, 1));
    assert_eq!(replies(&again), [(W1, Reply::Failed(Errno::ADDRESS_IN_USE))]);
}
