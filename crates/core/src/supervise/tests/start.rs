//! Workers that come, or do not.

use super::*;

const HEAD_START: Duration = Duration::from_millis(100);

#[test]
fn a_crew_asks_for_a_worker_per_slot_and_for_no_more() {
    let mut world = World::with(3, |_| {});
    let asked: Vec<_> = world.open.iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(asked, [(S0, G0), (S1, G0), (SlotId(2), G0)]);
    for worker in world.spawn() {
        assert_eq!(world.serve(worker), []);
    }
    assert_eq!(world.crew.ready_workers(), 3);
    assert_eq!(world.on(Event::Start), [], "a crew begins once");
}

#[test]
fn only_so_many_workers_are_starting_at_once() {
    let mut world = World::with(5, |settings| settings.start_parallelism = 2);
    assert_eq!(world.open.len(), 2);
    let workers = world.spawn();
    assert_eq!(world.open, [], "they are starting still");
    world.serve(workers[0]);
    assert_eq!(world.open.len(), 1, "the place of the one that is ready");
    world.spawn();
    world.waits(1_000);
    assert_eq!(world.open.len(), 2, "silent ones give way after a while");
}

#[test]
fn the_first_worker_starts_alone_until_it_is_ready() {
    let mut world = World::with(4, |settings| settings.head_start = HEAD_START);
    assert_eq!(world.open.len(), 1);
    world.spawn();
    assert_eq!(world.waits(99), []);
    world.serve(W1);
    assert_eq!(world.open.len(), 3);
    assert_eq!(world.waits(1), [], "there is nothing left to wait for");
}

#[test]
fn one_that_is_not_ready_in_time_has_no_head_start_any_more() {
    let mut world = World::with(4, |settings| settings.head_start = HEAD_START);
    world.spawn();
    world.waits(100);
    assert_eq!(world.open.len(), 3);
}

#[test]
fn a_first_worker_that_ends_before_it_is_ready_does_not_hold_up_the_others() {
    let mut world = World::with(3, |settings| settings.head_start = HEAD_START);
    world.spawn();
    world.exit(W1);
    assert_eq!(world.open.iter().map(|it| it.1).collect::<Vec<_>>(), [SlotId(1)], "alone again");
    world.waits(100);
    assert_eq!(world.open.len(), 2, "the one that ended waits longer: {:?}", world.open);
}

#[test]
fn a_worker_that_does_not_listen_is_spoken_of_once_and_left_running() {
    let mut world = World::with(1, |_| {});
    world.spawn();
    assert_eq!(world.waits(29_999), []);
    let notice = Notice::NotListening { worker: W1, after: Duration::from_secs(30) };
    assert_eq!(notices(&world.waits(1)), [notice]);
    assert_eq!(world.waits(3_600_000), []);
    assert_eq!(world.stage(W1), Some(Stage::Spawned));
}

#[test]
fn a_worker_that_listens_in_time_is_not_spoken_of() {
    let mut world = World::with(1, |_| {});
    world.spawn();
    world.waits(29_999);
    world.serve(W1);
    assert_eq!(world.waits(3_600_000), []);
}

#[test]
fn where_age_is_enough_a_worker_is_ready_when_it_has_lived_for_the_stable_time() {
    let mut world = World::with(1, |settings| settings.readiness = Readiness::Age);
    world.spawn();
    assert_eq!(world.waits(999), []);
    assert_eq!(world.crew.ready_workers(), 0);
    assert_eq!(world.waits(1), [Action::Notify(Notice::Ready { worker: W1 })]);
    assert_eq!(world.crew.ready_workers(), 1);
    assert_eq!(world.waits(3_600_000), [], "nobody waits for its word");
}

#[test]
fn that_a_worker_is_ready_is_told_once_where_its_listening_does_not_tell_it() {
    let mut world = World::with(1, |settings| settings.readiness = Readiness::Told);
    world.spawn();
    let told = Action::Notify(Notice::Ready { worker: W1 });
    assert_eq!(world.on(Event::Ready { worker: W1 }), [told]);
    assert_eq!(world.on(Event::Ready { worker: W1 }), []);
    let mut world = World::with(1, |_| {});
    world.spawn();
    assert_eq!(world.on(Event::Ready { worker: W1 }), []);
}

#[test]
fn where_age_is_enough_a_newcomer_takes_its_place_at_that_age_and_not_at_twice_that_age() {
    let mut world = World::with(1, |settings| settings.readiness = Readiness::Age);
    world.spawn();
    world.waits(60_000);
    world.on(Event::Reload);
    world.spawn();
    assert_eq!(world.waits(999), []);
    let actions = world.waits(1);
    assert_eq!(signals(&actions), [(W1, Force::Terminate)]);
    assert_eq!(world.crew.generation(), G1);
}

