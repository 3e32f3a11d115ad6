//! Workers that break the protocol, and events of what is not there.

use super::*;

#[test]
fn a_worker_that_breaks_the_protocol_too_often_loses_its_channel_once() {
    let mut world = World::limited(|limits| limits.offences = 2).crew(1, true);
    for _ in 0..2 {
        assert_eq!(world.on(Event::Offence { worker: W1 }), []);
    }
    let actions = world.on(Event::Offence { worker: W1 });
    let closes = Action::CloseChannel { worker: W1 };
    assert!(actions.contains(&closes), "{actions:?}");
    assert_eq!(world.on(Event::Offence { worker: W1 }), []);
}

#[test]
fn events_of_unknown_workers_and_listeners_change_nothing() {
    let mut world = World::limited(|_| {});
    let (worker, listener) = (WorkerId(9), ListenerId(9));
    let (query, seq) = (tcp(80), Seq(0));
    for event in [
        Event::Drained { worker },
        Event::Exited { worker, status: Exit::Code(0) },
        Event::Disconnect { worker },
        Event::Offence { worker },
        Event::CloseListener { listener },
        Event::Bound { listener, outcome: Err(crate::Errno::ACCESS) },
        Event::Message { worker, message: FromWorker::Query { seq, query } },
        Event::Proof { conn: ConnId(9), proof: Proof::Untouched },
    ] {
        assert_eq!(world.on(event), []);
    }
}

#[test]
fn a_worker_gets_no_more_listeners_than_its_limit_even_while_they_are_being_bound() {
    let mut world = World::limited(|limits| limits.listeners_per_worker = 1);
    world.comes(W1, true);
    assert!(matches!(world.asks(W1, tcp(80))[..], [Action::Bind { .. }]));
    let second = world.asks(W1, tcp(81));
    assert_eq!(replies(&second), [(W1, Reply::Failed(crate::Errno::TOO_MANY))]);
    world.bound(L0);
    world.says(W1, FromWorker::Close { key: tcp(80).key() });
    assert!(matches!(world.asks(W1, tcp(81))[..], [Action::Bind { .. }]));
}
