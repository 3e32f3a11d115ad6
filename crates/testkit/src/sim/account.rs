//! The reference model: what the primary must believe, worked out from the events alone.
//!
//! It is told each event before the machine sees it and each action after the machine made it. It knows
//! nothing of how the machine works, only the rules: so a wrong decision shows in the step that made it.

mod conns;
mod crew;
mod listing;

use std::collections::BTreeMap;

use portcrew_core::primary::{Action, End, Event, Notice};
use portcrew_core::scheduler::Incoming;
use portcrew_core::{
    CloseReason, ConnId, FromWorker, ListenerId, Reply, Seq, Time, ToWorker, WorkerId,
};

pub use conns::{Entry, Status};
pub use crew::Member;
pub use listing::Listing;

use super::kernel::Kernel;
use super::plan::Plan;
use super::report::{Check, Checked, ensure};

/// What the primary must believe.
#[derive(Debug, Default)]
pub struct Account {
    pub(super) conns: BTreeMap<ConnId, Entry>,
    /// Every offer that was not answered.
    pub outstanding: BTreeMap<(WorkerId, Seq), ConnId>,
    pub(super) crew: BTreeMap<WorkerId, Member>,
    pub(super) listings: BTreeMap<ListenerId, Listing>,
    /// Questions without a reply yet.
    pub asked: Vec<(WorkerId, Seq)>,
    asker: Option<listing::Asker>,
    /// How many connections are in each place.
    pub tally: Tally,
    due: Vec<(ConnId, End)>,
    must_close: Vec<ListenerId>,
    /// Who has just announced a listener that it did not get from the primary.
    self_bound: Option<WorkerId>,
}

/// The ledger, kept a second time.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    /// Accepted.
    pub accepted: u64,
    /// Held now.
    pub held: u64,
    /// Offered now.
    pub offered: u64,
    /// Taken.
    pub taken: u64,
    /// Closed, by reason.
    pub closed: [u64; CloseReason::ALL.len()],
    /// Answers to no offer.
    pub stray: u64,
    /// Failed accepts.
    pub accept_failures: u64,
}

impl Account {
    /// Takes in an event that the machine is about to see.
    pub fn event(&mut self, now: Time, event: &Event, plan: &Plan, kernel: &Kernel) {
        match event {
            Event::Forked { worker, .. } => {
                self.crew.insert(*worker, Member::default());
            }
            Event::Message { worker, message } => self.message(*worker, message, plan),
            Event::NotReceived { worker, seq } => self.answered(*worker, *seq, false, plan),
            Event::Offence { worker } => self.offence(*worker),
            Event::Drained { worker } => self.drained(now, *worker),
            Event::Exited { worker, .. } => self.exited(now, *worker),
            Event::Bound { listener, outcome } => self.bound(*listener, outcome.is_ok()),
            Event::Accepted { listener, conn, .. } => {
                let unix = kernel.conn(*conn).unix;
                self.accepted(now, *listener, *conn, unix);
            }
            Event::AcceptFailed { .. } => self.tally.accept_failures += 1,
            Event::Proof { conn, proof } => self.proven(*conn, *proof),
            Event::Disconnect { worker } => self.told_to_leave(*worker),
            Event::CloseListener { listener } => self.close(*listener),
            Event::TakenAndTold { worker, seq } => self.answered(*worker, *seq, true, plan),
            Event::Looked { .. }
            | Event::Found { .. }
            | Event::EndTold { .. }
            | Event::Counting { .. }
            | Event::Ended { .. }
            | Event::Cpu { .. } => {}
        }
    }

    fn message(&mut self, worker: WorkerId, message: &FromWorker, plan: &Plan) {
        match message {
            FromWorker::Online { lane } => self.online(worker, *lane),
            FromWorker::Query { seq, query } => self.query(worker, *seq, query, plan),
            FromWorker::Listening { query, .. } => {
                self.announced(worker, query);
                self.listens(worker, query);
            }
            FromWorker::Close { key } => self.closed_by_worker(worker, key),
            FromWorker::ExitedAfterDisconnect { .. } => self.farewell(worker),
            FromWorker::Answer { ack, accepted } => self.answered(worker, *ack, *accepted, plan),
        }
    }

