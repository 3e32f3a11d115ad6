//! Crews that are ended.

use super::*;

#[test]
fn workers_are_told_to_leave_then_terminated_then_killed() {
    let mut world = World::serving(1);
    assert_eq!(disconnected(&world.on(Event::Stop)), [W1]);
    assert_eq!(world.waits(9_999), []);
    assert_eq!(signals(&world.waits(1)), [(W1, Force::Terminate)]);
    assert_eq!(world.waits(1_999), []);
    assert_eq!(signals(&world.waits(1)), [(W1, Force::Kill)]);
    let outcome = Outcome::Forced { workers: 1 };
    assert_eq!(world.exit_with(W1, Exit::Signal(9), true), [Action::Finished(outcome)]);
}

#[test]
fn workers_that_leave_in_time_end_the_crew_in_peace() {
    let mut world = World::serving(2);
    world.on(Event::Stop);
    assert_eq!(world.exit_with(W1, Exit::Code(0), true), []);
    let (worker, planned) = (W1, true);
    assert_eq!(world.on(Event::Disconnected { worker, planned }), []);
    let actions = world.exit_with(W2, Exit::Code(0), true);
    assert_eq!(actions, [Action::Finished(Outcome::Stopped)]);
    assert_eq!(world.crew.next_timeout(), None);
    for event in [Event::Stop, Event::StopNow, Event::Start, Event::Reload] {
        assert_eq!(world.on(event), [], "it is over");
    }
}

#[test]
fn a_program_that_speaks_no_channel_is_told_by_the_signal() {
    let mut world = World::with(1, |_| {});
    world.spawn();
    let actions = world.on(Event::Stop);
    assert_eq!(signals(&actions), [(W1, Force::Terminate)]);
    assert_eq!(disconnected(&actions), []);
    // It may be about to speak: it gets no listener, of which its death would leave the socket open.
    assert!(actions.contains(&Action::DrainSignal { worker: W1 }));
}

#[test]
fn a_worker_is_told_in_the_way_that_was_agreed_on_and_then_made_to_leave_as_any_other() {
    let ways = [
        (Drain::Text, Action::Text { worker: W1 }),
        (Drain::Signal, Action::DrainSignal { worker: W1 }),
    ];
    for (drain, told) in ways {
        let mut world = World::serving_with(1, |settings| settings.drain = drain);
        assert!(world.on(Event::Stop).contains(&told));
        assert_eq!(signals(&world.waits(10_000)), [(W1, Force::Terminate)]);
        assert_eq!(signals(&world.waits(2_000)), [(W1, Force::Kill)]);
    }
}

#[test]
fn a_text_is_for_those_who_speak() {
    let mut world = World::with(1, |settings| settings.drain = Drain::Text);
    world.spawn();
    assert_eq!(signals(&world.on(Event::Stop)), [(W1, Force::Terminate)]);
}

#[test]
fn a_second_request_does_not_wait() {
    let mut world = World::serving(2);
    world.on(Event::Stop);
    world.exit_with(W1, Exit::Code(0), true);
    assert_eq!(signals(&world.on(Event::Stop)), [(W2, Force::Kill)]);
    assert_eq!(world.on(Event::StopNow), [], "once is enough");
    let outcome = Outcome::Forced { workers: 1 };
    assert_eq!(world.exit(W2), [Action::Finished(outcome)]);
}

#[test]
fn to_stop_now_is_to_kill() {
    let mut world = World::serving(2);
    let actions = world.on(Event::StopNow);
    assert_eq!(signals(&actions), [(W1, Force::Kill), (W2, Force::Kill)]);
}

#[test]
fn a_crew_that_was_not_begun_or_has_nobody_ends_at_once() {
    let mut world = World::serving(1);
    world.exit(W1);
    let actions = world.on(Event::Stop);
    assert_eq!(actions.last(), Some(&Action::Finished(Outcome::Stopped)));

    let mut crew = super::super::Crew::new(Settings::default());
    let mut out = Vec::new();
    crew.handle(Time::ZERO, Event::Stop, &mut out);
    assert_eq!(out.last(), Some(&Action::Finished(Outcome::Stopped)));
}

#[test]
fn a_process_that_comes_while_the_crew_ends_is_ended_too() {
    for (event, signal) in [(Event::Stop, Force::Terminate), (Event::StopNow, Force::Kill)] {
        let mut world = World::with(1, |_| {});
        world.on(event);
        let ticket = world.open[0].0;
        let (worker, actions) = world.spawn_one(ticket);
        assert_eq!(signals(&actions), [(worker, signal)]);
    }
}

#[test]
fn a_worker_that_cannot_even_be_killed_does_not_hold_the_crew_up() {
    let mut world = World::serving(1);
    world.on(Event::StopNow);
    let actions = world.waits(5_000);
    let outcome = Outcome::Forced { workers: 1 };
    assert_eq!(
        actions,
        [Action::Notify(Notice::Unkillable { worker: W1 }), Action::Finished(outcome)]
    );
}

#[test]
fn a_stop_is_the_verdict_on_every_reload_that_was_asked_for() {
    let mut world = World::serving(2);
    world.on(Event::Reload);
    let worker = world.spawn()[0];
    world.serve(worker);
    world.waits(1_000);
    world.on(Event::Reload);
    let told = notices(&world.on(Event::Stop));
    assert!(told.contains(&abandoned(G1)));
    assert!(told.contains(&abandoned(G2)));
    let told = notices(&world.on(Event::Reload));
    let generation = Generation(3);
    assert_eq!(told, [abandoned(generation)]);
}
