//! Every bound of a crew: a name, a unit, a default, and what happens beyond it.

use std::time::Duration;

/// How a crew is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// Slots to be filled. Never below 1.
    pub workers: usize,
    /// How long a leaving worker may take to finish its connections. Beyond it: SIGTERM.
    pub grace: Duration,
    /// How long it may take after SIGTERM. Beyond it: SIGKILL to its process group.
    pub term_grace: Duration,
    /// How long a worker may take to listen. Beyond it this is said, and a reload rolls back.
    pub start_deadline: Duration,
    /// How long a new worker must be ready before a reload counts it.
    pub stable_for: Duration,
    /// The age at which a worker has settled: its slot's delays begin anew.
    pub settled_after: Duration,
    /// The delay before the first restart; doubles with each that follows.
    pub restart_first: Duration,
    /// The longest delay before a restart of a worker that was never ready.
    pub restart_cap: Duration,
    /// The same for a worker that was ready before it died: its clients wait meanwhile.
    pub served_cap: Duration,
    /// Deaths before readiness in one slot within [`budget_window`](Self::budget_window). Beyond it the
    /// crew is degraded, or fails if no worker was ever ready.
    pub slot_budget: usize,
    /// The time in which deaths are counted.
    pub budget_window: Duration,
    /// Spreads the delays; the same seed gives the same delays.
    pub seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            workers: 1,
            grace: Duration::from_secs(10),
            term_grace: Duration::from_secs(2),
            start_deadline: Duration::from_secs(30),
            stable_for: Duration::from_secs(1),
            settled_after: Duration::from_secs(30),
            restart_first: Duration::from_millis(100),
            restart_cap: Duration::from_secs(30),
            served_cap: Duration::from_millis(500),
            slot_budget: 5,
            budget_window: Duration::from_secs(60),
            seed: 0,
        }
    }
}

impl Settings {
    /// Deaths before readiness in the whole crew within the window, with the same consequence.
    pub(super) fn crew_budget(&self) -> usize {
        self.workers.saturating_mul(2).max(10)
    }
}