    /// Holds an action against what may be done now.
    ///
    /// # Errors
    /// When it may not.
    pub fn action(&mut self, now: Time, action: &Action, plan: &Plan, kernel: &Kernel) -> Checked {
        match action {
            Action::Send {
                worker,
                message: ToWorker::Reply { ack, listener, data, reply, .. },
                ..
            } => {
                self.asked.retain(|it| it != &(*worker, *ack));
                match reply {
                    Reply::Handover { .. } | Reply::Shared => self.given(*listener, data.as_ref()),
                    // There is no listener to share it by.
                    Reply::Failed(_) => Ok(()),
                }
            }
            Action::Send { .. }
            | Action::Accept { .. }
            | Action::CloseChannel { .. }
            | Action::Look { .. }
            | Action::Count { .. } => Ok(()),
            Action::Offer { worker, seq, conn, listener } => {
                self.offer(*worker, *seq, *conn, *listener, kernel)
            }
            Action::Prove { conn, worker, seq } => {
                self.may_prove(now, *conn, (*worker, *seq), plan)
            }
            Action::Release { conn, end } => self.release(now, *conn, *end, plan),
            Action::Bind { listener, query, mode } => {
                self.bind(*listener, query, *mode);
                Ok(())
            }
            Action::CloseListener { listener } => self.closing(*listener),
            Action::Notify(notice) => self.notice(notice),
        }
    }

    /// What the last event made necessary was done.
    ///
    /// # Errors
    /// When it was not.
    pub fn settled(&self) -> Checked {
        ensure(self.due.is_empty(), Check::C4Copy, || {
            format!("these were to be released now: {:?}", self.due)
        })?;
        ensure(self.must_close.is_empty(), Check::C9SocketLife, || {
            format!("nobody wants {:?} any more, yet they are open", self.must_close)
        })?;
        ensure(self.self_bound.is_none(), Check::WorkerSide, || {
            format!("nobody was told that {:?} has a listener of its own", self.self_bound)
        })
    }

    fn release(&mut self, now: Time, conn: ConnId, end: End, plan: &Plan) -> Checked {
        if let Some(at) = self.due.iter().position(|it| *it == (conn, end)) {
            self.due.swap_remove(at);
            return Ok(());
        }
        let Some(entry) = self.conns.get(&conn).copied() else {
            return ensure(false, Check::C4Copy, || format!("{conn} was never accepted"));
        };
        let held = entry.status == Status::Held;
        let reason = match end {
            End::Closed(reason @ CloseReason::HeldTooLong)
                if held && now.since(entry.accepted_at) >= plan.limits.held_for =>
            {
                reason
            }
            End::Closed(reason @ CloseReason::PolicyRefused)
                if held
                    && plan.policy.refuses(&incoming(conn, entry.listener, entry.unix), &[]) =>
            {
                reason
            }
            End::Closed(_) | End::Taken(_) => {
                return ensure(false, Check::C4Copy, || {
                    format!("{conn} is {:?} and was released as {end:?}", entry.status)
                });
            }
        };
        self.place(conn, Status::Closed(reason));
        Ok(())
    }

    fn notice(&mut self, notice: &Notice) -> Checked {
        let (worker, disconnected) = match notice {
            Notice::SelfBound { worker, .. } => {
                let expected = self.self_bound.take();
                return ensure(expected == Some(*worker), Check::WorkerSide, || {
                    format!("{notice:?}, but it got that listener from the primary")
                });
            }
            Notice::Disconnected { worker, .. } => (worker, true),
            Notice::Exited { worker, .. } => (worker, false),
            _ => return Ok(()),
        };
        let once = self.crew.get_mut(worker).is_some_and(|it| {
            let said = if disconnected { &mut it.said_disconnected } else { &mut it.said_exited };
            !std::mem::replace(said, true)
        });
        ensure(once, Check::WorkerSide, || format!("said twice: {notice:?}"))
    }
}

/// The connection as the policy sees it.
#[must_use]
pub fn incoming(conn: ConnId, listener: ListenerId, unix: bool) -> Incoming {
    let port = u16::try_from(conn.0 % 60_000).unwrap_or(0);
    let peer = (!unix).then(|| std::net::SocketAddr::from(([127, 0, 0, 1], port)));
    Incoming::new(listener).from(peer)
}
