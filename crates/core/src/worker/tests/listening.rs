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

fn index(world: &World) -> u32 {
    world.asked.as_ref().expect("it asked").1.index
}

#[test]
fn questions_for_one_address_are_counted_until_its_last_listener_is_gone() {
    let mut world = World::serving(tcp(0));
    world.listens(S1, tcp(0));
    assert_eq!(index(&world), 1);
    world.gets(ListenerId(1));
    world.on(Event::CloseServer { server: S0 });
    world.listens(ServerId(2), tcp(0));
    assert_eq!(index(&world), 2, "as Node's workers count");
    world.gets(ListenerId(2));
    for server in [S1, ServerId(2)] {
        world.on(Event::CloseServer { server });
    }
    world.listens(ServerId(3), tcp(0));
    assert_eq!(index(&world), 0);
}

#[test]
fn addresses_are_counted_apart_but_not_by_their_options() {
    let mut world = World::serving(tcp(0));
    world.listens(S1, tcp(80));
    assert_eq!(index(&world), 0);
    let any6 = |ipv6_only| Address::Tcp {
        host: Some("::".into()),
        port: 0,
        family: Family::V6,
        ipv6_only,
    };
    world.listens(ServerId(2), query(any6(false)));
    assert_eq!(index(&world), 0);
    world.listens(ServerId(3), query(any6(true)));
    assert_eq!(index(&world), 1, "both have one name on the wire");
}

#[test]
fn a_question_that_failed_counts_no_more() {
    let mut world = World::started(true);
    world.listens(S0, tcp(0));
    world.replied(L0, Reply::Failed(Errno::ADDRESS_IN_USE));
    world.listens(S1, tcp(0));
    assert_eq!(index(&world), 0);
}

#[test]
fn a_port_that_was_given_up_before_the_answer_is_asked_for_again_after_its_close() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    world.on(Event::CloseServer { server: S0 });
    assert_eq!(world.listens(S1, tcp(80)), []);
    assert_eq!(
        said(&world.listens(ServerId(2), tcp(81))).len(),
        1,
        "another port waits for nothing"
    );
    world.asked = Some((Seq(1), tcp(80)));
    let words = said(&world.gets(L0));
    let [FromWorker::Close { key }, FromWorker::Query { query, .. }] = &words[..] else {
        panic!("{words:?}");
    };
    assert_eq!((key, &query.key(), query.index), (&tcp(80).key(), &tcp(80).key(), 0));
    assert!(matches!(world.gets(ListenerId(1))[0], Action::Listening { server: S1, .. }));
}

#[test]
fn what_waits_for_a_close_is_asked_for_when_there_was_nothing_to_close() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    world.on(Event::CloseServer { server: S0 });
    world.listens(S1, tcp(80));
    let words = said(&world.replied(L0, Reply::Failed(Errno::ADDRESS_IN_USE)));
    assert!(matches!(words[..], [FromWorker::Query { .. }]), "{words:?}");
}

#[test]
fn an_address_that_this_worker_wants_already_is_not_asked_for() {
    let refused = [Action::ListenFailed { server: S1, errno: Errno::ADDRESS_IN_USE }];
    for query in [tcp(80), unix(), query(Address::Fd { fd: 3 })] {
        let mut world = World::serving(query.clone());
        assert_eq!(world.listens(S1, query), refused);
    }
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    world.on(Event::CloseServer { server: S0 });
    world.listens(ServerId(2), tcp(80));
    assert_eq!(world.listens(S1, tcp(80)), refused, "one waits for it already");
}

#[test]
fn datagrams_may_share_an_address_so_the_primary_is_asked() {
    let udp = || {
        let (host, family) = (None, Family::V4);
        query(Address::Udp { host, port: 53, family, flags: 4, fd: None })
    };
    let mut world = World::started(true);
    world.listens(S0, udp());
    assert_eq!(said(&world.listens(S1, udp())).len(), 1);
    world.on(Event::CloseServer { server: S1 });
    assert_eq!(
        world.listens(ServerId(2), udp()),
        [],
        "after the close of the one that was given up"
    );
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
