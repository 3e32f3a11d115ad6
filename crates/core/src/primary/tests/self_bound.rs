//! Workers that announce a listener which the primary did not give them.

use super::*;
use crate::{Errno, SockName};

/// What a worker that announces this is told to be: not ours.
fn is_self_bound(world: &mut World, worker: WorkerId, query: &Query, port: u16) -> bool {
    let actions = world.says(worker, FromWorker::Listening { query: query.clone(), port });
    let listens = |it: &Action| matches!(it, Action::Notify(Notice::Listening { .. }));
    assert!(actions.iter().any(listens), "{actions:?}");
    actions.iter().any(|it| matches!(it, Action::Notify(Notice::SelfBound { .. })))
}

fn udp(port: u16, family: Family) -> Query {
    query(Address::Udp { host: Some("::1".into()), port, family, flags: 0, fd: None })
}

#[test]
fn a_port_that_was_never_asked_for_is_the_workers_own_and_makes_it_ready() {
    let mut world = World::limited(|_| {}).crew(1, false);
    world.comes(W2, false);
    let actions = world.says(W2, FromWorker::Listening { query: tcp(3000), port: 3000 });
    let (worker, query, port) = (W2, tcp(3000), 3000);
    let told = [
        Action::Notify(Notice::Listening { worker, query: query.clone(), port, first: true }),
        Action::Notify(Notice::SelfBound { worker, query, port }),
    ];
    assert_eq!(actions, told);
}

#[test]
fn what_the_primary_gave_is_never_taken_for_the_workers_own() {
    let path = |path: &str| {
        query(Address::Unix { path: path.into(), readable_all: false, writable_all: false })
    };
    for (asked, port, other) in [
        (tcp(80), 80, tcp(81)),
        (udp(53, Family::V6), 53, udp(53, Family::V4)),
        (path("/a"), 0, path("/b")),
        (query(Address::Fd { fd: 3 }), 0, query(Address::Fd { fd: 4 })),
    ] {
        let mut world = World::limited(|_| {});
        world.joins(W1, false, asked.clone());
        assert!(!is_self_bound(&mut world, W1, &asked, port), "{asked:?}");
        let port = if other == tcp(81) { 81 } else { port };
        assert!(is_self_bound(&mut world, W1, &other, port), "{other:?}");
    }
}

#[test]
fn port_zero_is_answered_by_the_port_that_was_bound_and_by_no_other() {
    let mut world = World::limited(|_| {});
    world.comes(W1, false);
    world.asks(W1, tcp(0));
    let sockname = SockName { address: "::".into(), family: Family::V6, port: 4711 };
    let outcome = Ok(BoundTo { kind: SocketKind::Tcp, sockname: Some(sockname) });
    world.on(Event::Bound { listener: L0, outcome });
    assert!(!is_self_bound(&mut world, W1, &tcp(4711), 4711));
    assert!(is_self_bound(&mut world, W1, &tcp(4712), 4712));
}

#[test]
fn the_listener_of_another_worker_is_not_its_own_one() {
    let mut world = World::limited(|_| {}).crew(1, false);
    world.comes(W2, false);
    assert!(is_self_bound(&mut world, W2, &tcp(80), 80));
}

#[test]
fn a_worker_that_was_refused_and_bound_the_address_itself_is_found_out() {
    let mut world = World::limited(|_| {});
    world.comes(W1, false);
    world.asks(W1, tcp(80));
    world.on(Event::Bound { listener: L0, outcome: Err(Errno::ADDRESS_IN_USE) });
    assert!(is_self_bound(&mut world, W1, &tcp(80), 80));
}

#[test]
fn the_word_of_a_worker_that_was_just_told_to_leave_says_nothing_of_the_kind() {
    let mut world = World::limited(|_| {}).crew(1, false);
    world.on(Event::Disconnect { worker: W1 });
    assert!(!is_self_bound(&mut world, W1, &tcp(80), 80));
}
