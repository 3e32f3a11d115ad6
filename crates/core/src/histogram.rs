//! How long something took, counted in fixed buckets: nothing is kept of any one of them.

use std::time::Duration;

/// Times by how long they were. To count one more allocates nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    /// By the first of the bounds that is not shorter; the last is for what is longer than all of them.
    counts: [u64; Self::BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    /// The longest time of each bucket. Among them are [`Limits::quick`](crate::Limits::quick) and
    /// [`Limits::slow`](crate::Limits::slow) as they are by default: what narrows a window can be read off.
    pub const BOUNDS: [Duration; 17] = [
        Duration::from_micros(50),
        Duration::from_micros(100),
        Duration::from_micros(200),
        Duration::from_micros(500),
        Duration::from_millis(1),
        Duration::from_millis(2),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(20),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(200),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_secs(2),
        Duration::from_secs(5),
        Duration::from_secs(10),
    ];

    /// How many took so long at most, bound by bound. What took longer is only in [`count`](Self::count).
    pub fn up_to(&self) -> impl Iterator<Item = (Duration, u64)> + '_ {
        Self::BOUNDS.iter().zip(&self.counts).scan(0, |below, (bound, count)| {
            *below += count;
            Some((*bound, *below))
        })
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long all of them took together.
    #[must_use]
    pub const fn sum(&self) -> Duration {
        self.sum
    }

    pub(crate) fn note(&mut self, took: Duration) {
        self.counts[Self::BOUNDS.partition_point(|bound| *bound < took)] += 1;
        self.sum = self.sum.saturating_add(took);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Limits;

    /// After these times in microseconds: how many were not longer than each bound, and how many there were.
    fn counted(times: &[u64]) -> (Vec<u64>, u64) {
        let mut histogram = Histogram::default();
        times.iter().for_each(|it| histogram.note(Duration::from_micros(*it)));
        (histogram.up_to().map(|(_, count)| count).collect(), histogram.count())
    }

    #[test]
    fn a_time_counts_for_the_first_bound_that_it_does_not_exceed_and_for_all_behind_it() {
        let (counts, all) = counted(&[0, 50, 51, 100, 10_000_000]);
        assert_eq!((&counts[..3], counts[15], counts[16], all), (&[2, 4, 4][..], 4, 5, 5));
    }

    #[test]
    fn what_is_longer_than_every_bound_is_counted_all_the_same() {
        let (counts, all) = counted(&[10_000_001, u64::MAX / 2]);
        assert_eq!((counts, all), (vec![0; 17], 2));
    }

    #[test]
    fn the_sum_is_of_all_times_and_ends_at_the_longest_that_there_is() {
        let mut histogram = Histogram::default();
        for millis in [1, 30_000] {
            histogram.note(Duration::from_millis(millis));
        }
        assert_eq!(histogram.sum(), Duration::from_millis(30_001));
        histogram.note(Duration::MAX);
        assert_eq!((histogram.sum(), histogram.count()), (Duration::MAX, 3));
    }

    #[test]
    fn the_bounds_rise_and_have_those_by_which_windows_are_set() {
        assert!(Histogram::BOUNDS.is_sorted());
        let limits = Limits::default();
        assert!([limits.quick, limits.slow].iter().all(|it| Histogram::BOUNDS.contains(it)));
    }
}
