//! How long workers took for their answers, counted bound by bound.

use std::time::Duration;

use portcrew_core::Histogram;

/// The histogram, kept a second time and in another way.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Answers {
    count: u64,
    sum: Duration,
    /// Of each bound, how many took no longer.
    up_to: [u64; Histogram::BOUNDS.len()],
}

impl Answers {
    pub(super) fn came_after(&mut self, took: Duration) {
        self.count += 1;
        self.sum += took;
        for (count, bound) in self.up_to.iter_mut().zip(Histogram::BOUNDS) {
            *count += u64::from(took <= bound);
        }
    }

    /// Whether the machine has counted the same.
    #[must_use]
    pub fn agree_with(&self, counted: &Histogram) -> bool {
        self.count == counted.count()
            && self.sum == counted.sum()
            && counted.up_to().map(|(_, count)| count).eq(self.up_to)
    }
}
