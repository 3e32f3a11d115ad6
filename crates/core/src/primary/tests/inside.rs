//! What died inside a worker: known where it is counted, and nowhere else.

use super::*;
use crate::primary::Counter;
use crate::scheduler::{LeastConnections, RoundRobin};

fn counted(by: Counter) -> World {
    let mut world = World::ruled(Rule::handover(LeastConnections)).crew(1, true);
    world.on(Event::Counting { listener: L0, by });
    world
}

impl World {
    fn takes(&mut self, conn: u64, told: bool) -> Seq {
        self.accepts(conn);
        let (worker, seq) = self.offer(conn);
        if told {
            self.on(Event::TakenAndTold { worker, seq });
        } else {
            self.answers(worker, seq, true);
        }
        seq
    }
}

/// What was said to have died.
fn inside(actions: &[Action]) -> Vec<(Option<u32>, bool)> {
    let told = actions.iter().filter_map(|it| match it {
        Action::Notify(Notice::DiedInside { open, planned, .. }) => Some((*open, *planned)),
        _ => None,
    });
    told.collect()
}

#[test]
fn the_kernel_counts_what_was_open_also_when_it_tells_of_the_ends_before_the_death() {
    let mut world = counted(Counter::Kernel);
    for conn in 0..4 {
        world.takes(conn, false);
    }
    world.on(Event::Ended { worker: W1, dying: false });
    world.on(Event::Ended { worker: W1, dying: true });
    assert_eq!(inside(&world.dies(W1)), [(Some(3), false)]);
    let ledger = world.primary.ledger();
    assert_eq!((ledger.died_inside, ledger.died_uncounted, ledger.taken), (3, 0, 4));
}

#[test]
fn ends_that_were_told_before_the_death_was_known_are_those_of_the_death() {
    let mut world = counted(Counter::Kernel);
    for conn in 0..4 {
        world.takes(conn, false);
    }
    for _ in 0..3 {
        world.on(Event::Ended { worker: W1, dying: false });
    }
    world.on(Event::EndedByDeath { worker: W1, count: 2 });
    assert_eq!(inside(&world.dies(W1)), [(Some(3), false)]);
}

#[test]
fn what_a_worker_told_on_its_lane_before_its_death_still_counts() {
    let mut world = counted(Counter::Workers);
    let first = world.takes(1, true);
    world.takes(2, true);
    let status = Exit::Signal(9);
    world.on(Event::Exited { worker: W1, status });
    world.on(Event::EndTold { worker: W1, seq: first });
    let actions = world.on(Event::Drained { worker: W1 });
    assert_eq!(inside(actions), [(Some(1), false)]);
}

#[test]
fn where_nobody_counts_it_is_unknown_and_not_nothing() {
    let mut world = World::limited(|_| {}).crew(2, true);
    world.takes(1, false);
    assert_eq!(inside(&world.dies(W1)), [(None, false)]);
    assert_eq!(inside(&world.dies(W2)), [(Some(0), false)], "it never took one");
    let ledger = world.primary.ledger();
    assert_eq!((ledger.died_inside, ledger.died_uncounted), (0, 1));
}

#[test]
fn of_a_worker_that_accepts_by_itself_nothing_is_known() {
    let mut world = World::ruled(Rule::shared()).crew(1, true);
    assert!(world.primary.accepts_itself(W1));
    assert_eq!(inside(&world.dies(W1)), [(None, false)]);
    let view = world.view(L0);
    assert_eq!((view.accepted, view.taken), (None, None));
}

#[test]
fn a_counter_that_stops_leaves_what_it_counted_unknown() {
    let mut world = counted(Counter::Kernel);
    world.takes(1, false);
    world.rules(None, Rule::handover(RoundRobin));
    // So the shell says that it counts no more.
    world.on(Event::Ended { worker: W1, dying: false });
    assert_eq!(inside(&world.dies(W1)), [(None, false)]);
}

#[test]
fn a_worker_that_was_asked_to_leave_loses_only_what_it_is_killed_with() {
    for (status, expected) in [
        (Exit::Signal(9), &[(Some(1), true)][..]),
        // Its client has not let go yet.
        (Exit::Code(0), &[]),
    ] {
        let mut world = counted(Counter::Kernel);
        world.takes(1, false);
        world.on(Event::Disconnect { worker: W1 });
        world.on(Event::Drained { worker: W1 });
        assert_eq!(inside(world.on(Event::Exited { worker: W1, status })), expected);
        let ledger = world.primary.ledger();
        assert_eq!((ledger.died_inside, ledger.cut_inside), (0, expected.len() as u64));
    }
}
