//! Node's default policy, made exact: of the free workers with the least to answer, the one given fewest so far.

use crate::scheduler::{Incoming, Needs, Pick, Scheduler, WorkerView};

/// Among the free workers with the fewest unanswered connections the least given; of equals the one whose last
/// turn is longest ago.
///
/// A busy worker is skipped, as in Node: connections one after another are dealt out exactly, and under
/// saturation workers share by their speed. A worker that has not answered yet is busier than one that has: it
/// gets the next only when nobody has less to answer, so that few wait behind one that blocks.
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
        .min_by_key(|view| (view.in_flight, view.share, view.last_given, view.worker))
        .map_or(Pick::Wait, |view| Pick::Worker(view.worker))
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

    #[test]
    fn one_that_has_answered_comes_before_one_that_was_given_fewer_and_has_not() {
        let mut late = view(1, 4, 7);
        late.in_flight = 1;
        let workers = [late, view(2, 9, 9)];
        assert_eq!(RoundRobin.pick(&INCOMING, &workers), Pick::Worker(WorkerId(2)));
    }
}
