//! The counts of the schedulers, told from time to time.

use super::*;
use crate::scheduler::{Incoming, Pick, WorkerView};

#[test]
fn a_summary_is_told_while_something_changes_and_a_quiet_primary_has_no_timer() {
    let every = Duration::from_secs(1);
    let mut world = World::limited(|limits| limits.summary_every = Some(every)).crew(2, true);
    assert_eq!(world.primary.next_timeout(), None);
    for conn in 0..3 {
        world.accepts(conn);
        let (worker, seq) = world.offer(conn);
        world.answers(worker, seq, true);
    }
    let told = news(&world.waits(1_000));
    let [Scheduling::Summary { policy, counts, given }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((*policy, counts.given), ("round-robin", 3));
    assert_eq!(*given, [(W1, 2), (W2, 1)]);
    assert_eq!(world.primary.next_timeout(), None);
    assert_eq!(news(&world.waits(5_000)), []);
}

#[test]
fn what_was_refused_is_told_too_and_by_the_name_that_the_policy_has_now() {
    let every = Duration::from_secs(1);
    let refuse = |_: &Incoming, _: &[WorkerView]| Pick::Refuse;
    let mut world = World::with(|settings| {
        settings.limits.summary_every = Some(every);
        settings.rules = Rules::new(Rule::handover(refuse));
    });
    world = world.crew(1, true);
    world.accepts(1);
    let told = news(&world.waits(1_000));
    let [Scheduling::Summary { policy: "custom", counts, .. }] = &told[..] else {
        panic!("{told:?}")
    };
    assert_eq!((counts.given, counts.refused), (0, 1));
    world.accepts(2);
    world.rules(None, Rule::shared());
    let told = news(&world.waits(1_000));
    assert!(matches!(told[..], [Scheduling::Summary { policy: "shared", .. }]), "{told:?}");
}
