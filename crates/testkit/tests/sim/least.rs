//! Fewest open connections: they are level, and whoever has lost some is given the next.

use std::collections::BTreeMap;

use portcrew_core::primary::{Event, Rule};
use portcrew_core::scheduler::{Incoming, LeastConnections, Needs, Pick, Scheduler, WorkerView};
use portcrew_core::{Limits, WorkerId};
use portcrew_testkit::sim::Rng;

use crate::crew::{Crew, Fault, honest};

/// How many connections each of four workers has open after 16 came, 8 of them ended at three workers, and 8 came.
fn open(rule: Rule) -> [u32; 4] {
    let mut crew = Crew::of(4, rule);
    let mut open = [0; 4];
    let came = |crew: &mut Crew, open: &mut [u32; 4]| {
        for _ in 0..8 {
            open[crew.serves().0 as usize - 1] += 1;
        }
    };
    came(&mut crew, &mut open);
    came(&mut crew, &mut open);
    assert_eq!(open, [4, 4, 4, 4]);
    for (worker, ended) in [(1, 4), (2, 3), (4, 1)] {
        open[worker as usize - 1] -= ended;
        for _ in 0..ended {
            crew.on(Event::Ended { worker: WorkerId(worker), dying: false });
        }
    }
    came(&mut crew, &mut open);
    open
}

#[test]
fn sixteen_long_ones_are_four_each_and_the_next_go_where_some_have_ended() {
    assert_eq!(open(Rule::handover(LeastConnections)), [4, 4, 4, 4]);
}

#[test]
fn dealing_in_turn_is_seen_not_to_fill_what_is_missing() {
    assert_eq!(open(Rule::default()), [2, 3, 6, 5]);
}

/// Connections come and end by chance; the turn in which one went to a worker that had more open than another.
fn unequal_at(rule: impl Fn() -> Rule, fault: Fault) -> Option<(u64, u32)> {
    (0..100).find_map(|seed| {
        let mut rng = Rng::new(seed);
        let mut crew = Crew::with(5, rule(), Limits::default(), fault);
        let mut open: BTreeMap<_, u32> = (1..=5).map(|it| (WorkerId(it), 0)).collect();
        let wrong = (0..200).find(|_| {
            let ending = WorkerId(1 + u32::try_from(rng.below(5)).unwrap_or(0));
            let has_one = open.get_mut(&ending).filter(|it| **it > 0 && rng.percent(45));
            if let Some(it) = has_one {
                *it -= 1;
                crew.on(Event::Ended { worker: ending, dying: false });
                return false;
            }
            let (worker, least) = (crew.serves(), open.values().min().copied());
            let had = open.insert(worker, open[&worker] + 1);
            had > least
        });
        wrong.map(|turn| (seed, turn))
    })
}

#[test]
fn whoever_has_fewest_is_always_next() {
    assert_eq!(unequal_at(|| Rule::handover(LeastConnections), honest), None);
}

/// Shows another policy one connection too many of the first worker.
struct Miscounts;

impl Scheduler for Miscounts {
    fn pick(&mut self, incoming: &Incoming, workers: &[WorkerView]) -> Pick {
        let mut workers = workers.to_vec();
        workers[0].live = workers[0].live.map(|it| it + 1);
        LeastConnections.pick(incoming, &workers)
    }

    fn needs(&self) -> Needs {
        LeastConnections.needs()
    }
}

#[test]
fn a_count_that_is_one_too_high_is_seen() {
    assert!(unequal_at(|| Rule::handover(Miscounts), honest).is_some());
}

#[test]
fn an_end_that_is_not_heard_or_heard_twice_is_seen() {
    fn deaf(event: Event) -> Vec<Event> {
        let lost = matches!(event, Event::Ended { worker: WorkerId(1), .. });
        (!lost).then_some(event).into_iter().collect()
    }
    fn twice(event: Event) -> Vec<Event> {
        match event {
            Event::Ended { worker: WorkerId(2), .. } => vec![event.clone(), event],
            other => vec![other],
        }
    }
    for fault in [deaf as Fault, twice] {
        assert!(unequal_at(|| Rule::handover(LeastConnections), fault).is_some());
    }
}
