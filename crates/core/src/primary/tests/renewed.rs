//! Listeners that the dead have left, when a crew has a new generation.

use super::*;
use crate::scheduler::Seat;
use crate::supervise::{Generation, SlotId};

const OLD: Generation = Generation(3);
const NEW: Generation = Generation(4);
const L1: ListenerId = ListenerId(1);

/// A worker of a crew's only slot comes and listens on all of these.
fn comes(world: &mut World, worker: WorkerId, generation: Generation, ports: &[u16]) {
    let origin = Origin { seat: Seat::Slot(SlotId(0)), generation };
    world.on(Event::Forked { worker, origin });
    world.says(worker, FromWorker::Online { lane: true });
    for port in ports {
        let actions = world.asks(worker, tcp(*port));
        if let [Action::Bind { listener, .. }] = actions.as_slice() {
            world.bound(*listener);
        }
    }
}

/// What a committed reload closes.
fn renewed(world: &mut World) -> Vec<ListenerId> {
    let closed = |it: &Action| match it {
        Action::CloseListener { listener } => Some(*listener),
        _ => None,
    };
    world.on(Event::Renewed { generation: NEW }).iter().filter_map(closed).collect()
}

#[test]
fn what_a_new_generation_never_asked_for_is_closed_with_what_waits_there_when_nobody_holds_it() {
    let mut world = World::limited(|_| {});
    comes(&mut world, W1, OLD, &[80, 81]);
    world.dies(W1);
    comes(&mut world, W2, NEW, &[80]);
    world.on(Event::Accepted { listener: L1, conn: ConnId(1), peer: None, local: None });
    assert_eq!(renewed(&mut world), [L1]);
    assert_eq!(world.primary.ledger().closed_for(CloseReason::ListenerClosed), 1);
    assert_eq!(world.view(L0).holders.len(), 1);
    assert!(renewed(&mut world).is_empty(), "once is enough");
}

#[test]
fn what_it_asked_for_stays_for_the_successor_of_a_new_worker_that_died_too() {
    let mut world = World::limited(|_| {});
    comes(&mut world, W1, OLD, &[80, 81]);
    comes(&mut world, W2, NEW, &[80, 81]);
    world.dies(W1);
    world.dies(W2);
    assert_eq!(renewed(&mut world), []);
}

#[test]
fn what_a_worker_of_no_crew_or_an_old_one_that_is_still_there_asked_for_stays() {
    let mut world = World::limited(|_| {});
    world.joins(W1, true, tcp(80));
    world.dies(W1);
    comes(&mut world, W2, OLD, &[81]);
    assert_eq!(renewed(&mut world), []);
}

#[test]
fn an_old_worker_that_dies_late_takes_along_what_no_new_one_asked_for() {
    let mut world = World::limited(|_| {});
    comes(&mut world, W1, OLD, &[80, 81]);
    comes(&mut world, W2, NEW, &[80]);
    assert_eq!(renewed(&mut world), []);
    assert!(world.dies(W1).contains(&Action::CloseListener { listener: L1 }));
    assert!(!world.dies(W2).contains(&Action::CloseListener { listener: L0 }), "as ever");
}

#[test]
fn a_socket_that_is_still_being_bound_for_the_dead_is_closed_when_it_comes() {
    let mut world = World::limited(|_| {});
    let origin = Origin { seat: Seat::Slot(SlotId(0)), generation: OLD };
    world.on(Event::Forked { worker: W1, origin });
    world.says(W1, FromWorker::Online { lane: true });
    world.asks(W1, tcp(80));
    world.dies(W1);
    assert_eq!(renewed(&mut world), []);
    assert_eq!(world.bound(L0), [Action::CloseListener { listener: L0 }]);
}
