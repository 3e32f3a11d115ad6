//! Two workers, three connections, and everything that can happen to them in any order.

use std::env;

use portcrew_testkit::sim::exhaust::{Explored, explore};
use portcrew_testkit::sim::{Check, Mutation};

/// How many things happen in one test run. `PORTCREW_EXHAUST` says how many otherwise: `just exhaust` is twelve.
const DEPTH: usize = 5;

/// States that so many letters lead to at least. Where there are fewer, something does not happen any more.
const STATES: u64 = 5_000;

/// So many letters are enough for each of these faults.
const WITHIN: usize = 4;

/// Planted faults, and who may object.
const PLANTED: [(Mutation, &[Check]); 17] = [
    (Mutation::KeepsTaken, &[Check::C4Copy]),
    (Mutation::ReleasesTwice, &[Check::C4Copy]),
    (Mutation::ForgetsOffer, &[Check::C1Account]),
    (Mutation::OffersTwice, &[Check::C3Reoffer]),
    (Mutation::NeverAcceptsAgain, &[Check::C6BackPressure]),
    (Mutation::NeverStopsAccepting, &[Check::C6BackPressure]),
    // One that was not asked for is not counted as an offence either.
    (Mutation::IgnoresAnswer, &[Check::C4Copy, Check::WorkerSide]),
    (Mutation::TakesRefusal, &[Check::C4Copy]),
    (Mutation::BelievesTouched, &[Check::C3Reoffer]),
    (Mutation::BelievesUnprovable, &[Check::C3Reoffer]),
    (Mutation::BelievesPeerGone, &[Check::C3Reoffer]),
    (Mutation::DrainsOnExit, &[Check::C3Reoffer]),
    (Mutation::ExitsOnDrain, &[Check::C3Reoffer]),
    (Mutation::KeepsListener, &[Check::C9SocketLife]),
    (Mutation::WindowOffByOne, &[Check::C5Bounds]),
    (Mutation::RefusalsOffByOne, &[Check::C3Reoffer, Check::C4Copy]),
    (Mutation::RestsNever, &[Check::C5Bounds]),
];

fn explored(depth: usize) -> Explored {
    explore(depth, None).unwrap_or_else(|found| panic!("{found}"))
}

#[test]
fn every_promise_holds_in_every_order_in_which_a_few_things_can_happen() {
    let depth = env::var("PORTCREW_EXHAUST").map_or(DEPTH, |it| {
        it.parse().unwrap_or_else(|_| panic!("PORTCREW_EXHAUST is no number: {it}"))
    });
    let explored = explored(depth);
    println!("{explored}");
    assert!(depth < DEPTH || explored.states >= STATES, "{explored}");
}

#[test]
fn a_planted_fault_is_found_in_the_fewest_things_that_show_it() {
    for (mutation, checks) in PLANTED {
        let found = explore(WITHIN, Some(mutation)).expect_err("a planted fault is found");
        println!("{mutation:?}: {found}");
        assert!(checks.contains(&found.broken.check), "{mutation:?} was found so: {found}");
        let fewer = explore(found.word.len() - 1, Some(mutation));
        assert!(fewer.is_ok(), "{mutation:?} needs fewer");
    }
}

#[test]
fn exploring_has_one_outcome() {
    assert_eq!(explored(3), explored(3));
}
