//! What becomes of an offered connection.

use super::*;

#[test]
fn on_the_lane_a_tcp_connection_is_delivered_first_and_answered_when_the_user_has_it() {
    let mut world = World::serving(tcp(80));
    assert_eq!(world.offered(7, LANE), [delivered(7)]);
    let conn = ConnId(7);
    let accepted = [lane_answer(7, Verdict::Accepted)];
    assert_eq!(world.on(Event::Taken { conn, told: false }), accepted);
    assert_eq!(world.on(Event::Taken { conn, told: false }), [], "answered once");
}

#[test]
fn a_connection_that_proves_nothing_is_held_and_answered_before_the_user_has_it() {
    for query in [unix(), query(Address::Fd { fd: 3 })] {
        held_and_answered_first(query);
    }
}

fn held_and_answered_first(query: Query) {
    let mut world = World::started(true);
    world.listens(S0, query);
    world.replied(L0, Reply::Handover { sockname: None });
    let conn = ConnId(7);
    assert_eq!(world.offered(7, LANE), [Action::Hold { server: S0, conn }]);
    let both = [lane_answer(7, Verdict::Accepted), delivered(7)];
    assert_eq!(world.on(Event::Wanted { conn, told: false }), both);
    assert_eq!(world.on(Event::Taken { conn, told: false }), [], "it was answered");
}

#[test]
fn on_the_channel_every_connection_is_answered_before_the_user_has_it() {
    let mut world = World::serving(tcp(80));
    let conn = ConnId(7);
    let held = [Action::Hold { server: S0, conn }];
    assert_eq!(world.offered(7, by_channel(&tcp(80))), held);
    let actions = world.on(Event::Wanted { conn, told: false });
    assert_eq!(said(&actions), [answer(7, true)]);
    assert_eq!(actions.last(), Some(&delivered(7)));
}

#[test]
fn what_the_user_did_not_take_is_refused_when_its_listener_closes() {
    let mut world = World::serving(tcp(80));
    world.offered(7, LANE);
    world.on(Event::CloseServer { server: S0 });
    let conn = ConnId(7);
    let back = [lane_answer(7, Verdict::Refused), dropped(7)];
    assert_eq!(world.on(Event::Returned { conn }), back);
}

#[test]
fn an_offer_for_a_listener_that_is_closed_is_refused() {
    let mut world = World::serving(tcp(80));
    world.on(Event::CloseServer { server: S0 });
    let refused = [lane_answer(7, Verdict::Refused), dropped(7)];
    assert_eq!(world.offered(7, LANE), refused);
    let actions = world.offered(8, by_channel(&tcp(80)));
    assert_eq!(said(&actions), [answer(8, false)]);
}

#[test]
fn a_lost_descriptor_is_lost_on_the_lane_and_refused_on_the_channel() {
    let mut world = World::serving(tcp(80));
    let lost = |seq, carrier| Event::Offered { seq: Seq(seq), carrier, conn: None };
    assert_eq!(world.on(lost(1, LANE)), [lane_answer(1, Verdict::Lost)]);
    let actions = world.on(lost(2, by_channel(&tcp(80))));
    assert_eq!(said(&actions), [answer(2, false)]);
}

#[test]
fn an_offer_that_overtakes_the_reply_waits_for_it() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    assert_eq!(world.offered(7, LANE), []);
    assert!(world.gets(L0).contains(&delivered(7)));
}

#[test]
fn an_offer_that_waits_for_a_reply_is_refused_when_no_reply_names_its_listener() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    world.offered(7, LANE);
    let actions = world.gets(ListenerId(5));
    assert!(actions.contains(&lane_answer(7, Verdict::Refused)), "{actions:?}");
    assert!(actions.contains(&dropped(7)), "{actions:?}");
}

#[test]
fn offers_that_wait_for_a_reply_are_bounded() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    let parked = (0..200).take_while(|seq| world.offered(*seq, LANE).is_empty());
    assert_eq!(parked.count(), 64);
}

/// A worker with a listener whose socket came with the reply and is set up or not yet.
fn sharing(query: Query, ready: bool) -> World {
    let mut world = World::started(true);
    world.listens(S0, query);
    let setup = world.replied(L0, Reply::Shared);
    assert_eq!(setup, [Action::SetUpShared { server: S0, data: None }]);
    if ready {
        let (server, outcome) = (S0, Ok(80));
        world.on(Event::SharedReady { server, outcome });
    }
    world
}

#[test]
fn a_shared_listener_takes_what_comes_by_its_name_too() {
    for ready in [false, true] {
        let conn = ConnId(7);
        let held = [Action::Hold { server: S0, conn }];
        assert_eq!(sharing(tcp(80), ready).offered(7, by_channel(&tcp(80))), held);
    }
}

#[test]
fn a_shared_listener_takes_what_comes_by_the_lane_and_answers_before_the_user_has_it() {
    for (query, ready) in [(tcp(80), false), (tcp(80), true), (unix(), true)] {
        let mut world = sharing(query, ready);
        let conn = ConnId(7);
        assert_eq!(world.offered(7, LANE), [Action::Hold { server: S0, conn }]);
        let both = [lane_answer(7, Verdict::Accepted), delivered(7)];
        assert_eq!(world.on(Event::Wanted { conn, told: false }), both);
    }
}

#[test]
fn an_offer_of_another_listener_is_not_taken_by_a_shared_one() {
    let refused = [lane_answer(7, Verdict::Refused), dropped(7)];
    assert_eq!(sharing(tcp(80), true).offered(7, Carrier::Lane(ListenerId(5))), refused);
}

#[test]
fn an_offer_that_overtakes_a_reply_with_a_socket_waits_for_it_too() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    assert_eq!(world.offered(7, LANE), []);
    let (server, conn) = (S0, ConnId(7));
    let setup = Action::SetUpShared { server, data: None };
    assert_eq!(world.replied(L0, Reply::Shared), [setup, Action::Hold { server, conn }]);
}

#[test]
fn what_is_held_for_a_socket_that_cannot_be_set_up_goes_back() {
    let mut world = sharing(tcp(80), false);
    world.offered(7, LANE);
    world.on(Event::SharedReady { server: S0, outcome: Err(Errno(22)) });
    let back = [lane_answer(7, Verdict::Refused), dropped(7)];
    assert_eq!(world.on(Event::Returned { conn: ConnId(7) }), back);
}
