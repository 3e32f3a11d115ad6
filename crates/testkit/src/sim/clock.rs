//! Virtual time, and the watch that no time-out spins.

use std::time::Duration;

use portcrew_core::Time;

use super::report::{Broken, Check, Checked};

/// Time-outs that one virtual second may see. Real ones are hundreds of times fewer: workers and listeners
/// are few and the shortest wait is milliseconds.
const MOST_TIMEOUTS_PER_SECOND: u32 = 2_000;

/// The clock of one world.
#[derive(Debug, Default)]
pub struct Clock {
    now: Time,
    second: u64,
    timeouts: u32,
}

impl Clock {
    /// The present.
    #[must_use]
    pub const fn now(&self) -> Time {
        self.now
    }

    /// Lets time pass.
    pub fn pass(&mut self, wait: Duration) {
        self.now = self.now + wait;
    }

    /// Goes to `at`, unless that is past.
    pub fn jump(&mut self, at: Time) {
        self.now = self.now.max(at);
    }

    /// Counts one time-out that was handled.
    pub fn count_timeout(&mut self) -> Checked {
        let second = self.now.since_origin().as_secs();
        if second != self.second {
            (self.second, self.timeouts) = (second, 0);
        }
        self.timeouts += 1;
        if self.timeouts > MOST_TIMEOUTS_PER_SECOND {
            let what = format!("{} time-outs in second {second}", self.timeouts);
            return Err(Broken::new(Check::Spin, what));
        }
        Ok(())
    }
}
