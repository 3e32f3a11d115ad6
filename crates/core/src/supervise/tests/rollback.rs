//! Reloads that fail.

use super::*;

const STATUS: Reason = Reason::Exited(CRASH);

/// A reload of two workers, with its first newcomer, worker 3, just started.
fn reloading() -> World {
    let mut world = World::serving(2);
    world.on(Event::Reload);
    world.spawn();
    world
}

fn verdicts(actions: &[Action]) -> Vec<Notice> {
    let verdict =
        |it: &Notice| matches!(it, Notice::ReloadCommitted { .. } | Notice::RolledBack { .. });
    notices(actions).into_iter().filter(verdict).collect()
}

fn rolled_back(worker: Option<WorkerId>, reason: Reason) -> Notice {
    Notice::RolledBack { generation: G1, worker, reason, unrestored: 0 }
}

fn untouched(world: &World) -> bool {
    world.seats() == [(SlotState::Held(W1), G0), (SlotState::Held(W2), G0)]
        && world.crew.ready_workers() == 2
        && world.crew.phase() == Phase::Running
}

#[test]
fn a_release_that_dies_at_its_start_leaves_the_old_workers_untouched() {
    let mut world = reloading();
    let actions = world.exit(W3);
    assert_eq!(verdicts(&actions), [rolled_back(Some(W3), STATUS)]);
    assert_eq!(signals(&actions), []);
    assert_eq!(disconnected(&actions), []);
    assert!(untouched(&world));
}

#[test]
fn so_does_one_that_dies_within_the_stable_time() {
    let mut world = reloading();
    world.serve(W3);
    world.waits(999);
    let actions = world.exit(W3);
    assert_eq!(verdicts(&actions), [rolled_back(Some(W3), STATUS)]);
    assert!(untouched(&world));
}

#[test]
fn so_does_one_that_is_not_ready_in_time_and_it_is_ended() {
    let mut world = reloading();
    assert_eq!(world.waits(29_999), []);
    let actions = world.waits(1);
    assert_eq!(
        verdicts(&actions),
        [rolled_back(Some(W3), Reason::Deadline(Duration::from_secs(30)))]
    );
    assert_eq!(signals(&actions), [(W3, Force::Terminate)]);
    assert!(untouched(&world));
}

#[test]
fn where_a_word_is_wanted_to_live_is_not_enough_even_if_no_worker_ever_said_it() {
    let mut world = World::with(1, |settings| settings.readiness = Readiness::Told);
    world.spawn();
    world.waits(60_000);
    world.on(Event::Reload);
    world.spawn();
    let told = verdicts(&world.waits(30_000));
    assert_eq!(told, [rolled_back(Some(W2), Reason::Deadline(Duration::from_secs(30)))]);
}

#[test]
fn so_does_one_that_cannot_be_started() {
    let mut world = World::serving(2);
    world.on(Event::Reload);
    let actions = world.refuse(true);
    assert_eq!(verdicts(&actions), [rolled_back(None, Reason::NotExecutable)]);
    assert!(untouched(&world));
}

#[test]
fn so_does_one_that_cannot_listen_whether_it_ends_or_not() {
    let errno = Errno::ADDRESS_IN_USE;
    let verdict = rolled_back(Some(W3), Reason::CannotListen(errno));
    for ends in [true, false] {
        let mut world = reloading();
        world.on(Event::Online { worker: W3 });
        world.on(Event::CannotListen { worker: W3, errno });
        let actions = if ends { world.exit(W3) } else { world.waits(1_000) };
        assert_eq!(verdicts(&actions), [verdict]);
        assert!(untouched(&world));
    }
}

#[test]
fn so_does_one_that_breaks_the_protocol_or_leaves() {
    let mut world = reloading();
    world.serve(W3);
    let actions = world.on(Event::Misbehaved { worker: W3 });
    assert_eq!(verdicts(&actions), [rolled_back(Some(W3), Reason::Misbehaved)]);
    assert!(untouched(&world));

    let mut world = reloading();
    world.serve(W3);
    let (worker, planned) = (W3, true);
    let actions = world.on(Event::Disconnected { worker, planned });
    assert_eq!(verdicts(&actions), [rolled_back(Some(W3), Reason::Left)]);
    assert!(untouched(&world));
}

