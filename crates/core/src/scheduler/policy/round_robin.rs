//! Node's default policy, made exact: among free workers, the one given fewest so far.

use crate::scheduler::{Incoming, Pick, Scheduler, WorkerView};

/// Among the free workers the least given; of equals the one whose last turn is longest ago.
///
/// A busy worker is skipped, as in Node: connections one after another are dealt out exactly, and under
/// saturation workers share by their speed.
#[derive(Debug, Clone, Copy, Default)]
pub struct RoundRobin;

impl Scheduler for RoundRobin {
    fn pick(&mut self, _incoming: &Incoming, workers: &[WorkerView]) -> Pick {
        workers
            .iter()
            .filter(|view| view.is_free())
            .min_by_key(|view| (view.share, view.last_given, view.worker))
            .map_or(Pick::Wait, |view| Pick::Worker(view.worker))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ListenerId, WorkerId};

    const INCOMING: Incoming = Incoming { listener: ListenerId(0), peer: None };

    fn view(worker: u32, share: u64, last_given: u64) -> WorkerView {
        WorkerView {
            worker: WorkerId(worker),
            in_flight: 0,
            window: 1,
            share,
            last_given,
            resting_until: None,
        }
    }

    #[test]
    fn the_least_given_free_worker_is_next() {
        let mut busy = view(3, 0, 0);
        busy.in_flight = 1;
        let workers = [view(1, 5, 8), view(2, 4, 9), busy];
        assert_eq!(RoundRobin.pick(&INCOMING, &workers), Pick::Worker(WorkerId(2)));
        assert_eq!(RoundRobin.pick(&INCOMING, &workers[2..]), Pick::Wait);
    }

    #[test]
    fn of_equals_the_one_that_waited_longest_is_next() {
        let workers = [view(1, 4, 9), view(2, 4, 7)];
        assert_eq!(RoundRobin.pick(&INCOMING, &workers), Pick::Worker(WorkerId(2)));
    }
}
