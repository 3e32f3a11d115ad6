//! The only source of chance: one seed, one sequence, the same on every machine.

/// splitmix64: small, without state beyond a number, and good enough to draw faults.
#[derive(Debug, Clone)]
pub struct Rng(u64);

impl Rng {
    /// The sequence of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub const fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`; 0 when `end` is 0.
    pub const fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.draw() % end }
    }

    /// A number from `first` to `last`, both possible.
    pub const fn between(&mut self, first: u64, last: u64) -> u64 {
        first + self.below(last - first + 1)
    }

    /// A position in something of this length, which is not empty.
    pub fn index(&mut self, len: usize) -> usize {
        usize::try_from(self.below(len as u64)).unwrap_or(0)
    }

    /// True in so many of a hundred cases.
    pub const fn percent(&mut self, chance: u64) -> bool {
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
