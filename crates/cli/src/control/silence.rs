//! When a crew that says nothing counts as one that says nothing any more.
//!
//! A verdict and an event come when they come, so no limit of theirs would be right. But a primary that turns says that
//! it does: by a comment in the stream of events, and by answering another question. One that was stopped, or hangs,
//! does neither.

use std::io;
use std::time::{Duration, Instant};

/// How often a reader of events hears that it is still connected, and how often whoever waits for a verdict asks.
pub(super) const STILL_THERE: Duration = Duration::from_secs(15);

/// How long a crew may say nothing at all: three times what it needs. Beyond it nobody waits any longer.
pub(crate) const SILENT_AFTER: Duration = Duration::from_secs(45);

/// Since when a crew has said nothing.
#[derive(Debug, Clone, Copy)]
struct Silence {
    since: Instant,
}

impl Silence {
    /// How long it has lasted by now, if that is too long.
    fn too_long(self, now: Instant) -> Option<Duration> {
        let span = now.saturating_duration_since(self.since);
        (span >= SILENT_AFTER).then_some(span)
    }
}

/// Why a verdict is not waited for any longer.
#[derive(Debug)]
pub(super) enum Vain {
    /// The crew has said nothing for so long.
    Silent(Duration),
    Failed(io::Error),
}

/// Waits for the first of an answer as long as the crew is there. `read` waits for it, for [`STILL_THERE`] at most;
/// `is_there` asks the crew something else.
pub(super) fn until_it_answers(
    mut read: impl FnMut() -> io::Result<()>,
    mut is_there: impl FnMut() -> bool,
    mut now: impl FnMut() -> Instant,
) -> Result<(), Vain> {
    let mut silence = Silence { since: now() };
    loop {
        match read() {
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) if has_timed_out(&error) => {}
            Err(error) => return Err(Vain::Failed(error)),
        }
        if is_there() {
            silence.since = now();
        } else if let Some(span) = silence.too_long(now()) {
            return Err(Vain::Silent(span));
        }
    }
}

/// A time-out of a socket is `EAGAIN` (socket(7), `SO_RCVTIMEO`).
pub(super) fn has_timed_out(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    /// Waits for an answer that comes after so many time-outs, of a crew that answers other questions or not. What came
    /// of it, and how many seconds that took.
    fn waits(answer_after: u64, is_there: impl Fn(Duration) -> bool) -> (Result<(), Vain>, u64) {
        let (begin, passed) = (Instant::now(), Cell::new(Duration::ZERO));
        let pass = |span| passed.set(passed.get() + span);
        let mut left = answer_after;
        let read = || {
            if left == 0 {
                return Ok(());
            }
            left -= 1;
            pass(STILL_THERE);
            Err(io::ErrorKind::WouldBlock.into())
        };
        let asks = || {
            let answers = is_there(passed.get());
            if !answers {
                // As long as a question is given.
                pass(Duration::from_secs(10));
            }
            answers
        };
        let result = until_it_answers(read, asks, || begin + passed.get());
        (result, passed.get().as_secs())
    }

    #[test]
    fn a_verdict_is_waited_for_as_long_as_the_crew_answers_other_questions() {
        let (result, took) = waits(240, |_| true);
        assert!(matches!(result, Ok(())), "{result:?}");
        assert_eq!(took, 3600);
    }

    #[test]
    fn a_crew_that_answers_nothing_is_given_up_and_it_is_said_how_long_it_was_silent() {
        let (result, took) = waits(u64::MAX, |_| false);
        assert!(matches!(result, Err(Vain::Silent(span)) if span.as_secs() == 50), "{result:?}");
        assert_eq!(took, 50);
        // It was there for a while, and its silence begins when it was last heard.
        let (result, took) = waits(u64::MAX, |passed| passed < Duration::from_secs(100));
        assert!(matches!(result, Err(Vain::Silent(span)) if span.as_secs() == 50), "{result:?}");
        assert_eq!(took, 90 + 50);
    }

    #[test]
    fn a_silence_that_ends_in_time_was_none() {
        let asked = Cell::new(0_u32);
        let every_second_time = |_| {
            asked.set(asked.get() + 1);
            asked.get() % 2 == 0
        };
        let (result, _) = waits(100, every_second_time);
        assert!(matches!(result, Ok(())), "{result:?}");
    }

    #[test]
    fn whatever_else_goes_wrong_is_not_asked_about() {
        let broken = || Err(io::ErrorKind::ConnectionReset.into());
        let result = until_it_answers(broken, || panic!("it has gone"), Instant::now);
        assert!(matches!(result, Err(Vain::Failed(_))), "{result:?}");
    }
}
