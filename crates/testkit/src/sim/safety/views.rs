//! What the machine knows of each holder is what the account works out.

use portcrew_core::primary::{Mode, View};
use portcrew_core::scheduler::WorkerView;

use crate::sim::account::{Choice, Counting, Entry, Holding, Listing};
use crate::sim::report::{Check, Checked, ensure};
use crate::sim::world::World;

impl World {
    /// Who holds it, in which way, and what a scheduler is shown of each.
    pub(super) fn check_views(&self, view: &View<'_>, listing: &Listing) -> Checked {
        let same = view.holders.len() == listing.holders.len()
            && listing.holdings.len() == listing.holders.len()
            && view.holders.iter().all(|it| listing.holders.contains(&it.worker));
        ensure(same, Check::C9SocketLife, || {
            let (mine, told) = (&listing.holders, &listing.holdings);
            format!("{view:?} is held by {mine:?}, who were told {told:?}")
        })?;
        for (at, shown) in view.holders.iter().enumerate() {
            let Some(holding) = listing.holding(shown.worker) else {
                continue;
            };
            let way = if at < view.handed { Mode::Handover } else { Mode::Shared };
            ensure(holding.way == way, Check::C12Choice, || {
                format!("{} of {view:?} are handed connections: {holding:?}", view.handed)
            })?;
            let live = self.account.live(listing, shown.worker);
            let right = holding.view(self.clock.now(), &self.plan.limits, live);
            self.check_pace(shown, &right, holding)?;
            check_shown(shown, &right)?;
        }
        self.check_rule(view, listing)
    }

    /// C5: as many are unanswered as were offered and not answered, in a window that follows the answers. One that
    /// is late has a window of 1, and one that is held up is shown so, when it is looked at: when somebody is to be
    /// given a connection.
    fn check_pace(&self, shown: &WorkerView, right: &WorkerView, holding: &Holding) -> Checked {
        let late = holding.is_late(self.clock.now(), &self.plan.limits);
        let window = if late { shown.window <= holding.most } else { shown.window == right.window };
        let bounded = shown.in_flight <= holding.most && shown.window >= 1;
        ensure(right.held_up || !shown.held_up, Check::C12Choice, || {
            format!("worker {} is not held up by now: {holding:?}", shown.worker)
        })?;
        ensure(window && bounded && shown.in_flight == right.in_flight, Check::C5Bounds, || {
            format!("{shown:?} should be {right:?}, by {holding:?}")
        })
    }

    /// The policy in force, what it looks at, and what it decided.
    fn check_rule(&self, view: &View<'_>, listing: &Listing) -> Checked {
        let (rules, address) = (&self.account.rules, &listing.address);
        let rule = rules.of(address);
        let in_force = view.mode == rules.mode(address)
            && view.policy == self.account.called(listing)
            && self.primary.needs_local(view.listener) == rule.spec.policy.needs_all();
        ensure(in_force, Check::C12Choice, || format!("{rule:?} is not in force: {view:?}"))?;
        let counted_by = match listing.counting {
            Counting::By(counter) => Some(counter),
            Counting::Off | Counting::Asked => None,
        };
        ensure(view.counted_by == counted_by, Check::C11Live, || {
            format!("{:?} should be {counted_by:?}: {view:?}", view.counted_by)
        })?;
        let it = &view.counts;
        let counted = it.asked == it.given + it.waited + it.refused
            && (it.given, it.refused) == (listing.given, listing.refused);
        ensure(counted, Check::C1Account, || {
            format!("{it:?}, and {} were given, {} refused", listing.given, listing.refused)
        })
    }

    /// C7: nobody waits for what is there, and nobody waits for ever.
    pub(super) fn check_progress(&self, view: &View<'_>) -> Checked {
        let now = self.clock.now();
        let awaited = self.account.awaited(view.listener);
        ensure(view.awaited == awaited, Check::C7Progress, || {
            format!("the first bytes of {awaited:?} are waited for: {view:?}")
        })?;
        for conn in &view.waiting {
            let Some(entry) = self.account.entry(*conn) else {
                continue;
            };
            let waited = now.since(entry.accepted_at);
            ensure(!self.is_overdue(entry), Check::C7Progress, || {
                format!("{conn} waits and somebody is free for it: {view:?}")
            })?;
            ensure(waited < self.plan.limits.held_for, Check::C7Progress, || {
                format!("{conn} has waited since {:?}", entry.accepted_at)
            })?;
        }
        Ok(())
    }

    /// Whether its policy would act on it, and would have done so when it was last asked at the latest: one that
    /// lets a connection wait for a time is asked again when that has passed, and not before a least time.
    fn is_overdue(&self, entry: &Entry) -> bool {
        let now = self.clock.now();
        let waited = now.since(entry.accepted_at);
        let choice = |waited| self.account.choice(entry, waited, now, &self.plan);
        if matches!(choice(waited), Choice::Wait(_)) {
            return false;
        }
        let before = waited.saturating_sub(self.plan.limits.ask_again);
        !matches!(choice(before), Choice::Wait(Some(_)))
    }
}

/// Of each fact of a view: whether it is right, and whose matter it is.
fn check_shown(shown: &WorkerView, right: &WorkerView) -> Checked {
    let fair = (shown.given, shown.share, shown.last_given);
    let facts = [
        (shown.live == right.live, Check::C11Live),
        (fair == (right.given, right.share, right.last_given), Check::C8Fairness),
        (shown.resting_until == right.resting_until, Check::C7Progress),
        (shown.seat == right.seat, Check::C12Choice),
        (shown.generation == right.generation, Check::C12Choice),
        (shown.listening == right.listening, Check::C12Choice),
        (shown.latency == right.latency, Check::C12Choice),
        (shown.cpu == right.cpu, Check::C12Choice),
    ];
    for (holds, check) in facts {
        ensure(holds, check, || format!("{shown:?} should be {right:?}"))?;
    }
    Ok(())
}
