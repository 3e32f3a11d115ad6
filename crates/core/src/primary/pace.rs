//! How quickly a worker answers, and how much it is therefore given at once.
//!
//! Wide while answers are quick: many connections travel together and nobody waits for a round trip. Narrow while
//! they are slow: what is given to a worker that blocks cannot be taken back, and waits as long as it does.

use std::collections::VecDeque;
use std::time::Duration;

use super::owed::Owed;
use crate::scheduler::WorkerView;
use crate::{Limits, Seq, Time};

/// One worker's pace on one listener.
#[derive(Debug)]
pub(super) struct Pace {
    /// The widest that its window may be.
    most: u32,
    /// What it owes an answer for, the oldest first.
    unanswered: VecDeque<Owed>,
}

impl Pace {
    /// It begins wide: nothing is known against it, and a first burst is dealt out evenly.
    pub(super) const fn new(most: u32, unanswered: VecDeque<Owed>) -> Self {
        Self { most, unanswered }
    }

    pub(super) fn offered(&mut self, seq: Seq, now: Time) {
        self.unanswered.push_back(Owed { seq, since: now, served: false, asked: None });
    }

    /// It is being served, whatever becomes of the answer.
    pub(super) fn served(&mut self, seq: Seq) {
        if let Some(it) = self.unanswered.iter_mut().find(|it| it.seq == seq) {
            it.served = true;
        }
    }

    /// An answer came, of whatever kind.
    pub(super) fn answered(&mut self, seq: Seq, now: Time, view: &mut WorkerView, limits: &Limits) {
        let Some(place) = self.unanswered.iter().position(|it| it.seq == seq) else {
            return;
        };
        let Some(owed) = self.unanswered.remove(place) else {
            return;
        };
        let took = now.since(owed.since);
        view.latency = Some(view.latency.map_or(took, |before| average(before, took)));
        if took > limits.slow {
            view.window = 1;
        } else if took <= limits.quick {
            view.window = view.window.saturating_mul(2).min(self.most);
        }
        view.held_up = self.held_up_by(now, view, limits).is_some();
    }

    /// Sees for how long a worker has owed an answer, and narrows its window when that is too long.
    ///
    /// It is looked at when somebody is to be given a connection, and not on a timer: it matters only then.
    pub(super) fn look_at(&self, now: Time, view: &mut WorkerView, limits: &Limits) {
        view.held_up = self.held_up_by(now, view, limits).is_some();
        let oldest = self.unanswered.front();
        if oldest.is_some_and(|it| now.since(it.since) > limits.slow) {
            view.window = 1;
        }
    }

    /// What holds a free worker up and is to be asked about, as it was not lately.
    pub(super) fn ask_about(
        &mut self,
        now: Time,
        view: &WorkerView,
        limits: &Limits,
    ) -> Option<Seq> {
        let seq = self.held_up_by(now, view, limits).filter(|_| view.is_free())?;
        let owed = self.unanswered.iter_mut().find(|it| it.seq == seq)?;
        if owed.asked.is_some_and(|at| now.since(at) < limits.held_up) {
            return None;
        }
        owed.asked = Some(now);
        Some(seq)
    }

    /// For what it has owed an answer for too long. What is served holds nobody up, and one that has answered nothing
    /// yet may have all to load and to compile: a first burst is dealt out evenly.
    fn held_up_by(&self, now: Time, view: &WorkerView, limits: &Limits) -> Option<Seq> {
        let patience = view.latency.map_or(limits.slow, |_| limits.held_up);
        let oldest = self.unanswered.iter().find(|it| !it.served)?;
        (now.since(oldest.since) > patience).then_some(oldest.seq)
    }
}

