//! Runs seeds: one, or many on several threads.

use std::num::NonZero;
use std::ops::Range;
use std::thread;

use super::mutation::{Mutation, Saboteur};
use super::report::{Coverage, Trace, Violation};
use super::world::World;

/// Lines of trace that a violation shows.
const TRACE: usize = 60;

/// Runs one seed.
///
/// # Errors
/// When a promise is broken. The violation has no trace: see [`explain`].
pub fn run(seed: u64, mutation: Option<Mutation>) -> Result<Coverage, Box<Violation>> {
    go(seed, mutation, 0).0
}

/// Runs one seed once more and keeps its last lines, or all of them.
#[must_use]
pub fn explain(
    seed: u64,
    mutation: Option<Mutation>,
    all: bool,
) -> (Option<Box<Violation>>, Vec<String>) {
    let (outcome, trace) = go(seed, mutation, if all { usize::MAX } else { TRACE });
    match outcome {
        Ok(_) => (None, trace),
        Err(mut violation) => {
            violation.trace.clone_from(&trace);
            (Some(violation), trace)
        }
    }
}

fn go(
    seed: u64,
    mutation: Option<Mutation>,
    keep: usize,
) -> (Result<Coverage, Box<Violation>>, Vec<String>) {
    let mut world = World::new(seed, Saboteur::new(mutation, seed), Trace::keeping(keep));
    let outcome = world.run_faulty().and_then(|()| world.settle());
    world.summarize();
    let World { seen, trace, step, .. } = world;
    let outcome = outcome
        .map(|()| seen)
        .map_err(|broken| Box::new(Violation { seed, step, broken, trace: Vec::new() }));
    (outcome, trace.into_lines())
}

/// What many seeds did.
#[derive(Debug, Default)]
pub struct Runs {
    /// How many were run to their end.
    pub seeds: u64,
    /// What they met.
    pub seen: Coverage,
    /// The lowest seed that broke a promise, of those that were run, with its trace.
    pub violation: Option<Box<Violation>>,
}

impl Runs {
    /// Runs these seeds on as many threads as there are processors. Each thread stops at its first violation.
    ///
    /// # Panics
    /// When the simulator itself, or the machine in it, panics.
    #[must_use]
    pub fn of(seeds: Range<u64>) -> Self {
        let threads = thread::available_parallelism().map_or(1, NonZero::get) as u64;
        let parts = thread::scope(|scope| {
            let seeds = &seeds;
            let spawn = |first: u64| {
                scope.spawn(move || {
                    let step = usize::try_from(threads).unwrap_or(1);
                    let mine = (seeds.start + first..seeds.end).step_by(step);
                    Self::in_turn(mine)
                })
            };
            let handles: Vec<_> = (0..threads).map(spawn).collect();
            let join = |it: thread::ScopedJoinHandle<'_, Self>| {
                it.join().expect("a thread that panics fails the test")
            };
            handles.into_iter().map(join).collect::<Vec<_>>()
        });
        parts.into_iter().fold(Self::default(), Self::with)
    }

    fn in_turn(seeds: impl Iterator<Item = u64>) -> Self {
        let mut runs = Self::default();
        for seed in seeds {
            match run(seed, None) {
                Ok(seen) => {
                    runs.seeds += 1;
                    runs.seen.merge(&seen);
                }
                Err(_) => {
                    runs.violation = explain(seed, None, false).0;
                    break;
                }
            }
        }
        runs
    }

    fn with(mut self, other: Self) -> Self {
        self.seeds += other.seeds;
        self.seen.merge(&other.seen);
        self.violation = match (self.violation, other.violation) {
            (Some(one), Some(two)) => Some(if one.seed < two.seed { one } else { two }),
            (one, two) => one.or(two),
        };
        self
    }
}
