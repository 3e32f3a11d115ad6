//! Replacing everybody: commit, or roll back.

use super::world::{World, ms};
use crate::WorkerId;
use crate::primary::Exit;
use crate::supervise::{Action, Event, Notice, Reason};

#[test]
fn an_old_worker_is_asked_to_leave_only_when_the_new_one_has_proved_itself() {
    let mut world = World::of(2);
    world.tell(Event::Reload);
    assert_eq!(world.forks(), 3);
    assert!(!world.asked_to_leave(1));
    world.wait(ms(1_000));
    assert!(world.asked_to_leave(1) && !world.asked_to_leave(2));
    world.wait(ms(1_000));
    assert_eq!(world.seated(), [3, 4]);
    assert!(world.asked_to_leave(2));
    let verdict = Notice::ReloadCommitted { generation: 1 };
    assert_eq!(world.notices().last(), Some(&verdict));
}

#[test]
fn a_new_worker_that_dies_leaves_the_old_ones_where_they_are() {
    let mut world = World::of(2);
    world.ready_at_once = false;
    world.tell(Event::Reload);
    world.dies(3);
    assert_eq!(world.seated(), [1, 2]);
    let (worker, reason) = (Some(WorkerId(3)), Reason::Exited(Exit::Signal(9)));
    let verdict = Notice::RolledBack { generation: 1, worker, reason };
    assert_eq!(world.notices().last(), Some(&verdict));
    assert!(!world.asked_to_leave(1) && !world.asked_to_leave(2));
}

#[test]
fn a_new_worker_that_does_not_listen_in_time_is_ended_and_the_old_ones_stay() {
    let mut world = World::of(1);
    world.ready_at_once = false;
    world.tell(Event::Reload);
    world.wait(ms(30_000));
    let (worker, reason) = (Some(WorkerId(2)), Reason::Deadline(ms(30_000)));
    assert!(world.notices().contains(&Notice::RolledBack { generation: 1, worker, reason }));
    assert!(world.asked_to_leave(2) && !world.asked_to_leave(1));
}

#[test]
fn a_failure_in_the_second_slot_brings_the_old_generation_back_to_the_first() {
    let mut world = World::of(2);
    world.tell(Event::Reload);
    world.wait(ms(1_000));
    assert_eq!(world.seated(), [3, 2]);
    world.dies(4);
    assert_eq!(world.asked.iter().rev().find_map(fork), Some((0, 0)), "the old specification");
    world.wait(ms(1_000));
    assert_eq!(world.seated(), [5, 2]);
    assert!(world.asked_to_leave(3));
    assert!(matches!(world.notices().last(), Some(Notice::RolledBack { generation: 1, .. })));
}

#[test]
fn requests_for_a_reload_that_has_replaced_nothing_are_one_reload() {
    let mut world = World::of(1);
    world.tell(Event::Reload);
    world.tell(Event::Reload);
    world.wait(ms(5_000));
    assert_eq!(world.forks(), 2);
}

#[test]
fn a_request_during_a_reload_that_has_replaced_something_is_a_reload_after_it() {
    let mut world = World::of(2);
    world.tell(Event::Reload);
    world.wait(ms(1_000));
    world.tell(Event::Reload);
    world.wait(ms(10_000));
    assert!(world.notices().contains(&Notice::ReloadCommitted { generation: 2 }));
    assert_eq!(world.seated(), [5, 6]);
}

#[test]
fn a_stop_during_a_reload_is_its_verdict() {
    let mut world = World::of(1);
    world.tell(Event::Reload);
    world.tell(Event::Stop);
    assert!(
        world
            .notices()
            .iter()
            .any(|it| matches!(it, Notice::RolledBack { reason: Reason::Stopped, .. }))
    );
    assert!(world.asked_to_leave(1) && world.asked_to_leave(2));
}

#[test]
fn a_program_that_never_listens_is_reloaded_by_staying_alive() {
    let mut world = World::silent(1);
    world.wait(ms(31_000));
    world.tell(Event::Reload);
    world.wait(ms(1_000));
    assert_eq!(world.seated(), [2]);
}

fn fork(action: &Action) -> Option<(usize, u64)> {
    match action {
        Action::Fork { slot, generation } => Some((*slot, *generation)),
        Action::Disconnect { .. }
        | Action::Signal { .. }
        | Action::Forget { .. }
        | Action::Notify(_)
        | Action::Finished(_) => None,
    }
}
