//! Workers that are cut off, thrown out, or slow to end.

use super::*;

#[test]
fn a_closed_channel_waits_a_moment_for_the_exit_that_explains_it() {
    let mut world = World::serving(1);
    let (worker, planned) = (W1, false);
    assert_eq!(world.on(Event::Disconnected { worker, planned }), []);
    let told = notices(&world.exit(W1));
    let reason = Reason::Exited(CRASH);
    assert!(matches!(told[..], [Notice::Restarting { reason: it, .. }] if it == reason));
}

#[test]
fn a_worker_that_cut_itself_off_and_lives_is_replaced_and_ended() {
    let mut world = World::serving(1);
    let (worker, planned) = (W1, false);
    world.on(Event::Disconnected { worker, planned });
    let actions = world.waits(1_120);
    assert_eq!(forks(&actions).len(), 1);
    let actions = world.waits(12_000);
    assert_eq!(signals(&actions), [(W1, Force::Terminate), (W1, Force::Kill)]);
}

#[test]
fn a_program_that_never_spoke_may_close_a_channel_that_it_does_not_know() {
    let mut world = World::with(1, |_| {});
    world.spawn();
    let (worker, planned) = (W1, false);
    world.on(Event::Disconnected { worker, planned });
    world.waits(29_000);
    assert_eq!(world.seats(), [(SlotState::Held(W1), G0)]);
}

#[test]
fn a_worker_that_breaks_the_protocol_is_made_to_end_and_replaced() {
    let mut world = World::serving(1);
    let actions = world.on(Event::Misbehaved { worker: W1 });
    assert_eq!(signals(&actions), [(W1, Force::Terminate)]);
    let actions = world.waits(2_000);
    assert_eq!(forks(&actions).len(), 1);
    assert_eq!(signals(&actions), [(W1, Force::Kill)]);
}

#[test]
fn a_slot_never_has_more_than_two_processes_however_slowly_they_end() {
    let mut world = World::serving(1);
    let mut worker = W1;
    for _ in 0..5 {
        let planned = true;
        world.on(Event::Disconnected { worker, planned });
        assert!(world.crew.workers(world.now).count() + world.open.len() <= 2);
        let Some(next) = world.spawn().first().copied() else {
            break;
        };
        worker = next;
        world.serve(worker);
        world.waits(1_000);
    }
    assert_eq!(world.seats(), [(SlotState::Vacant, G0)]);
    assert_eq!(forks(&world.exit(W1)).len(), 1, "there is room again");
}
