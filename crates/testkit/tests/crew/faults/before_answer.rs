//! Workers die before they have answered, one after another: everybody is served by another one.

use portcrew_testkit::faults::BeforeTheAnswer;

use crate::support::{PRIMARY, ROGUE, SERVER, scaled};

fn nobody_notices(lane: bool) {
    let scene = BeforeTheAnswer::new(PRIMARY, SERVER, ROGUE);
    scene.kills(scaled(100, 10_000)).lane(lane).run().assert_nothing_lost();
}

#[test]
fn who_was_with_a_worker_that_dies_before_its_answer_is_served_by_another() {
    nobody_notices(true);
}

#[test]
fn without_a_lane_too() {
    nobody_notices(false);
}
