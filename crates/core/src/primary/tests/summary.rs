//! The counts of the schedulers, told from time to time.

use super::*;

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
