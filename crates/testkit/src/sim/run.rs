//! Runs seeds: one, or many on several threads.

use std::num::NonZero;
use std::ops::Range;
use std::thread;

use super::mutation::{Mutation, Saboteur};
use super::report::{Coverage, Trace, Violation};
use super::rng::Rng;
use super::tape::Tape;
use super::world::World;

/// Lines of trace that a violation shows.
pub(super) const TRACE: usize = 60;

/// How much of a world is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// As long as there are faults.
    Faulty,
    /// To its end.
    Whole,
}

/// What a run leaves.
pub(super) struct Finished {
    pub(super) outcome: Result<Coverage, Box<Violation>>,
    pub(super) trace: Vec<String>,
    /// What was chosen, if that was written down.
    pub(super) tape: Option<Tape>,
    /// How often anybody had a turn.
    pub(super) turns: u64,
}

/// Runs one seed.
///
/// # Errors
/// When a promise is broken. The violation has no trace: see [`explain`].
pub fn run(seed: u64, mutation: Option<Mutation>) -> Result<Coverage, Box<Violation>> {
    go(seed, mutation, Rng::new(seed), 0, Extent::Whole).outcome
}

/// All that happens in one seed.
#[must_use]
pub fn explain(seed: u64, mutation: Option<Mutation>) -> Vec<String> {
    go(seed, mutation, Rng::new(seed), usize::MAX, Extent::Whole).trace
}

pub(super) fn go(
    seed: u64,
    mutation: Option<Mutation>,
    rng: Rng,
    keep: usize,
    extent: Extent,
) -> Finished {
    let mut world = World::new(rng, Saboteur::new(mutation, seed), Trace::keeping(keep));
    let outcome = world.run_faulty().and_then(|()| match extent {
        Extent::Faulty => Ok(()),
        Extent::Whole => world.settle(),
    });
    world.summarize();
    let World { seen, trace, step, turns, rng, .. } = world;
    let outcome = outcome.map(|()| seen).map_err(|broken| {
        Box::new(Violation { seed, step, broken, trace: Vec::new(), short: None })
    });
    Finished { outcome, trace: trace.into_lines(), tape: rng.into_tape(), turns }
}

/// What many seeds did.
#[derive(Debug, Default)]
pub struct Runs {
    /// How many were run to their end.
    pub seeds: u64,
    /// What they met.
    pub seen: Coverage,
    /// The lowest seed that broke a promise, of those that were run.
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
                Err(violation) => {
                    runs.violation = Some(violation);
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
