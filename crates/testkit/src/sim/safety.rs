//! The promises that hold after every step.

use portcrew_core::primary::{Mode, Place, View};
use portcrew_core::{CloseReason, ConnId};

use super::account::{Entry, Listing, Status, incoming};
use super::report::{Check, Checked, ensure};
use super::world::World;

impl World {
    /// Holds every promise against the present.
    pub(super) fn check(&self) -> Checked {
        self.check_ledger()?;
        self.check_places()?;
        let mut views = 0;
        for view in self.primary.listeners() {
            let listing = self.account.listing(view.listener);
            let Some(listing) = listing.filter(|it| it.open == view.is_open) else {
                return ensure(false, Check::C9SocketLife, || {
                    format!("{view:?} is not what became of it: {listing:?}")
                });
            };
            views += 1;
            self.check_holders(&view, listing)?;
            if view.is_open && view.mode == Mode::Handover {
                self.check_bounds(&view)?;
                self.check_back_pressure(&view)?;
                self.check_progress(&view)?;
                self.check_order(&view)?;
            }
        }
        let listed = self.account.listings().count();
        ensure(views == listed, Check::C9SocketLife, || {
            format!("{listed} listeners are wanted and {views} are there")
        })
    }

    /// C1: the ledger balances, and each count is the one that the events add up to.
    fn check_ledger(&self) -> Checked {
        let (ledger, tally) = (self.primary.ledger(), &self.account.tally);
        let agree = ledger.balances()
            && ledger.accepted == tally.accepted
            && ledger.held == tally.held
            && ledger.offered == tally.offered
            && ledger.taken == tally.taken
            && ledger.stray_answers == tally.stray
            && ledger.accept_failures == tally.accept_failures
            && CloseReason::ALL
                .iter()
                .all(|it| ledger.closed_for(*it) == tally.closed[*it as usize]);
        ensure(agree, Check::C1Account, || {
            format!("the ledger says {ledger:?}, the events {tally:?}")
        })
    }

    /// C1 and C4: each connection is where it should be, and the copy is open exactly there.
    fn check_places(&self) -> Checked {
        let mut places = 0;
        for (conn, place) in self.primary.connections() {
            places += 1;
            let status = self.account.entry(conn).map(|it| it.status);
            let same = match place {
                Place::Held => status == Some(Status::Held),
                Place::Offered(worker, seq) => status == Some(Status::Offered(worker, seq)),
            };
            ensure(same, Check::C1Account, || {
                format!("{conn} is {place:?} and should be {status:?}")
            })?;
            ensure(self.kernel.conn(conn).primary_copy, Check::C4Copy, || {
                format!("{conn} is {place:?} and its copy is closed")
            })?;
        }
        let copies = self.kernel.copies();
        ensure(copies == places, Check::C4Copy, || {
            format!("{copies} copies are open for {places} connections")
        })
    }

    fn check_holders(&self, view: &View<'_>, listing: &Listing) -> Checked {
        let same = view.holders.len() == listing.holders.len()
            && view.holders.iter().all(|it| listing.holders.contains(&it.worker));
        ensure(same, Check::C9SocketLife, || format!("{view:?} is held by {:?}", listing.holders))?;
        let has_socket = self.kernel.sockets.contains_key(&view.listener);
        ensure(has_socket || !view.is_open, Check::C9SocketLife, || {
            format!("{view:?} has no socket")
        })
    }

    /// C5: the queue holds no more than its limit and what came back; nobody has more than its window.
    fn check_bounds(&self, view: &View<'_>) -> Checked {
        let limits = &self.plan.limits;
        let entry = |conn: &ConnId| self.account.entry(*conn);
        let returned = |conn: &&ConnId| entry(conn).is_some_and(|it| it.returned);
        let back = view.waiting.iter().filter(returned).count();
        let most = limits.held + back;
        ensure(view.waiting.len() <= most, Check::C5Bounds, || {
            format!("{} wait and {back} of them came back: {view:?}", view.waiting.len())
        })?;
        for holder in view.holders {
            let here =
                |it: &&(_, ConnId)| entry(&it.1).is_some_and(|it| it.listener == view.listener);
            let outstanding = self
                .account
                .outstanding
                .iter()
                .filter(|((worker, _), _)| *worker == holder.worker)
                .map(|(_, conn)| ((), *conn))
                .filter(|it| here(&it))
                .count();
            let window = self.window(view, holder.worker);
            let right = outstanding == holder.in_flight as usize
                && (1..=window).contains(&holder.window)
                && outstanding <= window as usize;
            ensure(right, Check::C5Bounds, || {
                format!("{outstanding} of {window} are unanswered: {holder:?}")
            })?;
        }
        let refused = view.waiting.iter().filter_map(entry).map(|it| it.refusals).max();
        ensure(refused.unwrap_or(0) <= limits.refusals, Check::C7Progress, || {
            format!("a connection was refused {refused:?} times and waits still")
        })
    }

    fn window(&self, view: &View<'_>, worker: portcrew_core::WorkerId) -> u32 {
        let limits = &self.plan.limits;
        let unix = self.kernel.sockets.get(&view.listener).is_some_and(|it| it.unix);
        let lane = self.account.member(worker).is_some_and(|it| it.lane);
        match (lane, unix) {
            (_, true) => limits.unproven_window,
            (true, false) => limits.lane_window,
            (false, false) => limits.channel_window,
        }
    }

    /// C6: a listener is polled exactly while there is room, unless it rests.
    fn check_back_pressure(&self, view: &View<'_>) -> Checked {
        let polled = self.kernel.sockets.get(&view.listener).is_some_and(|it| it.polled);
        let full = view.waiting.len() >= self.plan.limits.held;
        let right =
            polled == view.is_accepting && if view.is_resting { !polled } else { polled != full };
        ensure(right, Check::C6BackPressure, || format!("polled: {polled}, full: {full}, {view:?}"))
    }

    /// C7: nobody waits for what is there, and nobody waits for ever.
    fn check_progress(&self, view: &View<'_>) -> Checked {
        let now = self.clock.now();
        for conn in &view.waiting {
            let Some(entry) = self.account.entry(*conn) else {
                continue;
            };
            let it = incoming(*conn, entry.listener, entry.unix);
            let idle = self.plan.policy.would_act(&it, view.holders);
            ensure(!idle, Check::C7Progress, || {
                format!("{conn} waits and somebody is free for it: {view:?}")
            })?;
            ensure(self.waits_in_time(entry), Check::C7Progress, || {
                format!("{conn} has waited since {:?}", entry.accepted_at)
            })?;
        }
        let overdue = |it: &portcrew_core::scheduler::WorkerView| {
            it.resting_until.is_some_and(|until| until <= now)
        };
        ensure(!view.holders.iter().any(overdue), Check::C7Progress, || {
            format!("a rest is over at {now:?}: {:?}", view.holders)
        })
    }

    /// Whoever came first is asked about first.
    fn check_order(&self, view: &View<'_>) -> Checked {
        let age = |conn: &ConnId| self.account.entry(*conn).map(|it| (it.accepted_at, *conn));
        let in_order = view.waiting.iter().is_sorted_by_key(age);
        ensure(in_order, Check::C7Progress, || {
            format!("an older connection waits behind a younger one: {view:?}")
        })
    }

    fn waits_in_time(&self, entry: &Entry) -> bool {
        self.clock.now().since(entry.accepted_at) < self.plan.limits.held_for
    }
}
