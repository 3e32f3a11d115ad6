//! The demo's counts: which worker was given how many connections.

use std::time::Duration;

use portcrew::Snapshot;
use tokio::time::{Interval, MissedTickBehavior, interval};

use crate::output::words::notices;

/// How often it is counted.
const EACH: Duration = Duration::from_secs(1);

/// The last count and the time of the next.
#[derive(Debug)]
pub(super) struct Counts {
    each: Interval,
    last: String,
}

impl Counts {
    pub(super) fn new() -> Self {
        let mut each = interval(EACH);
        each.set_missed_tick_behavior(MissedTickBehavior::Skip);
        Self { each, last: String::new() }
    }

    /// Waits for the next count. Cancel safe.
    pub(super) async fn tick(&mut self) {
        self.each.tick().await;
    }

    /// The counts in one line; `None` while nothing has changed, and before the first connection.
    pub(super) fn line(&mut self, snapshot: &Snapshot) -> Option<String> {
        let total = snapshot.ledger.taken;
        let each: Vec<_> =
            snapshot.workers.iter().map(|it| notices::demo_count(&it.id, it.taken)).collect();
        let line = notices::demo_counts(total, &each.join(", "));
        if total == 0 || line == self.last {
            return None;
        }
        self.last.clone_from(&line);
        Some(line)
    }
}
