//! Faults planted in the machine's decisions: each must be found, and by a check whose matter it is.

use portcrew_testkit::sim::{self, Check, Mutation};

/// Seeds within which a planted fault must be found. The slowest needs some forty.
const WITHIN: u64 = 400;

/// The first seed that shows it, and the check that objected.
fn found(mutation: Mutation) -> Option<(u64, Check)> {
    (0..WITHIN).find_map(|seed| {
        let violation = sim::run(seed, Some(mutation)).err()?;
        Some((seed, violation.broken.check))
    })
}

/// Who may object. A wrong decision often breaks several promises in one step, and the first to look says so.
const fn expected(mutation: Mutation) -> &'static [Check] {
    match mutation {
        Mutation::KeepsTaken | Mutation::KeepsPeerGone | Mutation::ReleasesTwice => {
            &[Check::C4Copy]
        }
        Mutation::ForgetsOffer => &[Check::C1Account, Check::Liveness],
        Mutation::IgnoresAnswer | Mutation::IgnoresEmfile => &[Check::C1Account, Check::C4Copy],
        Mutation::TakesRefusal => &[Check::C1Account, Check::C4Copy],
        Mutation::OffersTwice | Mutation::DrainsOnExit | Mutation::ExitsOnDrain => {
            &[Check::C3Reoffer]
        }
        // It is to be closed in this step, and it is offered or held instead.
        Mutation::BelievesTouched
        | Mutation::BelievesUnprovable
        | Mutation::BelievesPeerGone
        | Mutation::RefusalsOffByOne => &[Check::C3Reoffer, Check::C4Copy],
        Mutation::NeverAcceptsAgain | Mutation::NeverStopsAccepting => &[Check::C6BackPressure],
        Mutation::KeepsListener => &[Check::C9SocketLife],
        Mutation::ForgetsData => &[Check::C10SharedData],
        Mutation::HidesSelfBound => &[Check::WorkerSide],
        Mutation::ForgetsReply => &[Check::Liveness],
        Mutation::WindowOffByOne => &[Check::C5Bounds],
        Mutation::QueueOffByOne => &[Check::C5Bounds, Check::C6BackPressure],
        Mutation::LazyScheduler => &[Check::C7Progress],
    }
}

#[test]
fn every_planted_fault_is_found_by_a_check_whose_matter_it_is() {
    for mutation in Mutation::ALL {
        let found = found(mutation);
        println!("{mutation:?}: {found:?}");
        let Some((seed, check)) = found else {
            panic!("{mutation:?} went unnoticed for {WITHIN} seeds");
        };
        let right = expected(mutation).contains(&check);
        assert!(right, "{mutation:?} was found by {check:?}, seed {seed}");
    }
}
