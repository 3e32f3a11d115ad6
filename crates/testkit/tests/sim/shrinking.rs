//! A failing seed shrinks to a schedule that a person can read.

use portcrew_testkit::sim::recording::Short;
use portcrew_testkit::sim::{self, Mutation, Violation};

use crate::mutations::found;

/// Faults that are found in a long schedule and need a short one. All take a minute.
const SHRUNK: [Mutation; 12] = [
    Mutation::ReleasesTwice,
    Mutation::ForgetsOffer,
    Mutation::NeverAcceptsAgain,
    Mutation::TakesRefusal,
    Mutation::BelievesPeerGone,
    Mutation::DrainsOnExit,
    Mutation::KeepsListener,
    Mutation::QueueOffByOne,
    Mutation::LazyScheduler,
    Mutation::UndoesWrong,
    Mutation::ForgetsSeat,
    Mutation::ForgetsToCount,
];

/// So long is a shrunk schedule at most, in steps. Of all planted faults some three need more.
const SHORT: usize = 25;

fn shrunk(mutation: Mutation) -> (Violation, Short) {
    let (seed, _) = found(mutation).expect("a planted fault is found");
    let mut violation = sim::shortest(seed, Some(mutation)).expect("the seed fails once more");
    let short = violation.short.take().expect("it is shrunk");
    (*violation, *short)
}

#[test]
fn a_failing_seed_shrinks_to_a_short_schedule_that_breaks_the_same_promise() {
    for mutation in SHRUNK {
        let (violation, short) = shrunk(mutation);
        let tape = &short.recording.tape;
        let (steps, choices) = (tape.steps(), tape.choices());
        println!("{mutation:?}: {:?} became {:?}", short.before, (steps, choices));
        assert!(steps <= SHORT, "{mutation:?} needs {steps} steps");
        assert!((steps, choices) < short.before, "{mutation:?} is no shorter");
        let again = short.recording.replay(Some(mutation));
        let broken = again.outcome.expect_err("it still fails").broken;
        assert_eq!(broken.check, violation.broken.check, "{mutation:?}");
        assert_eq!(&again.tape, tape, "{mutation:?} chooses what is written down");
    }
}

#[test]
fn shrinking_has_one_outcome() {
    let [one, two] = [(), ()].map(|()| shrunk(Mutation::QueueOffByOne).1);
    assert_eq!((one.recording, one.tries), (two.recording, two.tries));
}

#[test]
fn writing_choices_down_changes_nothing() {
    for seed in 0..20 {
        let plain = sim::run(seed, Some(Mutation::WindowOffByOne));
        let recorded = sim::shortest(seed, Some(Mutation::WindowOffByOne));
        let at = |it: &Violation| (it.step, it.broken.what.clone());
        assert_eq!(plain.err().as_deref().map(at), recorded.as_deref().map(at), "seed {seed}");
    }
}

#[test]
fn a_violation_prints_its_short_schedule() {
    let (seed, _) = found(Mutation::ReleasesTwice).expect("a planted fault is found");
    let violation = sim::shortest(seed, Some(Mutation::ReleasesTwice)).expect("it fails once more");
    let text = violation.to_string();
    let parts = [format!("seed {seed} breaks C4Copy"), "shrunk in".into(), "\nbegin ".into()];
    for part in parts {
        assert!(text.contains(&part), "{part:?} is missing: {text}");
    }
}
