//! Shared sockets that are shut down again and again are looked at ever less often, and told of once.

use std::time::Duration;

use portcrew_core::{Backoff, Time};

/// Between a shutdown of a shared socket and the next look at it: at first, and at most where it is done again and
/// again. Below the time for which workers wait for it to listen again.
const WATCH_AGAIN: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(1));

/// So long without a shutdown ends a streak: the next one is told again.
const QUIET: Duration = Duration::from_secs(10);

/// Shutdowns, and failures to watch for them, that follow one another.
#[derive(Debug)]
pub(super) struct Streak {
    backoff: Backoff,
    last: Option<Time>,
}

/// A shared socket was shut down.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shut {
    /// Not one more of a streak.
    pub(super) is_new: bool,
    /// When it is to be watched again.
    pub(super) watch_after: Duration,
}

impl Streak {
    pub(super) fn new() -> Self {
        Self { backoff: Backoff::new(WATCH_AGAIN.0, WATCH_AGAIN.1, 0), last: None }
    }

    pub(super) fn shut(&mut self, now: Time) -> Shut {
        let is_new = self.last.replace(now).is_none_or(|last| now - last > QUIET);
        if is_new {
            self.backoff.reset();
        }
        Shut { is_new, watch_after: self.backoff.next_delay() }
    }

    /// It could not be watched: how long to wait before the next attempt.
    pub(super) fn not_watched(&mut self) -> Duration {
        self.backoff.next_delay()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_shuts_a_socket_again_and_again_is_told_of_once_and_looked_at_ever_later() {
        let (mut streak, mut now, mut told) = (Streak::new(), Time::from_origin(QUIET), 0);
        let mut looks = 0;
        let end = now + Duration::from_secs(60);
        while now < end {
            let Shut { is_new, watch_after } = streak.shut(now);
            now = now + watch_after;
            looks += 1;
            told += u32::from(is_new);
        }
        assert!(told == 1 && looks < 100, "told {told} times, looked {looks} times");
        assert!(streak.shut(now + QUIET * 2).is_new);
    }

    #[test]
    fn a_watch_that_failed_before_makes_the_first_shutdown_no_less_new() {
        let mut streak = Streak::new();
        streak.backoff.next_delay();
        assert!(streak.shut(Time::ZERO).is_new);
    }
}
