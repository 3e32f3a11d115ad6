//! The only source of chance: one seed, one sequence, the same on every machine.

use super::tape::{Recorder, Tape};

/// splitmix64: small, without state beyond a number, and good enough to draw faults.
#[derive(Debug, Clone)]
pub struct Rng {
    state: u64,
    /// What is chosen is written down, or was before. Only for a run that somebody looks at: it costs time.
    recorder: Option<Box<Recorder>>,
}

impl Rng {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self { state: seed, recorder: None }
    }

    /// The choices of a tape, or those of the seed, written down.
    #[must_use]
    pub fn recorded(seed: u64, recorder: Recorder) -> Self {
        Self { state: seed, recorder: Some(Box::new(recorder)) }
    }

    /// Another step begins. False when a tape has no other.
    pub fn step(&mut self) -> bool {
        self.recorder.as_mut().is_none_or(|it| it.step())
    }

    /// The last part begins, which is no step.
    pub fn end(&mut self) {
        if let Some(recorder) = &mut self.recorder {
            recorder.end();
        }
    }

    /// What was written down.
    #[must_use]
    pub fn into_tape(self) -> Option<Tape> {
        self.recorder.map(|it| it.into_tape())
    }

    /// The next number.
    const fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub fn below(&mut self, end: u64) -> u64 {
        if end == 0 {
            return 0;
        }
        let drawn = self.draw();
        match &mut self.recorder {
            None => drawn % end,
            Some(recorder) => recorder.choose(end, drawn),
        }
    }

    /// A number from `first` to `last`, both possible.
    pub fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    /// A position in something of this length, which is not empty.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub fn percent(&mut self, chance: u64) -> bool {
        self.below(100) < chance
    }

    /// One of these, which are not none.
    pub fn one_of<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.index(of.len())]
    }

    /// One of these by weight. The weights are not all 0.
    pub fn weighted<T: Copy>(&mut self, of: &[(T, u64)]) -> T {
        let total = of.iter().map(|(_, weight)| weight).sum();
        let mut at = self.below(total);
        for (it, weight) in of {
            if at < *weight {
                return *it;
            }
            at -= weight;
        }
        of[0].0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_seed_gives_one_sequence() {
        let (mut a, mut b, mut c) = (Rng::new(7), Rng::new(7), Rng::new(8));
        let first: Vec<_> = (0..9).map(|_| a.draw()).collect();
        assert_eq!(first, (0..9).map(|_| b.draw()).collect::<Vec<_>>());
        assert_ne!(first, (0..9).map(|_| c.draw()).collect::<Vec<_>>());
    }

    #[test]
    fn a_weight_of_zero_is_never_drawn() {
        let mut rng = Rng::new(1);
        assert!((0..200).all(|_| rng.weighted(&[('a', 0), ('b', 3), ('c', 0)]) == 'b'));
    }
}
