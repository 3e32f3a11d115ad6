//! The pause between the last connection and the word to finish.
//!
//! A server that is told to finish closes every connection on which it has read nothing: hyper does, and
//! with it axum and tonic. A client that has just connected has no answer then, although it did nothing
//! wrong. So a worker that accepted a moment ago is told a moment later, when the requests are there. It has
//! no new connections by then: its listeners are closed already.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::life::Life;
use super::shared::Shared;

/// How long the request of a connection may take to be read after it was accepted. Whoever is slower and
/// meets a draining worker has to try again, as with any server.
const SETTLE: Duration = Duration::from_millis(100);

/// When the last connection was accepted.
#[derive(Debug)]
pub(super) struct LastAccepted {
    start: Instant,
    /// After `start`; 0 for never.
    nanos: AtomicU64,
}

impl Default for LastAccepted {
    fn default() -> Self {
        Self { start: Instant::now(), nanos: AtomicU64::new(0) }
    }
}

impl LastAccepted {
    pub(super) fn now(&self) {
        let nanos = u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX);
        self.nanos.store(nanos, Ordering::Relaxed);
    }

    /// How long is still to be waited, so long after the start.
    fn rest(&self, elapsed: Duration) -> Duration {
        match self.nanos.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            nanos => (Duration::from_nanos(nanos) + SETTLE).saturating_sub(elapsed),
        }
    }
}

impl Shared {
    /// Tells the user to finish, now or once the last connections have settled.
    pub(super) fn tell_to_drain(self: &Arc<Self>) {
        let rest = self.last_accepted.rest(self.last_accepted.start.elapsed());
        if !rest.is_zero() {
            let shared = Arc::clone(self);
            // A thread, because the user's runtime may have no clock. It holds nothing up: a worker that
            // finishes first goes first.
            let thread = std::thread::Builder::new().name("portcrew-drain".to_owned());
            let told = thread.spawn(move || {
                std::thread::sleep(rest);
                shared.life.advance(Life::Draining);
            });
            if told.is_ok() {
                return;
            }
        }
        self.life.advance(Life::Draining);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_worker_that_has_just_accepted_waits() {
        let last = LastAccepted::default();
        let second = Duration::from_secs(1);
        assert_eq!(last.rest(second), Duration::ZERO);
        last.nanos.store(1_000_000_000, Ordering::Relaxed);
        assert_eq!(last.rest(second), SETTLE);
        assert_eq!(last.rest(second + SETTLE / 4), SETTLE * 3 / 4);
        assert_eq!(last.rest(second * 2), Duration::ZERO);
    }
}
