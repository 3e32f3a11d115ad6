//! The promises that hold after every step.

mod views;

use portcrew_core::primary::{Mode, Place, View};
use portcrew_core::{CloseReason, ConnId};

use super::account::{Listing, Status};
use super::report::{Check, Checked, ensure};
use super::world::World;

impl World {
    /// Holds every promise against the present.
    pub(super) fn check(&self) -> Checked {
        self.check_ledger()?;
        self.check_answers()?;
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
            self.check_views(&view, listing)?;
            if view.is_open {
                self.check_socket(&view)?;
                self.check_bounds(&view, listing)?;
                self.check_back_pressure(&view, listing)?;
                self.check_progress(&view)?;
                self.check_order(&view)?;
                self.check_depth(&view, listing)?;
            }
        }
        self.check_policies()?;
        let listed = self.account.listings().count();
        ensure(views == listed, Check::C9SocketLife, || {
            format!("{listed} listeners are wanted and {views} are there")
        })?;
        let miscounted = self.account.miscounted;
        ensure(miscounted.is_none(), Check::C11Live, || {
            format!("who died, with how many, and how many were counted: {miscounted:?}")
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
            && ledger.bad_picks == tally.bad_picks
            && ledger.scheduler_panics == tally.panics
            && ledger.looked_in_vain == tally.in_vain
            && CloseReason::ALL
                .iter()
                .all(|it| ledger.closed_for(*it) == tally.closed[*it as usize]);
        ensure(agree, Check::C1Account, || {
            format!("the ledger says {ledger:?}, the events {tally:?}")
        })
    }

    /// C1: each answer of a worker is counted once, by how long it took.
    fn check_answers(&self) -> Checked {
        let (counted, all) = (self.primary.answers(), &self.account.tally.answers);
        ensure(all.agree_with(counted), Check::C1Account, || {
            format!("the answers took {all:?}, and were counted as {counted:?}")
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

    fn check_socket(&self, view: &View<'_>) -> Checked {
        let has_socket = self.kernel.sockets.contains_key(&view.listener);
        ensure(has_socket, Check::C9SocketLife, || format!("{view:?} has no socket"))
    }

    /// C12: no scheduler was asked that must not be, and it is known whether workers have to be replaced.
    fn check_policies(&self) -> Checked {
        let wrongs = self.wrongs.count();
        ensure(wrongs == 0, Check::C12Choice, || {
            format!("{wrongs} times a scheduler was asked that had panicked, or with nobody free")
        })?;
        let (mut old, mut cpu) = (false, false);
        for (_, it) in self.account.listings() {
            let mode = self.account.rules.mode(&it.address);
            old |= it.holdings.iter().any(|it| it.way != mode);
            cpu |= self.account.rules.policy(&it.address).needs_all();
        }
        let known = self.primary.is_changing() == old && self.primary.needs_cpu() == cpu;
        ensure(known, Check::C12Choice, || {
            format!("some hold a listener in the old way: {old}, or are to be timed: {cpu}")
        })
    }

    /// C5: the queue holds no more than its limit and what came back; nobody is refused without end.
    fn check_bounds(&self, view: &View<'_>, listing: &Listing) -> Checked {
        let limits = &self.plan.limits;
        let entry = |conn: &ConnId| self.account.entry(*conn);
        let returned = |conn: &&ConnId| entry(conn).is_some_and(|it| it.returned);
        let back = view.waiting.iter().filter(returned).count();
        let most = limits.held + back;
        ensure(view.waiting.len() <= most, Check::C5Bounds, || {
            format!("{} wait and {back} of them came back: {view:?}", view.waiting.len())
        })?;
        // One span may end where the next begins.
        let (now, every) = (self.clock.now(), limits.shed_every);
        let lately = listing.shed.iter().rev().take_while(|it| now.since(**it) < every).count();
        ensure(lately <= 2 * limits.shed as usize, Check::C5Bounds, || {
            format!("{lately} were shed in {every:?}: {view:?}")
        })?;
        let refused = view.waiting.iter().filter_map(entry).map(|it| it.refusals).max();
        ensure(refused.unwrap_or(0) <= limits.refusals, Check::C7Progress, || {
            format!("a connection was refused {refused:?} times and waits still")
        })
    }

    /// C6: a listener is polled exactly while there is room, or what finds none may be shed, unless it rests or all its holders accept for
    /// themselves.
    fn check_back_pressure(&self, view: &View<'_>, listing: &Listing) -> Checked {
        let polled = self.kernel.sockets.get(&view.listener).is_some_and(|it| it.polled);
        let full = view.waiting.len() >= self.plan.limits.held;
        let to_come = view.mode == Mode::Handover && listing.holders.is_empty();
        let ours = to_come || listing.handed() > 0;
        let right = polled == view.is_accepting
            && if view.is_resting {
                !polled
            } else {
                polled == (ours && (!full || view.is_shedding))
            }
            && (full || !view.is_shedding);
        ensure(right, Check::C6BackPressure, || {
            format!("polled: {polled}, full: {full}, ours: {ours}, {view:?}")
        })
    }

    /// C5: the deepest queue is known exactly.
    fn check_depth(&self, view: &View<'_>, listing: &Listing) -> Checked {
        ensure(view.deepest == listing.deepest, Check::C5Bounds, || {
            format!("{} have waited at once: {view:?}", listing.deepest)
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
}
