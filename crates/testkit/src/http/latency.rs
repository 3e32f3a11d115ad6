//! Times in a histogram of constant relative error.

use std::fmt;
use std::time::Duration;

use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

/// Each power of two is divided into so many steps: a quantile is at most 1/64 above the true value.
const STEPS_LOG2: u32 = 6;
const STEPS: u64 = 1 << STEPS_LOG2;
const BUCKETS: usize = ((64 - STEPS_LOG2 + 1) << STEPS_LOG2) as usize;

/// How long answers took.
///
/// Serialised as its count and its quantiles in microseconds.
#[derive(Clone)]
pub struct Latency {
    buckets: Vec<u64>,
    count: u64,
    max: u64,
}

impl Latency {
    pub(super) fn new() -> Self {
        Self { buckets: vec![0; BUCKETS], count: 0, max: 0 }
    }

    pub(super) fn record(&mut self, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        self.buckets[bucket(nanoseconds)] += 1;
        self.count += 1;
        self.max = self.max.max(nanoseconds);
    }

    /// Adds the times of another run.
    pub fn merge(&mut self, other: &Self) {
        for (mine, theirs) in self.buckets.iter_mut().zip(&other.buckets) {
            *mine += theirs;
        }
        self.count += other.count;
        self.max = self.max.max(other.max);
    }

    /// Those of them that lie below `limit`, which is rounded up by at most 1/64.
    #[must_use]
    pub fn below(&self, limit: Duration) -> Self {
        let nanoseconds = u64::try_from(limit.as_nanos()).unwrap_or(u64::MAX);
        let last = bucket(nanoseconds);
        let kept =
            self.buckets.iter().enumerate().map(|(at, count)| if at > last { 0 } else { *count });
        let buckets: Vec<_> = kept.collect();
        let count = buckets.iter().sum();
        Self { buckets, count, max: self.max.min(nanoseconds) }
    }

    /// How many times are in it.
    #[must_use]
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The time within which the share `quantile` (0 to 1) was answered, rounded up by at most 1/64; zero when empty.
    #[must_use]
    pub fn quantile(&self, quantile: f64) -> Duration {
        // The rank is exact far beyond any number of requests that a run can have.
        #[allow(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss
        )]
        let rank = (quantile.clamp(0.0, 1.0) * self.count as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        for (index, count) in self.buckets.iter().enumerate() {
            seen += count;
            if seen >= rank {
                return Duration::from_nanos(upper_edge(index).min(self.max));
            }
        }
        Duration::ZERO
    }

    /// The median.
    #[must_use]
    pub fn p50(&self) -> Duration {
        self.quantile(0.5)
    }

    /// The time that one in ten exceeds.
    #[must_use]
    pub fn p90(&self) -> Duration {
        self.quantile(0.9)
    }

    /// The time that one in a hundred exceeds.
    #[must_use]
    pub fn p99(&self) -> Duration {
        self.quantile(0.99)
    }

    /// The time that one in a thousand exceeds.
    #[must_use]
    pub fn p99_9(&self) -> Duration {
        self.quantile(0.999)
    }

    /// The longest, exact.
    #[must_use]
    pub const fn max(&self) -> Duration {
        Duration::from_nanos(self.max)
    }

    fn summary(&self) -> [(&'static str, Duration); 5] {
        [
            ("p50_us", self.p50()),
            ("p90_us", self.p90()),
            ("p99_us", self.p99()),
            ("p99_9_us", self.p99_9()),
            ("max_us", self.max()),
        ]
    }
}

impl Serialize for Latency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Latency", 6)?;
        fields.serialize_field("count", &self.count)?;
        for (name, time) in self.summary() {
            fields.serialize_field(name, &microseconds(time))?;
        }
        fields.end()
    }
}

impl fmt::Debug for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut fields = f.debug_struct("Latency");
        fields.field("count", &self.count);
        for (name, time) in self.summary() {
            fields.field(name.trim_end_matches("_us"), &time);
        }
        fields.finish_non_exhaustive()
    }
}

