//! Node's default policy, made exact: of the free workers the one given fewest so far, those held up last.

use crate::scheduler::{Incoming, Needs, Pick, Scheduler, WorkerView};

/// Among the free workers the least given; of equals the one whose last turn is longest ago.
///
/// A busy worker is skipped, as in Node: connections one after another are dealt out exactly, and under
/// saturation workers share by their speed. One that is [held up](WorkerView::held_up) gets the next only when
/// all the others are, and then the one with the fewest to answer does, so that few wait behind one that blocks.
/// An answer that is owed for less says nothing: the client may have its response, and be here again, before it.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoundRobin;

impl Scheduler for RoundRobin {
    fn pick(&mut self, _incoming: &Incoming, workers: &[WorkerView]) -> Pick {
        round_robin_among(workers)
    }

    fn needs(&self) -> Needs {
        Needs::NONE
    }

    fn name(&self) -> &'static str {
        "round-robin"
    }
}

/// The next of these in turn, as [`RoundRobin`] chooses; [`Pick::Wait`] when none of them is free.
pub fn round_robin_among<'a>(workers: impl IntoIterator<Item = &'a WorkerView>) -> Pick {
    workers
        .into_iter()
        .filter(|view| view.is_free())
        .min_by_key(|view| (wait_at(view), view.share, view.last_given, view.worker))
        .map_or(Pick::Wait, |view| Pick::Worker(view.worker))
}

/// Behind how many a connection that it is given would wait.
const fn wait_at(view: &WorkerView) -> u32 {
    if view.held_up { view.in_flight } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ListenerId, WorkerId};

    const INCOMING: Incoming = Incoming::new(ListenerId(0));

    fn view(worker: u32, share: u64, last_given: u64) -> WorkerView {
        WorkerView { share, last_given, ..WorkerView::new(WorkerId(worker), 2) }
    }

    #[test]
    fn the_least_given_free_worker_is_next() {
        let mut busy = view(3, 0, 0);
        busy.in_flight = 2;
        let workers = [view(1, 5, 8), view(2, 4, 9), busy];
        assert_eq!(RoundRobin.pick(&INCOMING, &workers), Pick::Worker(WorkerId(2)));
        assert_eq!(RoundRobin.pick(&INCOMING, &workers[2..]), Pick::Wait);
    }

    #[test]
    fn of_equals_the_one_that_waited_longest_is_next() {
        let workers = [view(1, 4, 9), view(2, 4, 7)];
        assert_eq!(RoundRobin.pick(&INCOMING, &workers), Pick::Worker(WorkerId(2)));
    }

    /// Owes so many answers, the oldest for long.
    fn held_up(worker: u32, in_flight: u32) -> WorkerView {
        WorkerView { in_flight, held_up: true, ..view(worker, 0, 0) }
    }

    #[test]
    fn one_that_is_held_up_comes_after_one_that_was_given_more() {
        let workers = [held_up(1, 1), view(2, 9, 9)];
        assert_eq!(RoundRobin.pick(&INCOMING, &workers), Pick::Worker(WorkerId(2)));
    }

    #[test]
    fn of_those_held_up_the_one_with_the_fewest_to_answer_is_next() {
        let with_room = |it| WorkerView { window: 4, ..it };
        let workers = [held_up(1, 3), held_up(2, 2)].map(with_room);
        assert_eq!(RoundRobin.pick(&INCOMING, &workers), Pick::Worker(WorkerId(2)));
    }

    #[test]
    fn an_answer_that_is_owed_for_a_moment_counts_for_nothing() {
        let mut owes = view(1, 4, 7);
        owes.in_flight = 1;
        let workers = [owes, view(2, 5, 9)];
        assert_eq!(RoundRobin.pick(&INCOMING, &workers), Pick::Worker(WorkerId(1)));
    }
}