#[test]
fn a_failed_reload_costs_the_running_generation_nothing_of_its_budget() {
    let mut world = World::serving(1);
    for _ in 0..50 {
        world.on(Event::Reload);
        let worker = world.spawn()[0];
        world.exit(worker);
    }
    assert_eq!(world.crew.phase(), Phase::Running);
    let told = notices(&world.exit(W1));
    assert!(matches!(told[..], [Notice::Restarting { streak: 1, .. }]));
}

#[test]
fn what_was_replaced_is_restored_old_before_new_goes() {
    let mut world = reloading();
    world.serve(W3);
    world.waits(1_000);
    world.exit_with(W1, Exit::Code(0), true);
    assert_eq!(world.spawn(), [W4]);
    let actions = world.exit(W4);
    let (generation, slot) = (G1, S1);
    assert_eq!(
        notices(&actions),
        [Notice::ReloadFailed { generation, slot, worker: Some(W4), reason: STATUS }]
    );
    let asked: Vec<_> = forks(&actions).iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(asked, [(S0, G0)]);
    assert_eq!(disconnected(&actions), []);
    let restored = world.spawn()[0];
    let actions = world.serve(restored);
    assert_eq!(disconnected(&actions), [W3]);
    assert_eq!(verdicts(&actions), [rolled_back(Some(W4), STATUS)]);
    assert_eq!(world.seats(), [(SlotState::Held(restored), G0), (SlotState::Held(W2), G0)]);
    assert_eq!(world.crew.generation(), G0);
}

#[test]
fn a_new_worker_that_dies_after_its_turn_fails_the_reload_too() {
    let mut world = reloading();
    world.serve(W3);
    world.waits(1_000);
    world.exit_with(W1, Exit::Code(0), true);
    world.spawn();
    let actions = world.exit(W3);
    assert_eq!(signals(&actions), [(W4, Force::Terminate)]);
    assert_eq!(verdicts(&actions), [rolled_back(Some(W3), STATUS)]);
    let asked: Vec<_> = forks(&actions).iter().map(|it| (it.1, it.2)).collect();
    assert_eq!(asked, [(S0, G0)]);
}

#[test]
fn the_verdict_comes_even_when_the_old_generation_does_not_start_any_more() {
    let mut world = reloading();
    world.serve(W3);
    world.waits(1_000);
    world.exit_with(W1, Exit::Code(0), true);
    world.spawn();
    world.exit(W4);
    let restored = world.spawn()[0];
    let actions = world.exit(restored);
    assert_eq!(disconnected(&actions), [W3]);
    assert_eq!(
        notices(&actions),
        [
            Notice::NotRestored { generation: G0, slot: S0, reason: STATUS },
            Notice::RolledBack { generation: G1, worker: Some(W4), reason: STATUS, unrestored: 1 },
            Notice::Restarting { slot: S0, reason: STATUS, delay: Duration::ZERO, streak: 0 },
        ][..2]
    );
    assert!(world.seats().iter().all(|it| it.1 == G0));
}

#[test]
fn an_old_program_that_is_gone_is_named_and_costs_no_old_worker_that_still_runs() {
    let mut world = reloading();
    world.serve(W3);
    world.waits(1_000);
    world.exit_with(W1, Exit::Code(0), true);
    world.spawn();
    world.exit(W4);
    let actions = world.refuse(true);
    let (slot, reason) = (S0, Reason::NotExecutable);
    let gone = Notice::NotRestored { generation: G0, slot, reason };
    assert!(notices(&actions).contains(&gone));
    assert!(matches!(verdicts(&actions)[..], [Notice::RolledBack { unrestored: 1, .. }]));
    assert_eq!(disconnected(&actions), [W3], "and not worker 2");
    assert_eq!(world.stage(W2), Some(Stage::Ready));
}

#[test]
fn a_new_worker_that_dies_while_it_is_replaced_leaves_its_slot_to_the_old_one() {
    let mut world = reloading();
    world.serve(W3);
    world.waits(1_000);
    world.exit_with(W1, Exit::Code(0), true);
    world.spawn();
    world.exit(W4);
    let restored = world.spawn()[0];
    let actions = world.exit(W3);
    assert_eq!(verdicts(&actions), [rolled_back(Some(W4), STATUS)]);
    assert_eq!(world.seats()[0], (SlotState::Held(restored), G0));
}

#[test]
fn a_number_is_never_given_to_another_release() {
    let mut world = reloading();
    world.exit(W3);
    let told = notices(&world.on(Event::Reload));
    assert_eq!(told, [Notice::ReloadStarted { generation: G2 }]);
}
