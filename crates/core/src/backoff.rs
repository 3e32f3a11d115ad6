//! How long to wait before a start that follows a failed one.

use std::time::Duration;

/// Delays that double from `first` to `cap`, each spread by a fifth either way.
///
/// The spread keeps workers that died together from being started together again. It is drawn from a
/// seed, so a simulation repeats.
#[derive(Debug, Clone)]
pub struct Backoff {
    first: Duration,
    cap: Duration,
    streak: u32,
    seed: u64,
}

impl Backoff {
    /// Delays from `first`, never above `cap` by more than the spread.
    #[must_use]
    pub const fn new(first: Duration, cap: Duration, seed: u64) -> Self {
        Self { first, cap, streak: 0, seed }
    }

    /// The delay before the next start; counts one more failure in a row.
    pub fn next_delay(&mut self) -> Duration {
        let doubled = self.first.saturating_mul(1u32.checked_shl(self.streak).unwrap_or(u32::MAX));
        self.streak = self.streak.saturating_add(1);
        let plain = doubled.min(self.cap);
        // 80 % to 120 %.
        let percent = 80 + u32::try_from(self.draw() % 41).unwrap_or(0);
        plain.saturating_mul(percent) / 100
    }

    /// Starts again from the first delay: the worker has been up for long enough.
    pub const fn reset(&mut self) {
        self.streak = 0;
    }

    /// Failures in a row so far.
    #[must_use]
    pub const fn streak(&self) -> u32 {
        self.streak
    }

    /// splitmix64: small, seeded, and good enough to spread delays.
    const fn draw(&mut self) -> u64 {
        self.seed = self.seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.seed;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_within_their_spread_up_to_the_cap() {
        let (first, cap) = (Duration::from_millis(100), Duration::from_secs(30));
        let mut backoff = Backoff::new(first, cap, 7);
        for streak in 0..40u32 {
            let plain = first.saturating_mul(1u32.checked_shl(streak).unwrap_or(u32::MAX)).min(cap);
            let delay = backoff.next_delay();
            assert!(delay >= plain * 4 / 5 && delay <= plain * 6 / 5, "{streak}: {delay:?}");
        }
    }

    #[test]
    fn a_reset_begins_again_at_the_first_delay() {
        let mut backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(30), 7);
        for _ in 0..5 {
            backoff.next_delay();
        }
        backoff.reset();
        assert!(backoff.next_delay() <= Duration::from_millis(120));
    }
}
