//! The moments at which requests are due in an open loop.

use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::background::Stop;

/// So many arrivals may wait for a free client; then the arrivals themselves fall behind, and the latencies show it.
const MAX_WAITING: usize = 1 << 16;
/// A pause between arrivals is cut into pieces of this length to look at the stop flag.
const LOOK_AT_STOP: Duration = Duration::from_millis(20);

/// Starts the clock of an open loop. It ends after `count` arrivals, at `end`, when `stop` is pulled, or when the
/// receiver is dropped.
///
/// It is a thread, because the runtime's timer counts in milliseconds, and a gap is often shorter.
pub(super) fn start(
    per_second: f64,
    seed: u64,
    count: u64,
    end: Instant,
    stop: Stop,
) -> (mpsc::Receiver<Instant>, JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel(MAX_WAITING);
    let thread = std::thread::spawn(move || {
        let mut gaps = Gaps::new(per_second, seed);
        let mut due = Instant::now();
        for _ in 0..count {
            due += gaps.next_gap();
            if due >= end || !sleep_until(due, &stop) || sender.blocking_send(due).is_err() {
                break;
            }
        }
    });
    (receiver, thread)
}

/// False when the load was stopped meanwhile.
fn sleep_until(due: Instant, stop: &Stop) -> bool {
    while let Some(left) = due.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
    {
        if stop.is_pulled() {
            return false;
        }
        std::thread::sleep(left.min(LOOK_AT_STOP));
    }
    !stop.is_pulled()
}

/// The gaps of a Poisson process, from a small generator (SplitMix64): the same for the same seed.
#[derive(Clone, Debug)]
pub struct Gaps {
    state: u64,
    mean: f64,
}

impl Gaps {
    /// Those of so many arrivals per second, which must be more than none.
    #[must_use]
    pub const fn new(per_second: f64, seed: u64) -> Self {
        Self { state: seed, mean: per_second.recip() }
    }

    /// The time from one arrival to the next.
    pub fn next_gap(&mut self) -> Duration {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        // 53 bits are what a double holds; the half keeps the value above zero, where the logarithm ends.
        #[allow(clippy::cast_precision_loss)]
        let uniform = ((bits >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        Duration::from_secs_f64(-uniform.ln() * self.mean)
    }
}

#[cfg(test)]
mod tests {
    use super::Gaps;

    #[test]
    fn gaps_have_the_mean_and_the_spread_of_a_poisson_process() {
        let mut gaps = Gaps::new(1000.0, 7);
        let seconds: Vec<f64> = (0..100_000).map(|_| gaps.next_gap().as_secs_f64()).collect();
        let mean = seconds.iter().sum::<f64>() / 1e5;
        let variance = seconds.iter().map(|gap| (gap - mean).powi(2)).sum::<f64>() / 1e5;
        assert!((mean - 1e-3).abs() < 2e-5, "mean {mean}");
        assert!((variance.sqrt() - 1e-3).abs() < 4e-5, "deviation {}", variance.sqrt());
    }

    #[test]
    fn the_same_seed_gives_the_same_gaps() {
        let (mut one, mut two, mut other) =
            (Gaps::new(9.0, 1), Gaps::new(9.0, 1), Gaps::new(9.0, 2));
        let first: Vec<_> = (0..50).map(|_| one.next_gap()).collect();
        assert_eq!(first, (0..50).map(|_| two.next_gap()).collect::<Vec<_>>());
        assert_ne!(first, (0..50).map(|_| other.next_gap()).collect::<Vec<_>>());
    }
}
