//! One of three workers is stopped by SIGSTOP: the others go on as before, and what it was given another one answers.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use portcrew_testkit::http::{Load, Report};
use portcrew_testkit::process::{Signal, eventually};
use serde::Serialize;

use crate::Failure;
use crate::args::Counts;
use crate::crew::{self, Crew};
use crate::place::{HANG, Place};
use crate::support::SERVER;
use crate::world::World;

const WORKERS: usize = 3;

/// How long a worker may owe an answer: `--answer-within`.
pub(crate) const DEADLINE: Duration = Duration::from_secs(2);

/// Beyond the deadline a connection of the stopped worker is answered within this.
pub(crate) const ALLOWED: Duration = Duration::from_millis(100);

/// Who has waited for longer was given to the stopped worker. No answer of another one takes so long.
const STUCK: Duration = Duration::from_millis(500);

/// The most that a worker may have unanswered.
pub(crate) const WINDOW: u64 = 16;

/// Arrivals per second, whatever the crew does. Far below what it can: what is asked is what the others' clients notice.
const RATE: f64 = 800.0;

/// The most requests under way.
const CLIENTS: usize = 128;

/// Into a slice, when the worker is stopped: it stays so for nearly all of it.
const STOP_AFTER: Duration = Duration::from_millis(100);

/// The length of a slice: until the stopped worker has been replaced.
const SLICE: Duration = DEADLINE.saturating_add(Duration::from_millis(500));

/// A slice with all workers, and one with one of them stopped.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Round {
    pub(crate) whole: Slice,
    pub(crate) stopped: Slice,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Slice {
    pub(crate) answered: u64,
    pub(crate) failed: u64,
    /// Of those that did not wait for the stopped worker.
    pub(crate) p99_ms: f64,
    /// Answers that did: that took longer than any other does. With all workers there is none.
    pub(crate) stuck: u64,
    pub(crate) slowest_ms: f64,
}

pub(crate) fn run(world: &World, counts: &Counts) -> Result<Vec<Round>, Failure> {
    let place = Place::new(&world.portcrew)?;
    let within = format!("{}s", DEADLINE.as_secs());
    let options = ["--answer-within", &within, "--stable", "100ms", "--"];
    let crew = Crew::start(&place, crew::command_of(WORKERS, &place, &options).arg(SERVER));
    slice(&crew, 0, None)?;
    let mut rounds = Vec::new();
    for round in 0..counts.stops {
        world.interrupt.check()?;
        let seed = u64::from(round) + 1;
        // First one, then the other: what changes slowly on the machine is in both.
        let whole = |crew| slice(crew, seed, None);
        let stopped = |crew: &Crew<'_>| {
            let old = crew.workers()?;
            let stopped = slice(crew, seed, old.first().copied())?;
            replaced(crew, &old)?;
            Ok::<_, Failure>(stopped)
        };
        let round = if round % 2 == 0 {
            let whole = whole(&crew)?;
            Round { whole, stopped: stopped(&crew)? }
        } else {
            let stopped = stopped(&crew)?;
            Round { whole: whole(&crew)?, stopped }
        };
        rounds.push(round);
    }
    crew.stop();
    Ok(rounds)
}

/// A load in whose course `victim` is stopped.
fn slice(crew: &Crew<'_>, seed: u64, victim: Option<u32>) -> Result<Slice, Failure> {
    let load = Load::new(crew.address()?).clients(CLIENTS).open_loop(RATE, seed);
    let begun = Instant::now();
    let load = load.reset_on_close(true).per_try_timeout(HANG).time_limit(SLICE).background();
    if let Some(victim) = victim {
        std::thread::sleep(STOP_AFTER);
        crew.process.signal_descendant(victim, Signal::Stop)?;
    }
    // Its own end, and then that of the attempts under way.
    std::thread::sleep(SLICE.saturating_sub(begun.elapsed()));
    Ok(Slice::of(&load.finish()))
}

/// The stopped worker has ended, and there are as many as before.
fn replaced(crew: &Crew<'_>, old: &BTreeSet<u32>) -> Result<(), Failure> {
    eventually("the stopped worker is replaced", HANG, || {
        let now = match crew.workers() {
            Ok(now) => now,
            Err(error) => return Some(Err(error)),
        };
        (now.len() == WORKERS && now != *old && crew.is_complete()).then_some(Ok(()))
    })
}

impl Slice {
    fn of(report: &Report) -> Self {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        let quick = report.latency.below(STUCK);
        Self {
            answered: report.ok,
            failed: report.failures(),
            p99_ms: ms(quick.p99()),
            stuck: report.latency.count() - quick.count(),
            slowest_ms: ms(report.latency.max()),
        }
    }
}