impl fmt::Display for Latency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, time) in self.summary() {
            let name = name.trim_end_matches("_us").replace('_', ".");
            write!(f, "{name} {:.3} ms  ", time.as_secs_f64() * 1e3)?;
        }
        Ok(())
    }
}

/// With the nanoseconds behind the point, as exact as a double is.
#[allow(clippy::cast_precision_loss)]
pub(super) fn microseconds(time: Duration) -> f64 {
    time.as_nanos() as f64 / 1e3
}

const fn bucket(value: u64) -> usize {
    if value < STEPS {
        return value as usize;
    }
    let shift = 63 - value.leading_zeros() - STEPS_LOG2;
    (((shift as u64 + 1) << STEPS_LOG2) + ((value >> shift) & (STEPS - 1))) as usize
}

const fn upper_edge(index: usize) -> u64 {
    let index = index as u64;
    if index < STEPS {
        return index;
    }
    let shift = (index >> STEPS_LOG2) - 1;
    let lower = (STEPS + (index & (STEPS - 1))) << shift;
    lower + ((1 << shift) - 1)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BUCKETS, Latency, bucket, upper_edge};

    #[test]
    fn every_value_lies_in_a_bucket_that_ends_at_most_one_64th_above_it() {
        let mut value = 0_u64;
        while value < u64::MAX / 3 {
            let index = bucket(value);
            assert!(index < BUCKETS);
            let edge = upper_edge(index);
            assert!(edge >= value && edge - value <= value / 64, "{value} -> {edge}");
            assert!(index == 0 || upper_edge(index - 1) < value, "{value} fits a lower bucket");
            value = value * 3 / 2 + 1;
        }
        assert_eq!(upper_edge(bucket(u64::MAX)), u64::MAX);
        assert_eq!(bucket(u64::MAX), BUCKETS - 1);
    }

    #[test]
    fn what_lies_below_a_limit_is_a_series_of_its_own() {
        let mut latency = Latency::new();
        (1..=100).chain([5_000]).for_each(|it| latency.record(Duration::from_millis(it)));
        let quick = latency.below(Duration::from_millis(500));
        assert_eq!((quick.count(), latency.count()), (100, 101));
        assert!(quick.p99() < Duration::from_millis(102), "{quick:?}");
        assert!(latency.below(Duration::ZERO).count() == 0);
    }

    #[test]
    fn quantiles_of_a_known_series_are_right_within_the_error() {
        let mut latency = Latency::new();
        for milliseconds in 1..=1000 {
            latency.record(Duration::from_millis(milliseconds));
        }
        for (quantile, exact) in [(0.5, 500), (0.9, 900), (0.99, 990), (0.999, 999)] {
            let exact = Duration::from_millis(exact);
            let found = latency.quantile(quantile);
            assert!(found >= exact && found <= exact + exact / 64, "{quantile}: {found:?}");
        }
        assert_eq!(latency.max(), Duration::from_secs(1));
        assert_eq!(latency.quantile(1.0), Duration::from_secs(1));
    }

    #[test]
    fn an_empty_histogram_has_only_zeros() {
        let latency = Latency::new();
        assert_eq!(
            (latency.p50(), latency.max(), latency.count()),
            (Duration::ZERO, Duration::ZERO, 0)
        );
    }

    #[test]
    fn merging_gives_the_same_as_recording_into_one() {
        let (mut one, mut left, mut right) = (Latency::new(), Latency::new(), Latency::new());
        for step in 1..500_u32 {
            let time = Duration::from_micros(u64::from(step * step));
            one.record(time);
            if step % 3 == 0 {
                left.record(time);
            } else {
                right.record(time);
            }
        }
        left.merge(&right);
        assert_eq!(left.buckets, one.buckets);
        assert_eq!((left.count, left.max), (one.count, one.max));
    }
}
