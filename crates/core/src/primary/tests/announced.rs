//! What a worker's word that it listens is about.

use super::*;
use crate::SockName;

fn any_port(index: u32) -> Query {
    Query { index, ..tcp(0) }
}

/// Worker 1 asks for its `index`th listener of any port, and it gets this port.
fn bound_to_port(world: &mut World, listener: ListenerId, index: u32, port: u16) {
    world.asks(W1, any_port(index));
    let sockname = SockName { address: "::".into(), family: Family::V4, port };
    let outcome = Ok(BoundTo { kind: SocketKind::Tcp, sockname: Some(sockname) });
    world.on(Event::Bound { listener, outcome });
}

/// Node's word about a listener: its question with the port that it got.
fn announces(world: &mut World, index: u32, port: u16) {
    let query = Query { index, ..tcp(port) };
    world.says(W1, FromWorker::Listening { query, port });
}

fn is_listening(world: &World, listener: ListenerId) -> bool {
    world.view(listener).holders[0].listening
}

#[test]
fn a_listener_of_any_port_is_announced_by_the_port_that_was_bound() {
    let mut world = World::limited(|_| {});
    world.comes(W1, false);
    bound_to_port(&mut world, L0, 0, 4711);
    announces(&mut world, 0, 4712);
    assert!(!is_listening(&world, L0));
    announces(&mut world, 0, 4711);
    assert!(is_listening(&world, L0));
}

#[test]
fn two_listeners_of_any_port_are_told_apart_by_number() {
    let mut world = World::limited(|_| {});
    world.comes(W1, false);
    let second = ListenerId(1);
    bound_to_port(&mut world, L0, 0, 4711);
    bound_to_port(&mut world, second, 1, 4712);
    announces(&mut world, 1, 4712);
    assert_eq!((is_listening(&world, L0), is_listening(&world, second)), (false, true));
}

#[test]
fn a_late_word_about_a_listener_that_was_closed_is_not_about_the_next_one_with_its_port() {
    let mut world = World::limited(|_| {});
    world.comes(W1, false);
    let second = ListenerId(1);
    bound_to_port(&mut world, L0, 0, 4711);
    world.on(Event::CloseListener { listener: L0 });
    bound_to_port(&mut world, second, 1, 4711);
    announces(&mut world, 0, 4711);
    assert!(!is_listening(&world, second));
}

#[test]
fn the_word_of_one_worker_says_nothing_of_another() {
    let mut world = World::limited(|_| {});
    world.comes(W1, false);
    bound_to_port(&mut world, L0, 0, 4711);
    world.comes(W2, false);
    world.says(W2, FromWorker::Listening { query: tcp(4711), port: 4711 });
    assert!(!is_listening(&world, L0));
}
