//! How a worker goes.

use super::*;

fn heard(ack: u64) -> ToWorker {
    ToWorker::FarewellHeard { ack: Seq(ack) }
}

#[test]
fn a_worker_that_is_told_to_leave_closes_its_listeners_and_then_its_channel() {
    let mut world = World::serving(tcp(80));
    let actions = world.hears(ToWorker::Disconnect);
    assert_eq!(said(&actions), [FromWorker::Close { key: tcp(80).key() }]);
    assert_eq!(actions.last(), Some(&Action::Drain));
    assert_eq!(world.on(Event::Finished), [Action::CloseChannel]);
}

#[test]
fn a_worker_that_wants_to_leave_waits_until_its_farewell_was_heard() {
    let mut world = World::serving(tcp(80));
    world.on(Event::Disconnect);
    let words = said(&world.on(Event::Finished));
    let [FromWorker::ExitedAfterDisconnect { seq }] = words[..] else {
        panic!("{words:?}");
    };
    assert_eq!(world.hears(heard(seq.0 + 1)), []);
    assert_eq!(world.hears(heard(seq.0)), [Action::CloseChannel]);
}

#[test]
fn the_primarys_word_makes_the_farewell_needless() {
    let mut world = World::serving(tcp(80));
    world.on(Event::Disconnect);
    assert_eq!(world.hears(ToWorker::Disconnect), []);
    assert_eq!(world.on(Event::Finished), [Action::CloseChannel]);
}

#[test]
fn the_primarys_word_is_as_good_as_its_answer_to_the_farewell() {
    let mut world = World::serving(tcp(80));
    world.on(Event::Disconnect);
    world.on(Event::Finished);
    assert_eq!(world.on(Event::Disconnect), []);
    assert_eq!(world.hears(ToWorker::Disconnect), [Action::CloseChannel]);
}

#[test]
fn to_have_no_connection_is_no_reason_to_leave() {
    let mut world = World::serving(tcp(80));
    assert_eq!(world.on(Event::Finished), []);
    assert!(!world.worker.is_leaving());
}

#[test]
fn a_worker_that_leaves_gets_no_listener() {
    let mut world = World::serving(tcp(80));
    world.on(Event::Disconnect);
    let (server, errno) = (S1, Errno::NOT_CONNECTED);
    let failed = [Action::ListenFailed { server, errno }];
    assert_eq!(world.listens(S1, tcp(81)), failed);
}

#[test]
fn a_worker_that_leaves_refuses_what_waits_for_a_reply() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    world.offered(7, LANE);
    let actions = world.hears(ToWorker::Disconnect);
    assert!(actions.contains(&lane_answer(7, Verdict::Refused)), "{actions:?}");
}

#[test]
fn an_offer_that_comes_after_the_channel_was_closed_is_refused() {
    let mut world = World::serving(tcp(80));
    world.hears(ToWorker::Disconnect);
    world.on(Event::Finished);
    let refused = [lane_answer(7, Verdict::Refused), dropped(7)];
    assert_eq!(world.offered(7, LANE), refused);
}

#[test]
fn the_end_of_the_channel_closes_everything_once_and_says_whether_it_was_planned() {
    for planned in [false, true] {
        let mut world = World::serving(tcp(80));
        if planned {
            world.hears(ToWorker::Disconnect);
        }
        let actions = world.on(Event::Eof);
        assert_eq!(actions.last(), Some(&Action::Disconnected { planned }));
        let closed = Action::Closed { server: S0 };
        assert_eq!(actions.contains(&closed), !planned, "once");
        assert_eq!(world.on(Event::Eof), []);
    }
}

#[test]
fn offers_that_wait_for_a_reply_are_let_go_when_the_primary_is_gone() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    world.offered(7, LANE);
    assert!(world.on(Event::Eof).contains(&dropped(7)));
}

#[test]
fn a_listen_that_crosses_the_order_to_leave_fails_at_once() {
    let mut world = World::started(true);
    world.listens(S0, tcp(80));
    let failed = Action::ListenFailed { server: S0, errno: Errno::NOT_CONNECTED };
    assert!(world.hears(ToWorker::Disconnect).contains(&failed));
}
