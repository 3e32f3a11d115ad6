//! A listener's life on the worker's side.

use super::*;

#[test]
fn the_first_message_says_online_and_has_the_number_0() {
    let mut worker = Worker::new();
    let mut actions = Vec::new();
    worker.handle(Event::Started { lane: true }, &mut actions);
    let (seq, message) = (Seq(0), FromWorker::Online { lane: true });
    assert_eq!(actions, [Action::Send { seq, message }]);
}

#[test]
fn a_listener_is_there_when_the_reply_says_so_and_the_primary_is_told() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    let actions = world.gets(L0);
    assert!(matches!(actions[0], Action::Listening { server: S0, .. }));
    let query = tcp(80);
    assert_eq!(said(&actions), [FromWorker::Listening { query, port: 80 }]);
}

#[test]
fn an_error_of_the_primary_is_the_listeners_error() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    let (server, errno) = (S0, Errno::ADDRESS_IN_USE);
    let actions = world.replied(L0, Reply::Failed(errno));
    assert_eq!(actions, [Action::ListenFailed { server, errno }]);
}

#[test]
fn two_listeners_on_port_zero_have_different_indices_and_a_closed_one_frees_its_own() {
    let mut world = World::serving(tcp(0));
    let index = |world: &World| world.asked.clone().expect("it asked").1.index;
    world.listens(S1, tcp(0));
    assert_eq!(index(&world), 1);
    world.on(Event::CloseServer { server: S0 });
    world.listens(ServerId(2), tcp(0));
    assert_eq!(index(&world), 0);
}

#[test]
fn a_listener_that_is_closed_before_the_reply_gives_back_what_it_gets() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    assert_eq!(world.on(Event::CloseServer { server: S0 }), []);
    let actions = world.gets(L0);
    assert_eq!(said(&actions), [FromWorker::Close { key: tcp(80).key() }]);
    assert_eq!(actions.last(), Some(&Action::Closed { server: S0 }));
}

#[test]
fn who_gives_up_and_asks_again_is_not_refused_because_of_the_first_question() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    world.on(Event::CloseServer { server: S0 });
    // Asked now, it would be the second listener of one key.
    assert_eq!(world.listens(S1, tcp(80)), []);
    let actions = world.gets(L0);
    let close = FromWorker::Close { key: tcp(80).key() };
    let (seq, query) = world.asked.clone().expect("it asked");
    assert_eq!(said(&actions), [close, FromWorker::Query { seq, query }]);
    let actions = world.gets(ListenerId(1));
    assert!(matches!(actions[0], Action::Listening { server: S1, .. }));
}

#[test]
fn a_question_that_was_not_asked_yet_can_be_given_up() {
    for leaves in [false, true] {
        let mut world = World::started(true);
        world.listens(S0, tcp(80));
        world.on(Event::CloseServer { server: S0 });
        world.listens(S1, tcp(80));
        let (server, errno) = (S1, Errno::NOT_CONNECTED);
        let (event, told) = match leaves {
            false => (Event::CloseServer { server }, Action::Closed { server }),
            true => (Event::Disconnect, Action::ListenFailed { server, errno }),
        };
        assert!(world.on(event).contains(&told));
        let actions = world.replied(L0, Reply::Failed(Errno::ADDRESS_IN_USE));
        assert_eq!(said(&actions), []);
    }
}

#[test]
fn the_data_that_came_first_reaches_the_user_in_either_mode() {
    for shared in [false, true] {
        let mut world = World::started(true);
        world.listens(S0, tcp(80));
        let (ack, query) = world.asked.clone().expect("it asked");
        let reply = if shared { Reply::Shared } else { Reply::Handover { sockname: None } };
        let data = Some("first".to_owned());
        let (key, listener) = (query.key(), L0);
        let said = ToWorker::Reply { ack, key, listener, data: data.clone(), reply };
        let expected = match shared {
            false => Action::Listening { server: S0, sockname: None, data },
            true => Action::SetUpShared { server: S0, data },
        };
        assert_eq!(world.hears(said).first(), Some(&expected));
    }
}

#[test]
fn a_reply_to_nothing_is_no_listener() {
    let mut world = World::started(true);
    let message = ToWorker::Reply {
        ack: Seq(99),
        key: Key("x".into()),
        listener: L0,
        data: None,
        reply: Reply::Shared,
    };
    assert_eq!(world.hears(message), []);
}

#[test]
fn a_shared_socket_that_cannot_be_set_up_is_given_back() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    world.replied(L0, Reply::Shared);
    let (server, errno) = (S0, Errno(22));
    let outcome = Err(errno);
    let actions = world.on(Event::SharedReady { server, outcome });
    assert_eq!(said(&actions), [FromWorker::Close { key: tcp(80).key() }]);
    assert_eq!(actions.last(), Some(&Action::ListenFailed { server, errno }));
}

#[test]
fn options_make_no_second_place_of_one_address() {
    let mut world = World::started(true);
    let with =
        |flags| query(Address::Udp { host: None, port: 0, family: Family::V4, flags, fd: None });
    world.listens(S0, with(0));
    world.listens(S1, with(Address::UDP_REUSE_ADDRESS));
    assert_eq!(world.asked.clone().expect("it asked").1.index, 1);
}

#[test]
fn a_udp_socket_takes_no_connections() {
    let mut world = World::started(true);
    world.listens(S0, udp());
    let server = S0;
    let set_up = Action::SetUpShared { server, data: None };
    assert_eq!(world.replied(L0, Reply::Shared), [set_up]);
    let actions = world.on(Event::SharedReady { server, outcome: Ok(53) });
    assert_eq!(said(&actions), [FromWorker::Listening { query: udp(), port: 53 }]);
    let actions = world.offered(4, by_channel(&udp()));
    assert_eq!(said(&actions), [answer(4, false)]);
    assert_eq!(actions.last(), Some(&dropped(4)));
}

#[test]
fn a_udp_socket_that_does_not_come_is_given_back() {
    let mut world = World::started(true);
    world.listens(S0, udp());
    let actions = world.gets(L0);
    assert_eq!(said(&actions), [FromWorker::Close { key: udp().key() }]);
    let (server, errno) = (S0, Errno::INVALID);
    assert_eq!(actions.last(), Some(&Action::ListenFailed { server, errno }));
}
