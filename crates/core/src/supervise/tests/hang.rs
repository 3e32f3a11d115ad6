//! What becomes of a worker that hangs, when its answers are looked at, and its heartbeat.

use super::*;

const WITHIN: Duration = Duration::from_secs(4);

fn world(change: impl FnOnce(&mut Settings)) -> World {
    World::serving_with(1, change)
}

/// A crew whose one worker has owed an answer for too long, and is looked at.
fn hung() -> (World, Time) {
    let mut world = world(|it| it.answer_within = Some(WITHIN));
    let since = world.now;
    world.waits(4_000);
    assert_eq!(owes(&mut world, since), [Action::Examine { worker: W1 }]);
    (world, since)
}

fn owes(world: &mut World, since: Time) -> Vec<Action> {
    world.on(Event::Owes { worker: W1, since })
}

/// How long the crew waits until it does this.
fn until(world: &mut World, wanted: impl Fn(&Action) -> bool) -> Duration {
    let began = world.now;
    for _ in 0..100 {
        let at = world.crew.next_timeout().expect("it waits for something");
        let wait = at.since(world.now).as_millis();
        if world.waits(u64::try_from(wait).unwrap()).iter().any(&wanted) {
            return world.now - began;
        }
    }
    panic!("it does nothing of the kind");
}

fn hangs(actions: &[Action]) -> Vec<Found> {
    let told = notices(actions).into_iter().filter_map(|it| match it {
        Notice::Hangs { worker: W1, found, .. } => Some(found),
        _ => None,
    });
    told.collect()
}

#[test]
fn one_that_can_hear_a_signal_gets_it_and_is_killed_when_it_does_not_end() {
    let (mut world, _) = hung();
    let actions = found(&mut world, Found::Able);
    assert_eq!(hangs(&actions), [Found::Able]);
    assert_eq!(signals(&actions), [(W1, Force::Report)]);
    assert!(notices(&actions).iter().any(|it| matches!(it, Notice::Restarting { .. })));
    assert!(!signals(&world.waits(1_999)).contains(&(W1, Force::Kill)));
    assert!(signals(&world.waits(1)).contains(&(W1, Force::Kill)));
}

#[test]
fn one_that_is_stopped_hears_no_signal_and_is_killed_at_once() {
    let (mut world, _) = hung();
    let actions = found(&mut world, Found::Stopped);
    assert_eq!(hangs(&actions), [Found::Stopped]);
    assert_eq!(signals(&actions), [(W1, Force::Kill)]);
}

#[test]
fn one_that_somebody_debugs_is_left_alone_and_that_is_said_once() {
    let (mut world, since) = hung();
    let actions = found(&mut world, Found::Traced);
    assert_eq!((hangs(&actions), actions.len()), (vec![Found::Traced], 1));
    world.waits(4_000);
    assert_eq!(owes(&mut world, since), [Action::Examine { worker: W1 }]);
    assert_eq!(found(&mut world, Found::Traced), [], "it was said");
    // The debugger has gone.
    world.waits(4_000);
    owes(&mut world, since);
    assert_eq!(signals(&found(&mut world, Found::Able)), [(W1, Force::Report)]);
}

#[test]
fn one_that_has_answered_since_a_debugger_let_it_go_is_told_of_again() {
    let (mut world, _) = hung();
    found(&mut world, Found::Traced);
    world.waits(1);
    let since = world.now;
    assert!(!owes(&mut world, since).contains(&Action::Examine { worker: W1 }));
    world.waits(4_000);
    owes(&mut world, since);
    assert_eq!(hangs(&found(&mut world, Found::Traced)), [Found::Traced]);
}

#[test]
fn one_of_which_nothing_becomes_known_is_ended_by_the_usual_steps() {
    let (mut world, _) = hung();
    assert_eq!(signals(&world.waits(499)), []);
    assert_eq!(signals(&world.waits(1)), [(W1, Force::Report)]);
    assert_eq!(found(&mut world, Found::Stopped), [], "too late");
}

#[test]
fn one_that_ends_while_it_is_looked_at_is_signalled_by_nobody() {
    let (mut world, _) = hung();
    world.exit(W1);
    assert_eq!(found(&mut world, Found::Able), []);
    assert!(signals(&world.waits(1_000)).is_empty());
}

#[test]
fn one_that_was_told_to_leave_while_it_was_looked_at_keeps_its_grace() {
    let (mut world, _) = hung();
    world.on(Event::Stop);
    assert_eq!(found(&mut world, Found::Stopped), []);
}

#[test]
fn answers_are_looked_at_at_the_moment_when_the_oldest_is_overdue() {
    let see = |it: &Action| *it == Action::SeeAnswers;
    let mut world = world(|it| it.answer_within = Some(WITHIN));
    until(&mut world, see);
    // Nobody owes anything: whoever does from now on cannot be late before that.
    assert_eq!(until(&mut world, see), WITHIN);
    let since = world.now;
    world.waits(1_500);
    assert_eq!(owes(&mut world, since), []);
    assert_eq!(until(&mut world, see), Duration::from_millis(2_500));
    assert_eq!(owes(&mut world, since), [Action::Examine { worker: W1 }]);
}

