//! What a seed draws for a crew: settings on a smaller scale of time, and the first release.

use std::time::Duration;

use portcrew_core::Query;
use portcrew_core::supervise::{Drain, ExitWhenDegraded, Settings};

use super::Release;
use crate::sim::rng::Rng;

/// All waits are those that most crews have, divided by this: a world lasts for seconds. What bounds the rate of starts
/// is divided alike, so the bounds of the checker are those of real crews, divided too.
pub(super) const SCALE: u32 = 20;

/// A crew, before it begins.
#[derive(Debug, Clone)]
pub struct CrewPlan {
    /// Its machine's settings.
    pub settings: Settings,
    /// What it begins with.
    pub first: Release,
    /// The step from which on somebody wants it to end.
    pub stops_at: u64,
}

impl CrewPlan {
    /// Any crew of so many workers.
    pub fn draw(rng: &mut Rng, workers: usize, queries: &[Query], faults: bool) -> Self {
        let first = Release::first(rng, queries.len(), faults);
        let stops_at = if rng.percent(20) { rng.between(60, 300) } else { u64::MAX };
        Self { settings: settings(rng, workers), first, stops_at }
    }
}

fn settings(rng: &mut Rng, workers: usize) -> Settings {
    let mut it = Settings::default();
    (it.workers, it.most_workers) = (workers, 6);
    for wait in [
        &mut it.head_start,
        &mut it.start_deadline,
        &mut it.reload_deadline,
        &mut it.stable_for,
        &mut it.exit_patience,
        &mut it.grace,
        &mut it.term_grace,
        &mut it.kill_grace,
        &mut it.restart_first,
        &mut it.restart_cap,
        &mut it.served_cap,
        &mut it.budget_window,
    ] {
        *wait /= SCALE;
    }
    it.start_parallelism = rng.index(4) + 1;
    if rng.percent(30) {
        (it.surge, it.max_unavailable) = (rng.index(4), rng.index(3));
        it.overlap = !rng.percent(30);
    }
    it.drain = rng.weighted(&[(Drain::Disconnect, 60), (Drain::Text, 20), (Drain::Signal, 20)]);
    // Far above how late a primary may be called before it takes that for a pause of its own.
    let seconds = |rng: &mut Rng| Duration::from_millis(rng.between(1_000, 3_000));
    it.answer_within = rng.percent(40).then(|| seconds(rng));
    it.watchdog = rng.percent(20).then(|| seconds(rng));
    it.heartbeat = rng.percent(30).then(|| seconds(rng));
    it.max_age = rng.percent(20).then(|| Duration::from_millis(rng.between(500, 3_000)));
    it.max_connections = rng.percent(20).then(|| rng.between(2, 12));
    it.exit_when_degraded = rng.weighted(&[
        (ExitWhenDegraded::Never, 50),
        (ExitWhenDegraded::IfNeverStarted, 40),
        (ExitWhenDegraded::Always, 10),
    ]);
    it.seed = rng.below(1 << 32);
    // Not a draw of its own: every schedule that was kept would be another.
    if it.seed % 4 != 1 {
        it.head_start = Duration::ZERO;
    }
    it
}
