//! One policy for one listener, and policies that change.

use super::*;
use crate::scheduler::{Incoming, Pick, WorkerView};

fn last_one(_: &Incoming, workers: &[WorkerView]) -> Pick {
    workers.iter().map(|it| it.worker).max().map_or(Pick::Wait, Pick::Worker)
}

fn nobody(_: &Incoming, _: &[WorkerView]) -> Pick {
    Pick::Wait
}

#[test]
fn each_listener_has_the_policy_of_its_name() {
    let rules = Rules::new(Rule::shared())
        .with(ListenerName::Port(80), Rule::handover(last_one))
        .with(ListenerName::Path("/s".into()), Rule::default());
    let mut world = World::with(|settings| settings.rules = rules);
    world.comes(W1, true);
    let modes: Vec<_> = [tcp(80), unix(), tcp(81)]
        .into_iter()
        .flat_map(|query| world.asks(W1, query))
        .filter_map(|action| match action {
            Action::Bind { mode, .. } => Some(mode),
            _ => None,
        })
        .collect();
    assert_eq!(modes, [Mode::Handover, Mode::Handover, Mode::Shared]);
}

#[test]
fn what_waits_is_dealt_out_by_the_new_policy_at_once() {
    let mut world = World::ruled(Rule::handover(nobody)).crew(2, true);
    world.accepts(1);
    assert_eq!(world.place(1), Some(Place::Held));
    let actions = world.rules(None, Rule::handover(last_one));
    assert_eq!(offered(&actions), [(1, W2)]);
    assert_eq!(news(&actions), [Scheduling::Policy { name: "custom" }]);
    assert!(!world.primary.is_changing());
}

#[test]
fn a_change_for_one_listener_leaves_the_others() {
    let mut world = World::limited(|_| {}).crew(2, true);
    assert_eq!(world.rules(Some(ListenerName::Port(81)), Rule::handover(nobody)), []);
    assert_eq!(offered(world.accepts(1)).len(), 1);
    world.rules(Some(ListenerName::Port(80)), Rule::handover(nobody));
    assert_eq!(offered(world.accepts(2)), []);
    // A change for all others does not touch one that has its own.
    world.rules(None, Rule::default());
    assert_eq!(world.place(2), Some(Place::Held));
}

#[test]
fn to_shared_the_primary_accepts_until_the_last_old_worker_has_left() {
    let mut world = World::limited(|_| {}).crew(2, true);
    world.rules(None, Rule::shared());
    assert!(world.primary.is_changing());
    assert!(world.view(L0).is_accepting);
    let shared = replies(&world.joins(WorkerId(3), true, tcp(80)));
    assert_eq!(shared, [(WorkerId(3), Reply::Shared)]);
    world.on(Event::Disconnect { worker: W1 });
    assert!(world.view(L0).is_accepting);
    let actions = world.on(Event::Disconnect { worker: W2 });
    assert!(actions.contains(&Action::Accept { listener: L0, on: false }));
    assert!(!world.primary.is_changing());
}

#[test]
fn what_an_old_worker_gives_back_goes_to_one_that_shares() {
    let mut world = World::limited(|_| {}).crew(1, true);
    world.accepts(1);
    world.rules(None, Rule::shared());
    world.joins(W2, true, tcp(80));
    world.on(Event::Disconnect { worker: W1 });
    let (worker, seq) = world.offer(1);
    assert_eq!(offered(world.answers(worker, seq, false)), [(1, W2)]);
}

#[test]
fn from_shared_the_primary_accepts_with_the_first_new_worker() {
    let mut world = World::ruled(Rule::shared()).crew(1, true);
    world.rules(None, Rule::default());
    assert!(!world.view(L0).is_accepting);
    let actions = world.joins(W2, true, tcp(80));
    assert!(matches!(replies(&actions)[..], [(W2, Reply::Handover { .. })]));
    assert!(actions.contains(&Action::Accept { listener: L0, on: true }));
}

