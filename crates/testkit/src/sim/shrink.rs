//! Makes a tape that breaks a promise as short and simple as it will go.
//!
//! It knows nothing of worlds: it takes steps away, then choices, and lowers what is left, as long as the same promise
//! is broken. Each try is a run, and they are counted, and so is how long each is: no clock decides how far it goes.

use super::tape::Tape;

/// What one shrinking may cost. Beyond either the simplest tape so far is the outcome.
#[derive(Debug, Clone, Copy)]
pub struct Most {
    /// Runs.
    pub tries: usize,
    /// How often anybody may have a turn, in all of them together. A world that comes to rest is a thousand turns long;
    /// one that never does is as long as worlds may be.
    pub turns: u64,
}

/// What fits into a minute.
pub const MOST: Most = Most { tries: 4_000, turns: 10_000_000 };

/// What became of one try.
#[derive(Debug)]
pub struct Tried {
    /// What was chosen in fact, when the same promise was broken.
    pub fails: Option<Tape>,
    /// How often anybody had a turn.
    pub turns: u64,
}

/// A tape that was shrunk.
#[derive(Debug, Clone)]
pub struct Shrunk {
    /// The simplest that was found.
    pub tape: Tape,
    /// How many runs that took.
    pub tries: usize,
}

/// The simplest tape that still fails, beginning with one that does. `run` tries a tape.
pub fn shrink(tape: Tape, most: Most, run: impl FnMut(Tape) -> Tried) -> Shrunk {
    let mut search = Search { best: tape, tries: 0, turns: 0, most, run };
    let mut before = None;
    while before.as_ref() != Some(&search.best.weight()) && search.may_try() {
        before = Some(search.best.weight());
        search.without_an_end();
        search.without_steps();
        search.with_zeros();
        search.without_steps();
        search.without_choices();
        search.with_less();
    }
    Shrunk { tape: search.best, tries: search.tries }
}

struct Search<F> {
    best: Tape,
    tries: usize,
    turns: u64,
    most: Most,
    run: F,
}

impl<F: FnMut(Tape) -> Tried> Search<F> {
    const fn may_try(&self) -> bool {
        self.tries < self.most.tries && self.turns < self.most.turns
    }

    /// Whether the best is better now.
    fn attempt(&mut self, change: impl FnOnce(&mut Tape)) -> bool {
        let mut tape = self.best.clone();
        change(&mut tape);
        if !self.may_try() || tape == self.best {
            return false;
        }
        let Tried { fails, turns } = (self.run)(tape);
        self.tries += 1;
        self.turns += turns;
        // What was chosen in fact may be more than the tape had.
        let made = fails.filter(|it| it.weight() < self.best.weight());
        made.is_some_and(|made| {
            self.best = made;
            true
        })
    }

    /// The part without faults chooses always the first.
    fn without_an_end(&mut self) {
        if self.best.ended {
            self.attempt(|it| it.parts.last_mut().unwrap_or(&mut Vec::new()).clear());
        }
    }

    /// Blocks of steps go, first large ones, and the last first: what comes after a step may need it. One by one as long
    /// as any goes.
    fn without_steps(&mut self) {
        let mut size = self.best.steps().div_ceil(2);
        while size > 0 {
            let (mut end, before) = (self.best.steps(), self.best.steps());
            while end > 0 {
                let first = end.saturating_sub(size);
                let gone = self.attempt(|it| drop(it.parts.drain(1 + first..1 + end)));
                end = if gone { self.best.steps().min(first) } else { first };
            }
            let again = size == 1 && self.best.steps() < before;
            size = if again { 1 } else { size / 2 };
        }
    }

    /// Each part whole, or the second half of it.
    fn with_zeros(&mut self) {
        self.in_each_part(|search, part| {
            for at in [0, search.len(part) / 2] {
                search.attempt(|it| it.parts[part].iter_mut().skip(at).for_each(|it| it.value = 0));
            }
        });
    }

    /// Choices go, so that those behind them move up.
    fn without_choices(&mut self) {
        self.in_each_part(|search, part| {
            for size in [8, 4, 2, 1] {
                let mut at = search.len(part);
                while at >= size {
                    at -= size;
                    search.attempt(|it| drop(it.parts[part].drain(at..at + size)));
                    at = at.min(search.len(part));
                }
            }
        });
    }

    /// Each choice alone: none, half, one less.
    fn with_less(&mut self) {
        self.in_each_part(|search, part| {
            let mut at = 0;
            while at < search.len(part) {
                let value = search.best.parts[part][at].value;
                let lower = [0, value / 2, value.saturating_sub(1)];
                let lowered = |search: &mut Self| {
                    lower.iter().any(|lower| search.attempt(|it| it.parts[part][at].value = *lower))
                };
                // Once more where it went, unless it is at its end.
                let again = value > 0 && lowered(search) && search.may_try();
                at += usize::from(!again);
            }
        });
    }

    /// The last first. A part may go meanwhile.
    fn in_each_part(&mut self, mut pass: impl FnMut(&mut Self, usize)) {
        for part in (0..self.best.parts.len()).rev() {
            if part < self.best.parts.len() {
                pass(self, part);
            }
        }
    }

    fn len(&self, part: usize) -> usize {
        self.best.parts.get(part).map_or(0, Vec::len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::Rng;
    use crate::sim::tape::Recorder;

    /// Fails when two steps chose more than 60 of 100. Each step is a turn.
    fn two_are_high(tape: Tape) -> Tried {
        let mut rng = Rng::recorded(0, Recorder::new(Some(tape)));
        let (mut high, mut turns) = (0, 0);
        rng.below(10);
        while high < 2 && rng.step() {
            rng.below(5);
            high += u32::from(rng.below(100) > 60);
            turns += 1;
        }
        Tried { fails: rng.into_tape().filter(|_| high == 2), turns }
    }

    #[test]
    fn all_that_is_not_needed_goes() {
        let noise = "step 4/5 20/100\n".repeat(40);
        let text = format!("begin 7/10\n{noise}step 3/5 99/100\n{noise}step 3/5 70/100\n{noise}");
        let shrunk = shrink(text.parse().unwrap(), MOST, two_are_high);
        let simplest = "begin 0/10\nstep 0/5 61/100\nstep 0/5 61/100\n";
        assert_eq!(shrunk.tape.to_string(), simplest);
    }

    #[test]
    fn no_more_is_tried_than_allowed() {
        let text = format!("begin 7/10\n{}", "step 3/5 99/100\n".repeat(50));
        let mut runs = 0;
        let count = |tape| {
            runs += 1;
            two_are_high(tape)
        };
        let most = Most { tries: 7, ..MOST };
        assert_eq!(shrink(text.parse().unwrap(), most, count).tries, 7);
        assert_eq!(runs, 7);
    }

    #[test]
    fn long_runs_are_fewer() {
        let text = format!("begin 7/10\n{}", "step 3/5 50/100\n".repeat(50));
        let lasts = |turns| move |_| Tried { fails: None, turns };
        let tries = |turns| {
            let most = Most { turns: 1_000, ..MOST };
            shrink(text.parse().unwrap(), most, lasts(turns)).tries
        };
        assert_eq!((tries(100), tries(999)), (10, 2));
    }
}