/// The new one counts for an eighth.
fn average(before: Duration, took: Duration) -> Duration {
    before - before / 8 + took / 8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::WorkerId;

    fn at(ms: u64) -> Time {
        Time::from_origin(Duration::from_millis(ms))
    }

    /// A worker with a window of 16, its limits 1, 5 and 20 ms.
    fn worker() -> (Pace, WorkerView, Limits) {
        let view = WorkerView::new(WorkerId(1), 16);
        let limits = Limits { held_up: Duration::from_millis(1), ..Limits::default() };
        (Pace::new(16, VecDeque::new()), view, limits)
    }

    #[test]
    fn a_slow_answer_narrows_the_window_to_one_and_quick_ones_widen_it_again() {
        let (mut pace, mut view, limits) = worker();
        pace.offered(Seq(1), at(0));
        pace.answered(Seq(1), at(21), &mut view, &limits);
        assert_eq!(view.window, 1);
        let mut windows = Vec::new();
        for seq in 2..8 {
            pace.offered(Seq(seq), at(100));
            pace.answered(Seq(seq), at(105), &mut view, &limits);
            windows.push(view.window);
        }
        assert_eq!(windows, [2, 4, 8, 16, 16, 16]);
    }

    #[test]
    fn an_answer_that_is_neither_quick_nor_slow_changes_nothing() {
        let (mut pace, mut view, limits) = worker();
        view.window = 4;
        pace.offered(Seq(1), at(0));
        pace.answered(Seq(1), at(10), &mut view, &limits);
        assert_eq!(view.window, 4);
    }

    #[test]
    fn an_answer_that_is_owed_for_too_long_narrows_the_window_before_it_comes() {
        let (mut pace, mut view, limits) = worker();
        pace.offered(Seq(1), at(0));
        pace.offered(Seq(2), at(19));
        pace.look_at(at(20), &mut view, &limits);
        assert_eq!(view.window, 16);
        pace.look_at(at(21), &mut view, &limits);
        assert_eq!(view.window, 1);
        // The oldest was answered: the other has not been owed for long.
        let (mut pace, mut view, limits) = worker();
        pace.offered(Seq(1), at(0));
        pace.offered(Seq(2), at(19));
        pace.answered(Seq(1), at(20), &mut view, &limits);
        pace.look_at(at(30), &mut view, &limits);
        assert_eq!(view.window, 16);
    }

    #[test]
    fn a_worker_is_held_up_while_its_oldest_answer_is_owed_for_long() {
        let (mut pace, mut view, limits) = worker();
        view.latency = Some(Duration::ZERO);
        pace.offered(Seq(1), at(0));
        pace.offered(Seq(2), at(1));
        let seen = [0, 1, 2].map(|now| {
            pace.look_at(at(now), &mut view, &limits);
            view.held_up
        });
        assert_eq!(seen, [false, false, true]);
        pace.answered(Seq(1), at(2), &mut view, &limits);
        assert!(!view.held_up, "the other is owed for as long as is allowed");
        pace.look_at(at(3), &mut view, &limits);
        assert!(view.held_up);
    }

    #[test]
    fn what_is_served_holds_nobody_up_however_late_its_answer_is() {
        let (mut pace, mut view, limits) = worker();
        view.latency = Some(Duration::ZERO);
        pace.offered(Seq(1), at(0));
        pace.offered(Seq(2), at(3));
        pace.served(Seq(1));
        let seen = [4, 5].map(|now| {
            pace.look_at(at(now), &mut view, &limits);
            view.held_up
        });
        assert_eq!(seen, [false, true]);
    }

    #[test]
    fn one_that_has_answered_nothing_yet_is_given_more_time() {
        let (mut pace, mut view, limits) = worker();
        pace.offered(Seq(1), at(0));
        let seen = [2, 20, 21].map(|now| {
            pace.look_at(at(now), &mut view, &limits);
            view.held_up
        });
        assert_eq!(seen, [false, false, true]);
    }

    #[test]
    fn the_average_follows_slowly() {
        let (mut pace, mut view, limits) = worker();
        for (seq, took) in [(1, 8), (2, 16)] {
            pace.offered(Seq(seq), at(0));
            pace.answered(Seq(seq), at(took), &mut view, &limits);
        }
        assert_eq!(view.latency, Some(Duration::from_millis(9)));
    }
}
