//! Connections of which the primary is told when they end.

use super::*;

const CONN: ConnId = ConnId(7);

const fn taken(told: bool) -> Event {
    Event::Taken { conn: CONN, told }
}

const fn wanted(told: bool) -> Event {
    Event::Wanted { conn: CONN, told }
}

const ENDED: Event = Event::Ended { conn: CONN };
const TOLD: Action = Action::TellEnd { seq: Seq(7) };

/// A worker that has said of connection 7 that it will tell its end.
fn promised() -> World {
    let mut world = World::serving(tcp(80));
    world.offered(7, LANE);
    assert_eq!(world.on(taken(true)), [lane_answer(7, Verdict::Kept)]);
    world
}

#[test]
fn an_end_that_was_promised_is_told_once() {
    let mut world = promised();
    assert_eq!(world.on(ENDED), [TOLD]);
    assert_eq!(world.on(ENDED), []);
}

#[test]
fn a_connection_that_is_answered_first_is_promised_in_that_answer() {
    let mut world = World::started(true);
    world.listens(S0, unix());
    world.replied(L0, Reply::Handover { sockname: None });
    world.offered(7, LANE);
    let both = [lane_answer(7, Verdict::Kept), delivered(7)];
    assert_eq!(world.on(wanted(true)), both);
    assert_eq!(world.on(taken(false)), [], "it was answered");
    assert_eq!(world.on(ENDED), [TOLD]);
}

#[test]
fn nothing_is_told_of_a_connection_that_was_answered_plainly() {
    let mut world = World::serving(tcp(80));
    world.offered(7, LANE);
    assert_eq!(world.on(taken(false)), [lane_answer(7, Verdict::Accepted)]);
    assert_eq!(world.on(ENDED), []);
}

#[test]
fn nothing_is_told_of_a_connection_that_went_back() {
    let mut world = World::serving(tcp(80));
    world.offered(7, LANE);
    world.on(Event::CloseServer { server: S0 });
    world.on(Event::Returned { conn: CONN });
    assert_eq!(world.on(taken(true)), []);
    assert_eq!(world.on(ENDED), []);
}

#[test]
fn on_the_channel_nothing_is_promised_and_nothing_told() {
    let mut world = World::serving(tcp(80));
    world.offered(7, by_channel(&tcp(80)));
    let actions = world.on(wanted(true));
    assert_eq!(said(&actions), [answer(7, true)]);
    assert_eq!(world.on(ENDED), []);
}

#[test]
fn a_listener_may_close_before_its_connections_end() {
    let mut world = promised();
    world.on(Event::CloseServer { server: S0 });
    assert_eq!(world.on(ENDED), [TOLD]);
}

#[test]
fn a_worker_that_leaves_tells_until_its_channel_is_closed() {
    let mut world = promised();
    world.hears(ToWorker::Disconnect);
    assert_eq!(world.on(ENDED), [TOLD]);
    let mut world = promised();
    world.hears(ToWorker::Disconnect);
    world.on(Event::Finished);
    assert_eq!(world.on(ENDED), []);
}

#[test]
fn nothing_is_told_to_a_primary_that_is_gone() {
    let mut world = promised();
    world.on(Event::Eof);
    assert_eq!(world.on(ENDED), []);
}
