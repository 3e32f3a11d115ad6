//! Gives way to other processes before the primary waits for more, while many connections come.
//!
//! A wake-up of the primary, a record to a worker and the wake-up of that worker cost the same for one connection and for
//! many. Where processors are free, there is one at a time and nothing to be gained: to give way returns at once. Where none
//! is, those who would bring more (clients, workers with answers) wait for this one: a primary that sleeps is woken by the
//! first of them alone, ahead of the others. One that lets them run before it sleeps finds what all of them brought.

use std::time::Duration;

use tokio::time::Instant;

use super::driver::Driver;

/// Over so long, and up to twice as long, it is counted how many connections come.
const WINDOW: Duration = Duration::from_millis(10);

/// So many in a window are many. With fewer the primary needs less than a tenth of a processor, and each connection is
/// better served at once.
const MANY: u32 = 32;

/// Who was away for longer was behind somebody who computes, not behind those who bring something. Of the absences under
/// a load of short requests one in 300 is (the median is 2 µs, nine of ten are below 50).
const LONG: Duration = Duration::from_micros(500);

/// After that it is not done again for so many times as long: what comes meanwhile would wait each time. So absences as
/// long as that are a twentieth of the time at most, however many compute.
const REST: u32 = 20;

/// Whether it is worth while. On a runtime of several threads it is that thread alone which gives way, with what is
/// queued for it.
#[derive(Debug, Default)]
pub(super) struct GivingWay {
    /// Connections were accepted or answered for since it was asked last.
    moved: bool,
    /// How many were accepted in this window.
    came: u32,
    /// When this window began.
    since: Option<Instant>,
    /// Many came in the one before.
    many_come: bool,
    /// Not before that.
    next: Option<Instant>,
}

impl GivingWay {
    /// A connection was accepted.
    pub(super) fn came(&mut self) {
        self.came += 1;
        self.moved = true;
    }

    /// A worker has answered for one.
    pub(super) fn was_answered(&mut self) {
        self.moved = true;
    }

    /// Whether it is to be done now.
    fn is_due(&mut self, now: Instant) -> bool {
        let open_for = self.since.map(|since| now - since);
        if open_for.is_none_or(|it| it >= WINDOW) {
            // One that is far too long says nothing: there was no reason to ask.
            self.many_come = open_for.is_some_and(|it| it < 2 * WINDOW) && self.came >= MANY;
            (self.came, self.since) = (0, Some(now));
        }
        let moved = std::mem::take(&mut self.moved);
        moved && self.many_come && self.next.is_none_or(|next| next <= now)
    }

    /// It was done.
    fn was_away(&mut self, from: Instant, to: Instant) {
        let away = to - from;
        self.next = (away > LONG).then(|| to + REST * away);
    }
}

impl Driver {
    /// Gives way, where that is worth while. Says whether it did: then something may have come.
    pub(super) fn give_way(&mut self) -> bool {
        let from = Instant::now();
        let is_due = self.giving_way.is_due(from);
        if is_due {
            std::thread::yield_now();
            self.giving_way.was_away(from, Instant::now());
        }
        is_due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One in which many come, and the moment from which that is known.
    fn busy() -> (GivingWay, Instant) {
        let (mut it, start) = (GivingWay::default(), Instant::now());
        assert!(!it.is_due(start));
        (0..MANY).for_each(|_| it.came());
        (it, start + WINDOW)
    }

    #[test]
    fn it_is_done_where_many_come_and_not_where_few_do() {
        let (mut it, now) = busy();
        assert!(it.is_due(now));
        (1..MANY).for_each(|_| it.came());
        assert!(it.is_due(now + WINDOW / 2));
        it.was_answered();
        assert!(!it.is_due(now + WINDOW));
    }

    #[test]
    fn where_nothing_has_moved_since_nobody_can_have_brought_more() {
        let (mut it, now) = busy();
        assert!(it.is_due(now));
        assert!(!it.is_due(now));
        it.was_answered();
        assert!(it.is_due(now));
    }

    #[test]
    fn what_came_over_a_long_time_is_not_many() {
        let (mut it, now) = busy();
        assert!(!it.is_due(now + WINDOW));
    }

    #[test]
    fn who_was_kept_waiting_for_long_does_not_give_way_again_at_once() {
        let (mut it, now) = busy();
        assert!(it.is_due(now));
        it.was_away(now, now + LONG);
        it.was_answered();
        assert!(it.is_due(now + LONG));
        let away = LONG + Duration::from_nanos(1);
        let back = now + away;
        it.was_away(now, back);
        for (wait, due) in [(REST * away - Duration::from_nanos(1), false), (REST * away, true)] {
            it.many_come = true;
            it.since = Some(back + wait);
            it.was_answered();
            assert_eq!(it.is_due(back + wait), due);
        }
    }
}