/// Four workers, the last of the new way: how many each is given of as many connections as they are.
fn given_while_changing(before: Rule, after: Rule) -> Vec<u64> {
    let mut world = World::ruled(before).crew(3, true);
    world.rules(None, after);
    world.joins(WorkerId(4), true, tcp(80));
    // Only the primary's own share: under a rule from shared the others accept beside it.
    for conn in 1..=8 {
        world.accepts(conn);
    }
    let mut holders = world.view(L0).holders.to_vec();
    holders.sort_by_key(|it| it.worker);
    holders.iter().map(|it| it.given).collect()
}

#[test]
fn while_the_workers_are_replaced_what_the_primary_accepts_goes_to_all_of_them() {
    assert_eq!(given_while_changing(Rule::shared(), Rule::default()), [2, 2, 2, 2]);
    assert_eq!(given_while_changing(Rule::default(), Rule::shared()), [2, 2, 2, 2]);
}

#[test]
fn one_that_does_not_survive_a_hand_over_of_what_it_shares_is_spared_it() {
    let mut world = World::ruled(Rule::shared());
    world.on(Event::Forked { worker: W1, origin: Origin::alone(W1) });
    world.on(Event::AcceptsAlone { worker: W1 });
    let query = world.asks(W1, tcp(80));
    assert!(matches!(query[..], [Action::Bind { .. }]));
    world.bound(L0);
    world.rules(None, Rule::default());
    world.joins(W2, true, tcp(80));
    for conn in 1..=17 {
        world.accepts(conn);
    }
    // Not even what is left over: it waits for one that takes it.
    assert_eq!(world.view(L0).waiting, [ConnId(17)]);
    let given: Vec<_> = world.view(L0).holders.iter().map(|it| (it.worker, it.given)).collect();
    assert_eq!(given, [(W2, 16), (W1, 0)]);
    world.dies(W2);
    assert_eq!(world.view(L0).waiting, [ConnId(17)]);
}

#[test]
fn a_newcomer_that_does_not_answer_keeps_nothing_from_those_that_share() {
    let mut world = World::ruled(Rule::shared()).crew(1, true);
    world.rules(None, Rule::default());
    world.joins(W2, true, tcp(80));
    for conn in 1..=100 {
        world.accepts(conn);
        match world.place(conn) {
            Some(Place::Offered(W1, seq)) => drop(world.answers(W1, seq, true)),
            // From then on it is known to be slow.
            _ => drop(world.waits(21)),
        }
    }
    let newcomer = world.view(L0).holders[0].clone();
    assert_eq!((newcomer.worker, newcomer.given), (W2, 1));
    assert_eq!(world.view(L0).waiting, []);
}

/// A panic that no hook prints.
fn panics(_: &Incoming, _: &[WorkerView]) -> Pick {
    std::panic::resume_unwind(Box::new("no idea"))
}

#[test]
fn a_scheduler_that_panics_is_told_once_and_costs_no_connection() {
    let mut world = World::ruled(Rule::handover(panics)).crew(2, true);
    let first = world.accepts(1).to_vec();
    let second = world.accepts(2).to_vec();
    let failure = crate::scheduler::Failure::Panicked("no idea".into());
    assert_eq!(news(&first), [Scheduling::Failed { failure }]);
    assert_eq!(news(&second), []);
    assert_eq!((offered(&first), offered(&second)), (vec![(1, W1)], vec![(2, W2)]));
    assert_eq!(world.primary.ledger().scheduler_panics, 1);
}

#[test]
fn a_scheduler_that_panics_as_it_is_replaced_costs_nothing() {
    struct Last;
    impl Drop for Last {
        fn drop(&mut self) {
            std::panic::resume_unwind(Box::new("a last word"));
        }
    }
    let last = Last;
    let clings = move |_: &Incoming, _: &[WorkerView]| {
        let _ = &last;
        Pick::Wait
    };
    let mut world = World::ruled(Rule::handover(clings)).crew(1, true);
    world.accepts(1);
    assert_eq!(offered(&world.rules(None, Rule::default())), [(1, W1)]);
}

