//! Faults planted in the machine's decisions: each must be found, and by a check whose matter it is.

use portcrew_testkit::sim::{self, Check, Mutation};

/// Seeds within which a planted fault must be found. The slowest needs some hundreds: it matters to few worlds.
const WITHIN: u64 = 2_000;

/// The first seed that shows it, and the check that objected.
pub(crate) fn found(mutation: Mutation) -> Option<(u64, Check)> {
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
        Mutation::TakesRefusal => &[Check::C1Account, Check::C4Copy, Check::C11Live],
        // Nobody but the count of the answers can tell one from the other.
        Mutation::LosesRefusal => &[Check::C1Account],
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
        Mutation::ForgetsReply => &[Check::Liveness, Check::C9SocketLife, Check::C5Bounds],
        Mutation::WindowOffByOne | Mutation::WindowNeverWidens => &[Check::C5Bounds],
        // Who is late is not free: nobody is to ask what holds it up.
        Mutation::WindowNeverNarrows => &[Check::C5Bounds, Check::C12Choice],
        Mutation::HeldUpUnseen | Mutation::IgnoresServed => &[Check::C12Choice],
        Mutation::QueueOffByOne => &[Check::C5Bounds, Check::C6BackPressure],
        Mutation::AcceptsForNobody => &[Check::C6BackPressure],
        Mutation::LazyScheduler | Mutation::NeverAsksAgain => &[Check::C7Progress],
        Mutation::ForgetsAlone => &[Check::C12Choice, Check::C7Progress],
        Mutation::SparesSharers | Mutation::Impatient => &[Check::C12Choice],
        Mutation::Favourite => &[Check::C12Choice, Check::C7Progress],
        Mutation::MiscountsLive | Mutation::ForgetsSeat => &[Check::C12Choice],
        // Another policy is asked: it chooses somebody else, or lets wait what is to be given, or needs other facts.
        Mutation::RuleIgnored | Mutation::UndoesWrong => {
            &[Check::C12Choice, Check::C7Progress, Check::C11Live]
        }
        Mutation::MisreadsLook | Mutation::HidesPanic => &[Check::C12Choice, Check::C7Progress],
        Mutation::RuleLosesQueue => &[Check::C1Account],
        Mutation::RestsNever => &[Check::C5Bounds, Check::C7Progress],
        Mutation::ForgivesNothing => &[Check::C8Fairness],
        Mutation::ForgetsEnd | Mutation::EndsTwice | Mutation::ForgetsEndTold => &[Check::C11Live],
        Mutation::BelievesNobodyTells | Mutation::ForgetsToCount | Mutation::CountsUnasked => {
            &[Check::C11Live]
        }
        Mutation::ForgetsLook => &[Check::C12Choice],
        Mutation::IgnoresLook | Mutation::LooksForEver => &[Check::C7Progress, Check::C1Account],
        Mutation::AsksAtOnce => &[Check::Spin],
        Mutation::IgnoresShed => &[Check::C1Account],
        Mutation::ShedsWithoutEnd => &[Check::C5Bounds],
        other => expected_of_crew(other),
    }
}

/// The same for faults of the crew's machine, of its wiring, and of the proof.
const fn expected_of_crew(mutation: Mutation) -> &'static [Check] {
    match mutation {
        Mutation::DrainsTooSoon | Mutation::ForksTwice => &[Check::R2Capacity],
        Mutation::ForgetsExit | Mutation::ReapsAllFirst => &[Check::S1Reaped],
        Mutation::NeverKills => &[Check::S5End, Check::Liveness],
        Mutation::KillsAtOnce => &[Check::S4Grace],
        Mutation::RestartsAtOnce => &[Check::S3Starts, Check::Spin],
        Mutation::ForgetsNewcomer | Mutation::CommitsTheBroken | Mutation::ForksOldProgram => {
            &[Check::R1Verdict]
        }
        Mutation::ForgetsVerdict => &[Check::R1Verdict, Check::Liveness],
        Mutation::ForgetsFork | Mutation::LosesReady => &[Check::Liveness],
        Mutation::CountsPause
        | Mutation::BlamesEarly
        | Mutation::HangsWhenOff
        | Mutation::BeatsWhenOff => &[Check::T1Pause],
        Mutation::IgnoresHang => &[Check::T2Hang],
        Mutation::KeepsListeners
        | Mutation::LeavesListed
        | Mutation::KeepsGivenUp
        | Mutation::KeepsOldListener => &[Check::C9SocketLife],
        Mutation::HalfClosedIsTouched
        | Mutation::CorkedIsUntouched
        | Mutation::DiscardIsUntouched => &[Check::C3Reoffer],
        // Nobody: the test fails.
        _ => &[],
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
