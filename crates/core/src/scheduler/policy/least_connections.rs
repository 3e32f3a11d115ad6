//! Fewest open connections: for work of mixed length, and for connections that stay.

use crate::scheduler::{Incoming, Needs, Pick, Scheduler, WorkerView, round_robin_among};

/// Among the free workers the one with the fewest connections, open and offered; of equals the next in turn.
///
/// Where the connections of one of the workers cannot be counted it deals in turn: to compare a number with
/// nothing would favour whoever is not counted.
#[derive(Debug, Clone, Copy, Default)]
pub struct LeastConnections;

impl Scheduler for LeastConnections {
    fn pick(&mut self, _incoming: &Incoming, workers: &[WorkerView]) -> Pick {
        if workers.iter().any(|view| view.live.is_none()) {
            return round_robin_among(workers);
        }
        let free = workers.iter().filter(|view| view.is_free());
        let fewest = free.clone().map(load).min();
        round_robin_among(free.filter(|view| Some(load(view)) == fewest))
    }

    fn needs(&self) -> Needs {
        Needs::LIVE
    }

    fn name(&self) -> &'static str {
        "least-connections"
    }
}

/// What it has, and what it is about to have.
fn load(view: &WorkerView) -> u32 {
    view.live.unwrap_or(0).saturating_add(view.in_flight)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ListenerId, WorkerId};

    const INCOMING: Incoming = Incoming::new(ListenerId(0));

    fn view(worker: u32, live: Option<u32>, in_flight: u32) -> WorkerView {
        WorkerView { live, in_flight, ..WorkerView::new(WorkerId(worker), 4) }
    }

    #[test]
    fn what_is_offered_counts_like_what_is_open() {
        let workers = [view(1, Some(3), 0), view(2, Some(1), 1), view(3, Some(0), 3)];
        assert_eq!(LeastConnections.pick(&INCOMING, &workers), Pick::Worker(WorkerId(2)));
    }

    #[test]
    fn a_busy_worker_is_passed_over_however_few_it_has() {
        let workers = [view(1, Some(0), 4), view(2, Some(9), 0)];
        assert_eq!(LeastConnections.pick(&INCOMING, &workers), Pick::Worker(WorkerId(2)));
        assert_eq!(LeastConnections.pick(&INCOMING, &workers[..1]), Pick::Wait);
    }

    #[test]
    fn equals_are_dealt_in_turn() {
        let mut first = view(1, Some(2), 0);
        first.share = 7;
        let workers = [first, view(2, Some(2), 0)];
        assert_eq!(LeastConnections.pick(&INCOMING, &workers), Pick::Worker(WorkerId(2)));
    }

    #[test]
    fn where_one_cannot_be_counted_all_are_dealt_in_turn() {
        let mut first = view(1, Some(0), 0);
        first.share = 7;
        let workers = [first, view(2, None, 0)];
        assert_eq!(LeastConnections.pick(&INCOMING, &workers), Pick::Worker(WorkerId(2)));
    }
}
