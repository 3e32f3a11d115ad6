//! A schedule that breaks a promise, written down: what a failing seed becomes, and what is kept of it.

use std::fmt;
use std::str::FromStr;

use super::mutation::Mutation;
use super::report::{Coverage, Violation};
use super::rng::Rng;
use super::run::{Extent, Finished, TRACE, go};
use super::shrink::{MOST, Tried, shrink};
use super::tape::{Recorder, Tape};

/// Choices, and what they are to break.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The fault that is planted, if one is.
    pub mutation: Option<Mutation>,
    /// The seed that it was found with; by it a planted fault strikes.
    pub seed: u64,
    /// The name of the check that objects.
    pub check: String,
    /// The choices.
    pub tape: Tape,
}

/// What became of a recording that was run.
#[derive(Debug)]
pub struct Replayed {
    /// What was broken.
    pub outcome: Result<Coverage, Box<Violation>>,
    /// All that happened.
    pub trace: Vec<String>,
    /// What was chosen in fact.
    pub tape: Tape,
}

/// How a violation was shrunk.
#[derive(Debug, Clone)]
pub struct Short {
    /// The choices of the seed: steps, and how many in all.
    pub before: (usize, usize),
    /// How many runs were tried.
    pub tries: usize,
    /// The schedule that is left.
    pub recording: Recording,
    /// What it breaks.
    pub what: String,
    /// All that happens in it, at most so many lines as a violation shows.
    pub trace: Vec<String>,
}

impl Recording {
    /// Makes the same choices once more, with this fault or without one.
    #[must_use]
    pub fn replay(&self, mutation: Option<Mutation>) -> Replayed {
        let rng = Rng::recorded(self.seed, Recorder::new(Some(self.tape.clone())));
        let Finished { outcome, trace, tape, .. } =
            go(self.seed, mutation, rng, usize::MAX, Extent::Whole);
        let outcome = outcome.map_err(|mut violation| {
            violation.trace.clone_from(&trace);
            violation
        });
        Replayed { outcome, trace, tape: tape.unwrap_or_default() }
    }
}

/// Runs one seed, and shrinks what breaks a promise. None when every promise holds.
#[must_use]
pub fn shortest(seed: u64, mutation: Option<Mutation>) -> Option<Box<Violation>> {
    let recorder = Rng::recorded(seed, Recorder::new(None));
    let Finished { outcome, trace, tape, .. } = go(seed, mutation, recorder, TRACE, Extent::Whole);
    let mut violation = outcome.err()?;
    violation.trace = trace;
    let (tape, check) = (tape?, violation.broken.check);
    // What breaks while there are faults is looked for there alone: it is most of the time.
    let extent = if tape.ended { Extent::Whole } else { Extent::Faulty };
    let before = (tape.steps(), tape.choices());
    let shrunk = shrink(tape, MOST, |tape| {
        let rng = Rng::recorded(seed, Recorder::new(Some(tape)));
        let run = go(seed, mutation, rng, 0, extent);
        let fails = run.outcome.is_err_and(|it| it.broken.check == check);
        Tried { fails: run.tape.filter(|_| fails), turns: run.turns }
    });
    let check = format!("{check:?}");
    let recording = Recording { mutation, seed, check, tape: shrunk.tape };
    let replayed = recording.replay(mutation);
    let what = replayed.outcome.err()?.broken.what;
    let hidden = replayed.trace.len().saturating_sub(TRACE);
    let trace = replayed.trace.into_iter().skip(hidden).collect();
    violation.short = Some(Box::new(Short { before, tries: shrunk.tries, recording, what, trace }));
    Some(violation)
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { before, tries, recording: Recording { tape, .. }, .. } = self;
        let (steps, choices) = (tape.steps(), tape.choices());
        writeln!(
            f,
            "shrunk in {tries} runs: {} steps with {} choices became {steps} with {choices}, which break it so: {}",
            before.0, before.1, self.what
        )?;
        self.trace.iter().try_for_each(|line| writeln!(f, "  {line}"))?;
        writeln!(f, "this is the schedule, for PORTCREW_SIM_SCHEDULE=FILE or a regression:")?;
        write!(f, "{}", self.recording)
    }
}

impl fmt::Display for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(mutation) = self.mutation {
            writeln!(f, "mutation {mutation:?}")?;
        }
        writeln!(f, "check {}", self.check)?;
        writeln!(f, "seed {}", self.seed)?;
        write!(f, "{}", self.tape)
    }
}

impl FromStr for Recording {
    type Err = String;

    /// Lines that begin with `#` are for people.
    fn from_str(text: &str) -> Result<Self, String> {
        let (mut mutation, mut seed, mut check) = (None, None, None);
        let mut tape = String::new();
        for line in text.lines().filter(|it| !it.starts_with('#')) {
            match line.split_once(' ') {
                Some(("mutation", name)) => mutation = Some(named(name)?),
                Some(("seed", number)) => {
                    seed = Some(number.parse().map_err(|_| format!("{number:?} is no seed"))?);
                }
                Some(("check", name)) => check = Some(name.to_owned()),
                _ => tape.extend([line, "\n"]),
            }
        }
        Ok(Self {
            mutation,
            seed: seed.ok_or("no seed is named")?,
            check: check.ok_or("no check is named")?,
            tape: tape.parse()?,
        })
    }
}

/// The planted fault of this name.
///
/// # Errors
/// When there is none.
pub fn named(name: &str) -> Result<Mutation, String> {
    let all = Mutation::ALL.into_iter();
    let mut fits = all.filter(|it| format!("{it:?}") == name);
    fits.next().ok_or_else(|| format!("there is no fault {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recording_that_was_written_is_read_again() {
        let text = "mutation OffersTwice\ncheck C3Reoffer\nseed 9\nbegin 1/2\nstep 0/4\n";
        let recording: Recording = format!("# for people\n{text}").parse().unwrap();
        assert_eq!(recording.mutation, Some(Mutation::OffersTwice));
        assert_eq!((recording.seed, recording.tape.steps()), (9, 1));
        assert_eq!(recording.to_string(), text);
    }

    #[test]
    fn what_is_no_recording_says_so() {
        for text in ["", "seed 3\nbegin", "check C4Copy\nbegin", "mutation None\nseed 1\nbegin"] {
            assert!(text.parse::<Recording>().is_err(), "{text}");
        }
    }
}
