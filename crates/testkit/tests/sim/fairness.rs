//! C8: workers that are always free are given the same number of connections.

use std::time::Duration;

use portcrew_core::primary::Rule;
use portcrew_core::scheduler::{Incoming, Pick, WorkerView};
use portcrew_core::{Limits, WorkerId};
use portcrew_testkit::sim::Rng;

use crate::crew::Crew;

const ALL: [u32; 4] = [1, 2, 3, 4];

/// One after another: the first turn after which one of four idle workers is two ahead of another.
fn unfair_at(rule: Rule) -> Option<u32> {
    let mut crew = Crew::of(4, rule);
    (1..=1_000).find(|_| {
        crew.serves();
        crew.spread(&ALL) > 1
    })
}

#[test]
fn one_after_another_is_dealt_out_exactly() {
    assert_eq!(unfair_at(Rule::default()), None);
}

#[test]
fn a_policy_that_gives_all_to_the_first_free_worker_is_seen_to_be_unfair() {
    let first = |_: &Incoming, workers: &[WorkerView]| {
        let free = workers.iter().find(|it| it.is_free());
        free.map_or(Pick::Wait, |it| Pick::Worker(it.worker))
    };
    assert_eq!(unfair_at(Rule::handover(first)), Some(2));
}

#[test]
fn sixteen_at_once_on_four_idle_workers_are_four_each() {
    let mut crew = Crew::of(4, Rule::default());
    for _ in 0..16 {
        crew.accepts();
    }
    assert_eq!(crew.given.values().copied().collect::<Vec<_>>(), [4, 4, 4, 4]);
}

#[test]
fn workers_that_are_always_free_stay_level_whatever_the_others_do() {
    for seed in 0..200 {
        let mut rng = Rng::new(seed);
        let mut crew = Crew::of(4, Rule::default());
        for turn in 0..300 {
            let worker = crew.accepts().expect("two are always free");
            // Workers 3 and 4 keep what they have for a while; 1 and 2 answer at once.
            if worker.0 <= 2 {
                crew.answers(worker, true);
            }
            if rng.percent(20) {
                let late = WorkerId(3 + u32::from(rng.percent(50)));
                crew.answers(late, true);
            }
            assert!(crew.spread(&[1, 2]) <= 1, "seed {seed}, {turn}: {:?}", crew.given);
        }
    }
}

/// One of four workers owes an answer for longer than is usual. What it is given of the next 100 connections, which
/// the others answer at once.
fn given_while_held_up(rule: Rule) -> u64 {
    let mut crew = Crew::of(4, rule);
    for _ in ALL {
        crew.serves();
    }
    let slow = crew.accepts().expect("all are free");
    crew.now = crew.now + Limits::default().held_up + Duration::from_micros(1);
    let before = crew.given[&slow];
    for _ in 0..100 {
        let worker = crew.accepts().expect("three are free");
        if worker != slow {
            crew.answers(worker, true);
        }
    }
    crew.given[&slow] - before
}

#[test]
fn a_worker_that_is_held_up_is_given_nothing_while_others_are_free() {
    assert_eq!(given_while_held_up(Rule::default()), 0);
}

#[test]
fn a_policy_that_only_deals_out_is_seen_to_let_connections_wait_behind_a_worker_that_is_held_up() {
    let blind = |_: &Incoming, workers: &[WorkerView]| {
        let free = workers.iter().filter(|it| it.is_free());
        free.min_by_key(|it| it.share).map_or(Pick::Wait, |it| Pick::Worker(it.worker))
    };
    assert!(given_while_held_up(Rule::handover(blind)) > 10);
}

#[test]
fn a_newcomer_is_level_with_the_least_given_and_is_not_flooded() {
    let mut crew = Crew::of(2, Rule::default());
    for _ in 0..100 {
        crew.serves();
    }
    crew.joins(WorkerId(3), 2);
    crew.given = [1, 2, 3].map(|it| (WorkerId(it), 0)).into();
    for _ in 0..30 {
        crew.serves();
    }
    assert!(crew.spread(&[1, 2, 3]) <= 1, "{:?}", crew.given);
}
