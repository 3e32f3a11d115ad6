//! R2: whom a reload may take away, and how many a crew may keep.

use std::collections::{BTreeMap, BTreeSet};

use portcrew_core::WorkerId;
use portcrew_core::supervise::{Action, Crew, Notice, Phase, SlotId};

use super::Checker;
use super::checker::Before;
use crate::sim::report::{Check, Checked, ensure};

impl Checker {
    /// The workers that serve and were not told to leave.
    pub(super) fn serving(&self) -> BTreeMap<WorkerId, SlotId> {
        let serving = self.alive.iter().filter(|it| it.1.ready && !it.1.told);
        serving.map(|it| (*it.0, it.1.slot)).collect()
    }

    /// A worker that serves leaves for a reload only when another serves in its slot, or when enough slots are served
    /// without it. Not on the way back, which must come to its end also when nothing starts.
    pub(super) fn still_served(&self, before: &Before, crew: &Crew, actions: &[Action]) -> Checked {
        let ends = |it: &Action| {
            matches!(it, Action::Notify(Notice::Stopping { .. } | Notice::ReloadFailed { .. }))
        };
        let undone = matches!(before.phase(), Phase::RollingBack(_));
        if undone || before.is_excused() || actions.iter().any(ends) {
            return Ok(());
        }
        let now = self.serving();
        let slots: BTreeSet<_> = now.values().collect();
        let there = |worker| self.alive.contains_key(worker);
        let lost = before.serving().iter().find(|(worker, slot)| {
            there(worker) && !now.contains_key(worker) && !slots.contains(slot)
        });
        let may_be_missing = self.settings.max_unavailable.max(usize::from(!self.settings.overlap));
        let (served, least) = (slots.len(), crew.wanted().saturating_sub(may_be_missing));
        let enough = may_be_missing > 0 && served >= least;
        ensure(lost.is_none() || enough, Check::R2Capacity, || {
            format!("{lost:?} was lost to a reload; {served} slots are served, {least} at least")
        })
    }

    /// Never more workers that were not told to leave than are wanted and may stand beside them.
    pub(super) fn count_kept(&self, crew: &Crew) -> Checked {
        let it = &self.settings;
        let surge = match (it.overlap, it.max_unavailable) {
            (true, 0) => it.surge.max(1),
            (true, _) => it.surge,
            (false, _) => 0,
        };
        // The successor of a worn worker stands beside it, but never while a reload has newcomers.
        let beside = match crew.phase() {
            Phase::Reloading(_) | Phase::RollingBack(_) => surge,
            _ => usize::from(it.overlap),
        };
        let most = crew.wanted() + beside;
        let kept = self.alive.values().filter(|it| it.known && !it.told).count();
        let stopping = matches!(crew.phase(), Phase::Stopping | Phase::Finished);
        ensure(kept <= most || stopping, Check::R2Capacity, || {
            format!("{kept} workers are kept, {most} at most")
        })
    }
}
