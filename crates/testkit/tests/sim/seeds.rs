//! Ten thousand worlds, and every promise held in each step of them.

use std::{env, fs};

use portcrew_testkit::sim::{self, Coverage, Recording, Runs, Violation};

/// Seeds of one test run.
const SEEDS: u64 = 10_000;

/// How often each situation must occur in them.
const ENOUGH: u64 = 50;

/// Worlds that never came to rest: time passed over the end of a program that was ready, so that it passed its trial, or
/// somebody was waited for who sleeps in the kernel.
const RESTLESS: [u64; 3] = [65_345, 83_610, 758_778];

/// What a run of many seeds must have met. A fault that is never drawn is not survived.
const MUST_MEET: [&str; 127] = [
    "a process was measured",
    "a reaped worker's pid is a stranger's",
    "a reaped worker's pid is another's",
    "a scheduler that had panicked is put back",
    "abandoned",
    "accept failed for one connection",
    "accept failed for want of descriptors",
    "all_refused",
    "backlog full",
    "bad picks",
    "bind failed",
    "bound: UDP, to be shared",
    "client half-closed while offered, with bytes unread",
    "client reset before the accept",
    "client reset while offered",
    "closes its channel and lives on",
    "command: a change of a rule is undone",
    "command: a rule is taken away",
    "command: another rule",
    "command: close listener",
    "command: disconnect",
    "command: stop",
    "command: stop again",
    "command: stop during a reload",
    "command: told in another way",
    "command: worker closes a listener",
    "command: worker leaves",
    "command: worker listens once more",
    "crew: canary",
    "crew: degraded",
    "crew: forced",
    "crew: hangs, and is debugged",
    "crew: hangs, and is stopped",
    "crew: hangs, and may hear",
    "crew: hung, by its beat",
    "crew: hung, by its signs of life",
    "crew: hung, by what it owes",
    "crew: not ready in time",
    "crew: not recycled",
    "crew: recovered",
    "crew: recycled",
    "crew: recycling",
    "crew: resized",
    "crew: restarts what could not be started",
    "crew: unkillable",
    "descriptor lost on the way",
    "end: cannot listen",
    "end: cannot start",
    "end: forced",
    "end: stopped",
    "fork failed for want of descriptors",
    "fork failed for want of processes",
    "fork failed: nothing to execute",
    "held up by what was served already",
    "held_too_long",
    "is killed while stopped",
    "judged: corked",
    "judged: half-closed",
    "judged: half-closed, with bytes unread",
    "kernel told an end",
    "lane packet of several answers",
    "lane packet of several connections",
    "left over: offered to one that shares",
    "listener_closed",
    "look: bytes",
    "look: the client has gone",
    "look: too late",
    "looked in vain",
    "nothing is found out of a worker that hangs",
    "notice: counted",
    "notice: died inside, counted",
    "notice: died inside, unknown",
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
    "reload failed: cannot listen",
    "reload failed: exited",
    "reload failed: not ready in time",
    "reload failed: not started",
    "reload failed: nothing to execute",
    "reload: asked for during a reload",
    "reload: committed",
    "reload: not restored",
    "reload: overtaken by the end",
    "reload: rolled back",
    "rule: from shared",
    "rule: to shared",
    "schedulers that panicked",
    "seat taken over",
    "several exits at one wake",
    "shed",
    "shed for want of descriptors",
    "signal: kill",
    "signal: report",
    "signal: terminate",
    "stray answers",
    "the primary paused",
    "two in one seat",
    "waited as long as its policy wanted",
    "who counts was said too late",
    "window: narrow while an answer is owed",
    "window: narrowed",
    "window: widened",
    "worker corked a write",
    "worker fell after a corked write",
    "worker fell after delivery",
    "worker fell after it looked at bytes",
    "worker fell after it read a byte",
    "worker fell after it read an offer",
    "worker fell before it read an offer",
    "worker fell between answer and delivery",
    "worker gave back what its user had not taken",
    "worker had bytes thrown away",
    "worker looked at bytes",
    "worker told an end",
];

#[test]
fn every_promise_holds_in_every_step_of_ten_thousand_seeds() {
    if let Ok(path) = env::var("PORTCREW_SIM_SCHEDULE") {
        return replay(&path);
    }
    if let Some(seed) = number("PORTCREW_SIM_SEED") {
        return show(seed);
    }
    let runs = Runs::of(0..number("PORTCREW_SIM_SEEDS").unwrap_or(SEEDS));
    if let Some(violation) = runs.violation {
        // Told at once: where nothing ever comes to rest, to shrink it takes minutes.
        println!("{violation}");
        panic!("{}", sim::shortest(violation.seed, None).unwrap_or(violation));
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

/// One seed with its whole trace, and what it breaks, shrunk.
fn show(seed: u64) {
    print_all(&sim::explain(seed, None));
    if let Some(violation) = sim::shortest(seed, None) {
        panic!("{violation}");
    }
}

/// A schedule that was written down, with its whole trace, and what it breaks.
fn replay(path: &str) {
    let text = fs::read_to_string(path).unwrap_or_else(|it| panic!("{path}: {it}"));
    let recording: Recording = text.parse().unwrap_or_else(|it| panic!("{path}: {it}"));
    let replayed = recording.replay(recording.mutation);
    print_all(&replayed.trace);
    if let Err(Violation { step, broken, .. }) = replayed.outcome.map_err(|it| *it) {
        panic!("{:?} is broken at step {step}: {}", broken.check, broken.what);
    }
}

fn print_all(trace: &[String]) {
    for line in trace {
        println!("{line}");
    }
}

fn number(name: &str) -> Option<u64> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}")))
}

#[test]
fn worlds_that_never_came_to_rest_do() {
    for seed in RESTLESS {
        let broken = sim::run(seed, None).err();
        assert!(broken.is_none(), "{broken:?}");
    }
}

#[test]
fn a_seed_runs_the_same_way_each_time() {
    for seed in 0..20 {
        assert_eq!(sim::explain(seed, None), sim::explain(seed, None));
    }
}