#[test]
fn one_that_is_not_ready_may_owe_an_answer_until_it_should_have_been() {
    let mut world = World::with(1, |it| {
        (it.readiness, it.answer_within) = (Readiness::Told, Some(WITHIN));
        it.start_deadline = Duration::from_secs(10);
    });
    world.spawn();
    world.on(Event::Online { worker: W1 });
    let since = world.now;
    world.waits(9_999);
    assert_eq!(owes(&mut world, since), []);
    world.waits(1);
    assert_eq!(owes(&mut world, since), [Action::Examine { worker: W1 }]);
}

#[test]
fn one_whose_runtime_does_not_turn_is_noticed_by_the_time_of_the_next_question() {
    let ask = |it: &Action| *it == Action::AskForBeat { worker: W1 };
    let examine = |it: &Action| *it == Action::Examine { worker: W1 };
    let mut world = world(|it| it.heartbeat = Some(WITHIN));
    world.on(Event::Beats { worker: W1 });
    for _ in 0..3 {
        assert_eq!(until(&mut world, ask), WITHIN);
        assert_eq!(world.on(Event::Beat { worker: W1 }), []);
    }
    until(&mut world, ask);
    assert_eq!(until(&mut world, examine), WITHIN);
    let told = notices(&found(&mut world, Found::Able));
    assert!(matches!(told[0], Notice::Hangs { reason: Reason::NoBeat(WITHIN), .. }), "{told:?}");
}

#[test]
fn no_beat_is_expected_of_one_that_does_not_know_it_or_is_not_ready() {
    let ask = |it: &Action| matches!(it, Action::AskForBeat { .. });
    let mut world = World::with(1, |it| it.heartbeat = Some(WITHIN));
    world.spawn();
    world.serve(W1);
    assert!(!world.waits(60_000).iter().any(ask), "it does not know it");
    world.exit(W1);
    world.waits(1_000);
    world.spawn();
    world.on(Event::Beats { worker: W2 });
    assert!(!world.waits(20_000).iter().any(ask), "it is not ready");
    world.serve(W2);
    assert!(world.waits(4_000).iter().any(ask));
}

#[test]
fn a_pause_of_the_primary_gives_a_beat_its_time_again_and_asks_once() {
    let mut world = world(|it| it.heartbeat = Some(WITHIN));
    world.on(Event::Beats { worker: W1 });
    until(&mut world, |it| *it == Action::AskForBeat { worker: W1 });
    world.now = world.now + Duration::from_secs(60);
    assert_eq!(world.waits(0), []);
    assert_eq!(world.waits(3_999), []);
    assert_eq!(world.waits(1), [Action::Examine { worker: W1 }]);
}

/// A crew whose one worker understands beats, has owed an answer for too long, and is asked.
fn asked() -> (World, Time) {
    let mut world = world(|it| it.answer_within = Some(WITHIN));
    world.on(Event::Beats { worker: W1 });
    let since = world.now;
    world.waits(4_000);
    let ask = [Action::Examine { worker: W1 }, Action::AskForBeat { worker: W1 }];
    assert_eq!(owes(&mut world, since), ask, "also without a heartbeat");
    (world, since)
}

#[test]
fn one_whose_runtime_turns_may_owe_an_answer_for_another_deadline_and_is_asked_again_then() {
    let (mut world, since) = asked();
    assert_eq!(found(&mut world, Found::Able), [], "it may yet beat");
    assert_eq!(world.on(Event::Beat { worker: W1 }), []);
    assert_eq!(hangs(&world.waits(3_999)), []);
    assert_eq!(owes(&mut world, since), []);
    world.waits(1);
    assert!(owes(&mut world, since).contains(&Action::AskForBeat { worker: W1 }));
}

#[test]
fn one_that_is_asked_has_a_second_for_its_beat() {
    let (mut world, _) = asked();
    found(&mut world, Found::Able);
    assert_eq!(hangs(&world.waits(999)), []);
    assert_eq!(hangs(&world.waits(1)), [Found::Able]);
}

#[test]
fn one_that_is_stopped_is_asked_for_no_beat_first() {
    let (mut world, _) = asked();
    assert_eq!(hangs(&found(&mut world, Found::Stopped)), [Found::Stopped]);
}

#[test]
fn one_that_has_answered_while_it_was_looked_at_is_left_alone() {
    let (mut world, _) = hung();
    assert_eq!(world.on(Event::Examined { worker: W1, found: Found::Able, owes: None }), []);
    assert_eq!(hangs(&world.waits(600)), []);
}

#[test]
fn a_suspicion_is_withdrawn_by_what_it_missed_and_by_nothing_else() {
    let mut world = World::with(1, |it| it.watchdog = Some(WITHIN));
    world.spawn();
    world.serve(W1);
    assert_eq!(world.waits(4_000), [Action::Examine { worker: W1 }]);
    world.on(Event::Sign { worker: W1 });
    assert_eq!(hangs(&found(&mut world, Found::Able)), [], "it came after all");
    let (mut world, _) = hung();
    world.on(Event::Sign { worker: W1 });
    assert_eq!(hangs(&found(&mut world, Found::Able)), [Found::Able], "it owes an answer");
}

#[test]
fn a_pause_that_is_long_beside_a_short_deadline_is_noticed() {
    let mut world = world(|it| it.answer_within = Some(Duration::from_secs(1)));
    let since = world.now;
    world.waits(500);
    world.now = world.now + Duration::from_millis(600);
    assert_eq!(owes(&mut world, since), []);
}
