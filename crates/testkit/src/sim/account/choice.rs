//! Whom a policy chooses, asked a second time with what the account knows.

use std::time::Duration;

use portcrew_core::primary::Mode;
use portcrew_core::scheduler::{Incoming, Pick, RoundRobin, Scheduler, WorkerView};
use portcrew_core::{ConnId, ListenerId, Time, WorkerId};

use super::{Account, Entry, Listing, Plan};
use crate::sim::report::{Check, Checked, ensure};

/// What must become of a connection that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// This worker is given it.
    Give(WorkerId),
    /// It waits, no longer than this before the policy is asked again.
    Wait(Option<Duration>),
    /// It is closed.
    Refuse,
}

/// What a scheduler does that it must not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Panicked,
    NoSuchWorker,
}

impl Entry {
    /// The connection as its policy must be told of it, when it has waited for so long.
    #[must_use]
    pub fn incoming(&self, waited: Duration) -> Incoming {
        let mut it = Incoming::new(self.listener).from(self.peer);
        (it.source, it.key, it.local) = (self.source, self.key, self.local);
        it.waited = waited;
        it
    }
}

impl Account {
    /// The workers among whom the policy of a listener chooses, as it must be shown them.
    #[must_use]
    pub fn candidates(&self, it: &Listing, now: Time, plan: &Plan) -> Vec<WorkerView> {
        let view = |holding: &super::Holding| {
            holding.view(now, &plan.limits, self.live(it, holding.worker))
        };
        it.candidates().map(view).collect()
    }

    /// What must become of a connection that waits, were it to have waited for so long.
    #[must_use]
    pub fn choice(&self, entry: &Entry, waited: Duration, now: Time, plan: &Plan) -> Choice {
        self.judge(entry, waited, now, plan).0
    }

    fn judge(
        &self,
        entry: &Entry,
        waited: Duration,
        now: Time,
        plan: &Plan,
    ) -> (Choice, Option<Wrong>) {
        let nobody = (Choice::Wait(None), None);
        let Some(it) = self.listings.get(&entry.listener).filter(|_| !entry.awaited) else {
            return nobody;
        };
        if !it.candidates().any(|it| it.is_free(now, &plan.limits)) {
            return nobody;
        }
        let workers = self.candidates(it, now, plan);
        let (rule, incoming) = (self.rules.of(&it.address), entry.incoming(waited));
        let in_turn = || (heed(RoundRobin.pick(&incoming, &workers), &workers)).unwrap_or(nobody.0);
        if rule.is_retired {
            return (in_turn(), None);
        }
        match rule.spec.policy.decide(&incoming, &workers).map(|pick| heed(pick, &workers)) {
            None => (in_turn(), Some(Wrong::Panicked)),
            Some(None) => (in_turn(), Some(Wrong::NoSuchWorker)),
            Some(Some(choice)) => (choice, None),
        }
    }

    /// A connection is offered to whom its policy chooses.
    pub(super) fn must_choose(
        &mut self,
        now: Time,
        conn: ConnId,
        (worker, listener): (WorkerId, ListenerId),
        plan: &Plan,
    ) -> Checked {
        let (Some(entry), Some(it)) = (self.conns.get(&conn), self.listings.get(&listener)) else {
            return Ok(());
        };
        let holding = it.holding(worker);
        let busy = holding.is_none_or(|it| !it.is_free(now, &plan.limits));
        ensure(!busy, Check::C5Bounds, || {
            format!("{conn} was offered to {worker}, which is not free: {holding:?}")
        })?;
        let (choice, wrong) = self.judge(entry, now.since(entry.accepted_at), now, plan);
        ensure(choice == Choice::Give(worker), Check::C12Choice, || {
            let (rule, workers) = (self.rules.of(&it.address), self.candidates(it, now, plan));
            format!("{conn} goes to {worker}, and {rule:?} wants {choice:?}: {entry:?} {workers:?}")
        })?;
        let address = it.address.clone();
        let handed = it.handed();
        if holding.is_some_and(|it| it.way == Mode::Shared) {
            self.met.saw(match handed {
                0 => "left over: offered to one that shares",
                _ => "offered to one that shares, beside one that is handed connections",
            });
        }
        if it.holdings.iter().any(|it| it.alone) {
            self.met.saw("offered past one that accepts alone");
        }
        let at_first = self.choice(entry, Duration::ZERO, now, plan);
        if matches!(at_first, Choice::Wait(Some(_))) {
            self.met.saw("waited as long as its policy wanted");
        }
        match wrong {
            Some(Wrong::Panicked) => {
                self.tally.panics += 1;
                self.rules.retire(&address);
            }
            Some(Wrong::NoSuchWorker) => self.tally.bad_picks += 1,
            None => {}
        }
        Ok(())
    }
}

/// What a pick means. None: it is of a worker that is not there.
fn heed(pick: Pick, workers: &[WorkerView]) -> Option<Choice> {
    Some(match pick {
        Pick::Worker(named) => match workers.iter().find(|it| it.worker == named)?.is_free() {
            true => Choice::Give(named),
            false => Choice::Wait(None),
        },
        Pick::Wait => Choice::Wait(None),
        Pick::WaitAtMost(time) => Choice::Wait(Some(time)),
        Pick::Refuse => Choice::Refuse,
    })
}
