//! How a crew and its workers are ended.

use super::world::{World, ms};
use crate::supervise::{Event, Force, Outcome};

#[test]
fn a_stop_asks_first_then_terminates_then_kills() {
    let mut world = World::of(1);
    world.tell(Event::Stop);
    assert!(world.asked_to_leave(1));
    world.wait(ms(9_999));
    assert!(!world.signalled(1, Force::Terminate));
    world.wait(ms(1));
    assert!(world.signalled(1, Force::Terminate));
    world.wait(ms(2_000));
    assert!(world.signalled(1, Force::Kill));
    world.dies(1);
    assert_eq!(world.outcomes(), [Outcome::Forced { workers: 1 }]);
}

#[test]
fn a_crew_whose_workers_leave_in_time_is_stopped() {
    let mut world = World::of(2);
    world.tell(Event::Stop);
    world.dies(2);
    assert_eq!(world.outcomes(), []);
    world.dies(1);
    assert_eq!(world.outcomes(), [Outcome::Stopped]);
    assert!(world.crew.is_finished());
}

#[test]
fn a_second_stop_does_not_wait() {
    let mut world = World::of(2);
    world.tell(Event::Stop);
    world.tell(Event::Stop);
    assert!(world.signalled(1, Force::Kill) && world.signalled(2, Force::Kill));
}

#[test]
fn a_worker_that_never_spoke_is_terminated_at_once() {
    let mut world = World::silent(1);
    world.tell(Event::Stop);
    assert!(world.signalled(1, Force::Terminate));
}

#[test]
fn a_smaller_crew_ends_its_last_slot_and_a_larger_one_fills_a_new_one() {
    let mut world = World::of(2);
    world.tell(Event::Resize { workers: 1 });
    assert!(world.asked_to_leave(2) && !world.asked_to_leave(1));
    world.tell(Event::Resize { workers: 3 });
    assert_eq!(world.seated(), [1, 3, 4]);
    world.tell(Event::Resize { workers: 0 });
    assert_eq!(world.seated(), [1], "never below one");
}

#[test]
fn a_stop_before_the_start_ends_an_empty_crew() {
    let mut crew = crate::supervise::Crew::new(crate::supervise::Settings::default());
    let mut out = Vec::new();
    crew.handle(crate::Time::ZERO, Event::Stop, &mut out);
    assert_eq!(out.last(), Some(&crate::supervise::Action::Finished(Outcome::Stopped)));
}
