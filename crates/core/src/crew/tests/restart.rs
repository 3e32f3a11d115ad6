//! What happens when a worker ends that was not asked to.

use super::world::{World, ms};
use crate::Errno;
use crate::WorkerId;
use crate::primary::Exit;
use crate::supervise::{Event, Notice, Outcome};

#[test]
fn a_dead_worker_is_replaced_after_a_short_delay() {
    let mut world = World::of(2);
    world.dies(1);
    assert_eq!(world.seated(), [0, 2]);
    world.wait(ms(121));
    assert_eq!(world.seated(), [3, 2]);
}

#[test]
fn a_worker_that_had_served_never_waits_longer_than_half_a_second() {
    let mut world = World::of(1);
    for worker in 1..=50 {
        world.dies(worker);
        world.wait(ms(500));
        assert_eq!(world.seated(), [worker + 1]);
    }
    assert_eq!(world.outcomes(), []);
}

#[test]
fn a_worker_that_leaves_by_its_own_will_is_replaced_at_once() {
    let mut world = World::of(1);
    let worker = WorkerId(1);
    world.tell(Event::Exited { worker, status: Exit::Code(0), planned: true });
    assert_eq!(world.seated(), [2]);
}

#[test]
fn a_program_that_never_gets_ready_ends_the_crew_after_its_budget() {
    let mut world = never_ready();
    world.dies(1);
    for worker in 2..=5 {
        world.wait(ms(60_000 / 6));
        world.dies(worker);
    }
    assert_eq!(world.outcomes(), []);
    world.wait(ms(5_000));
    world.dies(6);
    let last = Some(Exit::Signal(9));
    assert_eq!(world.outcomes(), [Outcome::NeverReady { last }]);
}

#[test]
fn a_crew_that_had_served_tries_one_at_a_time_when_nothing_gets_ready_any_more() {
    let mut world = World::of(2);
    world.ready_at_once = false;
    world.dies(1);
    let mut next = 3;
    while !world.notices().contains(&Notice::Degraded) {
        world.wait(ms(3_000));
        if world.seated()[0] == next {
            world.dies(next);
            next += 1;
        }
        assert!(next < 20, "never degraded");
    }
    let forks = world.forks();
    world.wait(ms(29_000));
    assert_eq!(world.forks(), forks, "nobody busy-loops");
    world.wait(ms(2_000));
    assert_eq!(world.forks(), forks + 1);
    assert_eq!(world.seated(), [next, 2], "the other worker serves on");
    world.ready(next);
    assert!(world.notices().contains(&Notice::Recovered));
}

#[test]
fn a_taken_port_ends_the_crew_and_is_the_outcome() {
    let mut crew = never_ready();
    let (worker, errno) = (WorkerId(1), Errno::ADDRESS_IN_USE);
    crew.tell(Event::CannotListen { worker, errno });
    crew.dies(1);
    assert_eq!(crew.outcomes(), [Outcome::CannotListen { worker, errno }]);
}

#[test]
fn a_program_that_cannot_be_started_is_tried_once() {
    let mut world = never_ready();
    world.cannot_fork = true;
    world.dies(1);
    world.wait(ms(1_000));
    assert_eq!(world.outcomes(), [Outcome::CannotStart]);
    assert_eq!(world.forks(), 2);
}

#[test]
fn a_worker_that_does_not_listen_in_time_is_named_and_left_running() {
    let mut world = never_ready();
    world.wait(ms(30_000));
    let worker = WorkerId(1);
    let after = ms(30_000);
    assert_eq!(world.notices(), [Notice::NotListening { worker, after }]);
    assert_eq!(world.seated(), [1]);
}

/// A crew of one whose worker has said nothing.
fn never_ready() -> World {
    World::silent(1)
}
