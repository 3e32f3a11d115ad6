//! What must hold after each letter, of the machine and the model beside each other.

use std::fmt::Write;

use portcrew_core::primary::{Place, Primary};
use portcrew_core::{CloseReason, ConnId};

use super::WORKERS;
use super::letter::worker;
use super::model::{At, Model};
use crate::sim::report::{Check, Checked, ensure};

impl Model {
    /// All that was due is done, and the machine believes what is.
    ///
    /// # Errors
    /// When it is not so.
    pub fn settled(&self, primary: &Primary) -> Checked {
        self.is_done()?;
        self.check_ledger(primary)?;
        self.check_places(primary)?;
        self.check_listener(primary)?;
        self.check_progress()
    }

    fn is_done(&self) -> Checked {
        for (conn, it) in self.conns.iter().enumerate() {
            let left = match it.at {
                At::Due(_) => Some(Check::C4Copy),
                At::ToJudge(..) => Some(Check::C3Reoffer),
                At::Held => self.is_overdue(it).then_some(Check::C7Progress),
                At::Offered(..) | At::Judged(_) | At::Gone => None,
            };
            if let Some(check) = left {
                return ensure(false, check, || format!("nothing becomes of {conn}: {it:?}"));
            }
        }
        ensure(!self.closing, Check::C9SocketLife, || "the socket is not closed".into())?;
        ensure(!self.has_orders(), Check::WorkerSide, || {
            format!("an order was not given: {:?}", self.sides)
        })
    }

    /// C1.
    fn check_ledger(&self, primary: &Primary) -> Checked {
        let (ledger, books) = (primary.ledger(), &self.books);
        let count = |is: fn(&At) -> bool| self.conns.iter().filter(|it| is(&it.at)).count() as u64;
        let agree = ledger.balances()
            && ledger.accepted == self.conns.len() as u64
            && ledger.held == count(|it| *it == At::Held)
            && ledger.offered == count(|it| matches!(it, At::Offered(..) | At::Judged(_)))
            && ledger.taken == books.taken
            && ledger.stray_answers == books.stray
            && ledger.accept_failures == books.failures
            && ledger.offered_again == books.again
            && ledger.bad_picks + ledger.scheduler_panics == 0
            && CloseReason::ALL
                .iter()
                .all(|it| ledger.closed_for(*it) == books.closed[*it as usize]);
        ensure(agree, Check::C1Account, || {
            format!("the ledger says {ledger:?}, and it is {:?} and {books:?}", self.conns)
        })
    }

    /// C1 and C4: the machine answers for what is open, and knows where it is.
    fn check_places(&self, primary: &Primary) -> Checked {
        let places = self.conns.iter().enumerate().filter_map(|(conn, it)| {
            let place = match it.at {
                At::Held => Place::Held,
                At::Offered(at, seq, _) | At::Judged((at, seq)) => Place::Offered(worker(at), seq),
                At::ToJudge(..) | At::Due(_) | At::Gone => return None,
            };
            Some((ConnId(conn as u64), place))
        });
        ensure(primary.connections().eq(places), Check::C1Account, || {
            let said: Vec<_> = primary.connections().collect();
            format!("{said:?} should be {:?}", self.conns)
        })
    }

    /// C5, C6 and C9: the listener is there while it is wanted, and accepted from while there is room.
    fn check_listener(&self, primary: &Primary) -> Checked {
        let view = primary.listeners().next();
        ensure(view.is_some() == self.open, Check::C9SocketLife, || {
            format!("{view:?} is there, and should be: {}", self.open)
        })?;
        let Some(view) = view else {
            return ensure(!self.polled, Check::C6BackPressure, || {
                "it is polled and closed".into()
            });
        };
        let held = self.conns.iter().enumerate().filter(|it| it.1.at == At::Held);
        let mut held: Vec<_> = held.map(|(conn, it)| (it.since, ConnId(conn as u64))).collect();
        held.sort();
        let in_order = view.waiting.iter().eq(held.iter().map(|it| &it.1));
        ensure(in_order, Check::C7Progress, || format!("{held:?} wait, and not {view:?}"))?;
        let right = if view.is_resting {
            self.may_rest() && !self.polled
        } else {
            self.polled == (held.len() < self.limits.held)
        };
        ensure(right && view.is_accepting == self.polled, Check::C6BackPressure, || {
            format!("polled: {}, {view:?}", self.polled)
        })
    }

    /// Whether a rest that followed the last failure may last still: it is spread by a fifth.
    fn may_rest(&self) -> bool {
        let longest = self.limits.accept_rest_cap.saturating_mul(6) / 5;
        self.failed_at.is_some_and(|at| self.now < at + longest)
    }

    /// C7: who waits and who is free never coexist.
    fn check_progress(&self) -> Checked {
        let waits = self.conns.iter().position(|it| it.at == At::Held);
        let free = (0..WORKERS).find(|at| self.is_free(*at));
        ensure(waits.is_none() || free.is_none(), Check::C7Progress, || {
            format!("{waits:?} waits while worker {:?} is free", free.map(worker))
        })
    }
}

impl Model {
    /// Appends all that can make a difference: what is over does not, nor does what was counted.
    pub(super) fn describe(&self, out: &mut String) {
        let Self { sides, conns, open, polled, failed_at, .. } = self;
        let rest = failed_at.filter(|_| self.may_rest());
        let _ = write!(out, "{} {open} {polled} {} {rest:?} ", conns.len(), failed_at.is_some());
        for (conn, it) in conns.iter().enumerate().filter(|it| it.1.at != At::Gone) {
            let _ = write!(out, "{:?} {} ", ConnId(conn as u64), it.refusals);
            let _ = match it.at {
                At::Offered(at, seq, since) => {
                    write!(out, "Offered {:?} {seq:?} since: {since:?}", worker(at))
                }
                // Which offer it was the machine keeps too, and nobody will ask.
                At::Judged(_) => write!(out, "Judged"),
                other => write!(out, "{other:?} {:?}", it.since),
            };
        }
        for (at, side) in sides.iter().enumerate() {
            let _ = write!(out, "{:?} ", worker(at));
            side.describe(self.now, out);
        }
    }
}