#[test]
fn where_age_is_enough_dying_before_that_age_is_a_failed_start() {
    let mut world = World::with(1, |settings| settings.readiness = Readiness::Age);
    let actions = world.crash_for(60_000);
    let finished = Action::Finished(Outcome::NeverReady { last: Some(CRASH) });
    assert_eq!(actions.last(), Some(&finished));
}

#[test]
fn a_program_that_cannot_be_executed_ends_the_crew_without_another_try() {
    let mut world = World::with(2, |_| {});
    let actions = world.refuse(true);
    assert_eq!(actions.last(), Some(&Action::Finished(Outcome::CannotStart)));
    assert_eq!(forks(&actions), []);
    assert_eq!(world.crew.phase(), Phase::Finished);
    assert_eq!(world.crew.next_timeout(), None);
}

#[test]
fn a_program_that_is_missing_for_a_moment_does_not_end_a_crew_that_ran() {
    let mut world = World::serving(1);
    world.exit(W1);
    world.waits(120);
    world.refuse(true);
    assert_eq!(world.seats(), [(SlotState::BackingOff, G0)]);
    world.waits(120);
    assert_eq!(world.open.len(), 1);
}

#[test]
fn want_of_a_resource_is_tried_again_after_a_delay() {
    let mut world = World::with(1, |_| {});
    assert_eq!(forks(&world.refuse(false)), []);
    world.waits(120);
    assert_eq!(world.open.len(), 1);
}

#[test]
fn an_address_that_belongs_to_another_ends_the_first_generation() {
    let mut world = World::with(2, |_| {});
    world.spawn();
    world.on(Event::Online { worker: W1 });
    let errno = Errno::ADDRESS_IN_USE;
    assert_eq!(world.on(Event::CannotListen { worker: W1, errno }), []);
    let actions = world.exit(W1);
    assert_eq!(signals(&actions), [(W2, Force::Terminate)]);
    let outcome = Outcome::CannotListen { worker: W1, errno };
    assert_eq!(world.exit(W2), [Action::Finished(outcome)]);
}

#[test]
fn a_worker_that_does_not_end_for_a_taken_address_is_not_waited_for() {
    let mut world = World::with(1, |_| {});
    world.spawn();
    world.on(Event::Online { worker: W1 });
    let errno = Errno::ADDRESS_IN_USE;
    world.on(Event::CannotListen { worker: W1, errno });
    assert_eq!(disconnected(&world.waits(1_000)), [W1]);
    let outcome = Outcome::CannotListen { worker: W1, errno };
    assert_eq!(world.exit(W1), [Action::Finished(outcome)]);
}

#[test]
fn a_worker_that_says_farewell_because_the_address_is_taken_ends_the_first_generation_too() {
    let mut world = World::with(1, |_| {});
    world.spawn();
    world.on(Event::Online { worker: W1 });
    let errno = Errno::ADDRESS_IN_USE;
    world.on(Event::CannotListen { worker: W1, errno });
    let told = notices(&world.on(Event::Disconnected { worker: W1, planned: true }));
    assert!(matches!(told[..], [Notice::Stopping { .. }]), "{told:?}");
    let outcome = Outcome::CannotListen { worker: W1, errno };
    assert_eq!(world.exit(W1), [Action::Finished(outcome)]);
}

#[test]
fn a_worker_that_finds_another_address_goes_on() {
    let mut world = World::with(1, |_| {});
    world.spawn();
    let errno = Errno::ADDRESS_IN_USE;
    world.on(Event::CannotListen { worker: W1, errno });
    world.serve(W1);
    assert_eq!(world.waits(3_600_000), []);
}

#[test]
fn an_address_that_is_taken_later_is_no_end() {
    let mut world = World::serving(2);
    world.exit(W1);
    world.waits(120);
    world.spawn();
    let (worker, errno) = (W3, Errno::ADDRESS_IN_USE);
    world.on(Event::CannotListen { worker, errno });
    let reason = Reason::CannotListen(errno);
    let told = notices(&world.exit(W3));
    assert!(matches!(told[..], [Notice::Restarting { reason: it, .. }] if it == reason));
}

#[test]
fn what_the_crew_did_not_ask_for_is_not_its_business() {
    let mut world = World::serving(1);
    let (ticket, worker) = (Ticket(99), WorkerId(99));
    assert_eq!(world.on(Event::Spawned { ticket, worker }), []);
    assert_eq!(world.serve(worker), []);
    assert_eq!(world.on(Event::Misbehaved { worker }), []);
    assert_eq!(world.exit(worker), []);
}
