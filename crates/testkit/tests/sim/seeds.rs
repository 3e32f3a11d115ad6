//! Ten thousand worlds, and every promise held in each step of them.

use std::env;

use portcrew_testkit::sim::{self, Coverage, Runs};

/// Seeds of one test run.
const SEEDS: u64 = 10_000;

/// How often each situation must occur in them.
const ENOUGH: u64 = 50;

/// What a run of many seeds must have met. A fault that is never drawn is not survived.
const MUST_MEET: [&str; 67] = [
    "a process was measured",
    "a scheduler that had panicked is put back",
    "abandoned",
    "accept failed for one connection",
    "accept failed for want of descriptors",
    "all_refused",
    "backlog full",
    "bad picks",
    "bind failed",
    "bound: UDP, to be shared",
    "closes its channel and lives on",
    "command: close listener",
    "command: a change of a rule is undone",
    "command: a rule is taken away",
    "command: another rule",
    "command: disconnect",
    "command: told in another way",
    "command: worker closes a listener",
    "command: worker leaves",
    "command: worker listens once more",
    "descriptor lost on the way",
    "held up by what was served already",
    "held_too_long",
    "is killed while stopped",
    "kernel told an end",
    "lane packet of several answers",
    "lane packet of several connections",
    "left over: offered to one that shares",
    "listener_closed",
    "look: bytes",
    "look: the client has gone",
    "look: too late",
    "looked in vain",
    "notice: counted",
    "notice: listen failed",
    "notice: misbehaved",
    "notice: scheduler failed",
    "notice: self-bound",
    "notice: summary",
    "notice: uncounted",
    "offered again",
    "offered past one that accepts alone",
    "offered to one that shares, beside one that is handed connections",
    "policy_refused",
    "proof: never sent",
    "proof: peer gone",
    "proof: touched",
    "proof: unprovable",
    "proof: untouched",
    "rule: from shared",
    "rule: to shared",
    "schedulers that panicked",
    "seat taken over",
    "stray answers",
    "two in one seat",
    "waited as long as its policy wanted",
    "who counts was said too late",
    "window: narrow while an answer is owed",
    "window: narrowed",
    "window: widened",
    "worker fell after delivery",
    "worker fell after it read a byte",
    "worker fell after it read an offer",
    "worker fell before it read an offer",
    "worker fell between answer and delivery",
    "worker gave back what its user had not taken",
    "worker told an end",
];

#[test]
fn every_promise_holds_in_every_step_of_ten_thousand_seeds() {
    if let Some(seed) = number("PORTCREW_SIM_SEED") {
        return show(seed);
    }
    let runs = Runs::of(0..number("PORTCREW_SIM_SEEDS").unwrap_or(SEEDS));
    if let Some(violation) = runs.violation {
        panic!("{violation}");
    }
    println!("{} seeds ran to their end and met:\n{}", runs.seeds, runs.seen);
    if runs.seeds >= SEEDS {
        met_everything(&runs.seen);
    }
}

fn met_everything(seen: &Coverage) {
    for what in MUST_MEET {
        assert!(seen.count(what) >= ENOUGH, "{what}: met {} times", seen.count(what));
    }
}

/// One seed with its whole trace, and its violation if there is one.
fn show(seed: u64) {
    let (violation, trace) = sim::explain(seed, None, true);
    for line in trace {
        println!("{line}");
    }
    if let Some(mut violation) = violation {
        violation.trace.clear();
        panic!("{violation}");
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[test]
fn a_seed_runs_the_same_way_each_time() {
    for seed in 0..20 {
        assert_eq!(sim::explain(seed, None, true).1, sim::explain(seed, None, true).1);
    }
}