#[test]
fn a_connection_that_waits_at_most_so_long_is_asked_about_again() {
    let patient = |incoming: &Incoming, workers: &[WorkerView]| match Duration::from_millis(30)
        .checked_sub(incoming.waited)
    {
        Some(left) if !left.is_zero() => Pick::WaitAtMost(left),
        Some(_) | None => Pick::Worker(workers[0].worker),
    };
    let mut world = World::ruled(Rule::handover(patient)).crew(1, true);
    assert_eq!(offered(world.accepts(1)), []);
    assert_eq!(offered(&world.waits(29)), []);
    assert_eq!(offered(&world.waits(1)), [(1, W1)]);
}

#[test]
fn who_wants_to_be_asked_at_once_is_asked_after_the_least_time() {
    let hasty = |_: &Incoming, _: &[WorkerView]| Pick::WaitAtMost(Duration::ZERO);
    let mut world = World::ruled(Rule::handover(hasty)).crew(1, true);
    world.accepts(1);
    let next = world.primary.next_timeout().expect("it is asked again");
    assert_eq!(next.since(world.now), Limits::default().ask_again);
    // Were there no least time, a time-out would still be done with once.
    let mut world = World::with(|settings| {
        settings.limits.ask_again = Duration::ZERO;
        settings.rules = Rules::new(Rule::handover(hasty));
    });
    world = world.crew(1, true);
    world.accepts(1);
    assert_eq!(offered(&world.waits(1)), []);
}

#[test]
fn a_change_that_is_undone_leaves_the_scheduler_as_it_was_with_all_that_it_remembers() {
    let mut turn = 0;
    let counts = move |_: &Incoming, workers: &[WorkerView]| {
        turn += 1;
        Pick::Worker(workers[turn % 2].worker)
    };
    let mut world = World::ruled(Rule::handover(counts)).crew(2, true);
    assert_eq!(offered(world.accepts(1)), [(1, W2)]);
    let (now, mut out) = (world.now, Vec::new());
    let before = world.primary.set_rule(now, None, Some(Rule::handover(nobody)), &mut out);
    world.primary.set_rule(now, None, before, &mut out);
    assert_eq!(offered(world.accepts(2)), [(2, W1)]);
    let port = Some(ListenerName::Port(80));
    let before = world.primary.set_rule(now, port.clone(), Some(Rule::shared()), &mut out);
    assert!(before.is_none() && world.primary.is_changing());
    world.primary.set_rule(now, port, before, &mut out);
    assert!(!world.primary.is_changing());
    assert_eq!(offered(world.accepts(3)), [(3, W2)]);
}

#[test]
fn a_scheduler_that_has_panicked_is_not_asked_again_when_a_change_is_undone() {
    let mut world = World::ruled(Rule::handover(panics)).crew(2, true);
    world.accepts(1);
    let (now, mut out) = (world.now, Vec::new());
    let before = world.primary.set_rule(now, None, Some(Rule::handover(last_one)), &mut out);
    world.primary.set_rule(now, None, before, &mut out);
    assert_eq!(world.view(L0).policy, "round-robin");
    assert_eq!(offered(world.accepts(2)), [(2, W2)]);
    assert_eq!(world.primary.ledger().scheduler_panics, 1);
}

#[test]
fn a_policy_that_waits_for_a_worker_that_listens_is_asked_when_one_says_so() {
    let ready = |_: &Incoming, workers: &[WorkerView]| {
        let first = workers.iter().find(|it| it.listening && it.is_free());
        first.map_or(Pick::Wait, |it| Pick::Worker(it.worker))
    };
    let mut world = World::ruled(Rule::handover(ready)).crew(1, true);
    assert_eq!(offered(world.accepts(1)), []);
    let said = FromWorker::Listening { query: tcp(80), port: 80 };
    assert_eq!(offered(world.says(W1, said)), [(1, W1)]);
}
