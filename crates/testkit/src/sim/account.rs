//! The reference model: what the primary must believe, worked out from the events alone.
//!
//! It is told each event before the machine sees it and each action after the machine made it. It knows
//! nothing of how the machine works, only the rules: so a wrong decision shows in the step that made it.

mod answers;
mod choice;
mod conns;
mod crew;
mod holding;
mod listing;
mod live;
mod looking;
mod news;
mod rules;

use std::collections::{BTreeMap, BTreeSet};

use portcrew_core::primary::{Action, End, Event, ListenerName, Mode, Notice};
use portcrew_core::scheduler::Look;
use portcrew_core::supervise::Generation;
use portcrew_core::{
    CloseReason, ConnId, FromWorker, ListenerId, Reply, Seq, Time, ToWorker, WorkerId,
};

use self::conns::Answer;
pub use answers::Answers;
pub use choice::Choice;
pub use conns::{Entry, Status};
pub use crew::Member;
pub use holding::Holding;
pub use listing::Listing;
pub use live::Counting;
pub use rules::{RuleTable, Ruled};

use super::kernel::Kernel;
use super::plan::Plan;
use super::report::{Check, Checked, Coverage, ensure};

/// What the primary must believe.
#[derive(Debug, Default)]
pub struct Account {
    pub(super) conns: BTreeMap<ConnId, Entry>,
    /// Every offer that was not answered.
    pub outstanding: BTreeMap<(WorkerId, Seq), ConnId>,
    pub(super) crew: BTreeMap<WorkerId, Member>,
    pub(super) listings: BTreeMap<ListenerId, Listing>,
    /// Who accepts and who is chosen.
    pub rules: RuleTable,
    /// Connections whose first bytes are waited for.
    looking: BTreeSet<ConnId>,
    /// Questions without a reply yet.
    pub asked: Vec<(WorkerId, Seq)>,
    asker: Option<listing::Asker>,
    /// How many connections are in each place.
    pub tally: Tally,
    /// Situations that only the account can tell.
    pub met: Coverage,
    due: Vec<(ConnId, End)>,
    due_looks: Vec<(ConnId, Look)>,
    due_counts: Vec<(ListenerId, bool)>,
    must_close: Vec<ListenerId>,
    /// The generation of the last committed reload.
    renewed: Option<Generation>,
    /// The primary stood still, and does what it is late for.
    is_late: bool,
    /// First bytes of which it is unclear whether they were waited for in vain.
    unclear: u64,
    /// Of whom it was told that so many died inside, and how many were counted.
    pub miscounted: Option<(WorkerId, u32, Option<u32>)>,
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
    /// Workers named that were not there.
    pub bad_picks: u64,
    /// Schedulers that panicked.
    pub panics: u64,
    /// First bytes that were waited for in vain.
    pub in_vain: u64,
    /// How long the answers of workers took.
    pub answers: Answers,
}

impl Account {
    /// Takes in an event that the machine is about to see.
    pub fn event(&mut self, now: Time, event: &Event, plan: &Plan, kernel: &Kernel) {
        self.note_depths();
        match event {
            Event::Forked { worker, origin } => {
                self.crew.insert(*worker, Member::new(*origin));
            }
            Event::Message { worker, message } => self.message(now, *worker, message, plan),
            Event::NotReceived { worker, seq } => {
                self.answered(now, *worker, *seq, Answer::NotReceived, plan);
            }
            Event::TakenAndTold { worker, seq } => {
                self.answered(now, *worker, *seq, Answer::TakenAndTold, plan);
            }
            Event::Served { worker, seq } => self.served(*worker, *seq),
            Event::EndTold { worker, seq } => self.end_told(*worker, *seq),
            Event::AcceptsAlone { worker } => self.accepts_alone(*worker),
            // Not drawn: it decides about questions alone, one by one, and no state follows from it.
            Event::Confined { .. } => {}
            // Not drawn: the models speak, and of workers that say nothing no connection is in the account.
            Event::Open { .. }
            | Event::Seats { .. }
            | Event::Inherits { .. }
            | Event::Serves { .. } => {}
            Event::Offence { worker } => self.offence(*worker),
            Event::Drained { worker } => self.drained(now, *worker),
            Event::Exited { worker, .. } => self.exited(now, *worker),
            Event::Bound { listener, outcome } => self.bound(*listener, outcome.is_ok(), kernel),
            Event::Accepted { listener, conn, peer, local } => {
                self.accepted(now, *listener, *conn, (*peer, *local), (plan, kernel));
            }
            Event::Looked { conn, source, key, route: _ } => self.looked(*conn, *source, *key),
            Event::Counting { listener, by } => self.counting(*listener, *by),
            // Not drawn: each listener is one socket here.
            Event::MemberBound { .. }
            | Event::Stirred { .. }
            | Event::Surveyed { .. }
            | Event::Rescued { .. } => {}
            // Not drawn: no model looks into the tables of processes, or at processes that end.
            Event::Found { .. } | Event::EndedByDeath { .. } => {}
            Event::Ended { worker, dying: _ } => self.conn_ended(*worker),
            Event::Cpu { worker, share } => self.busy(*worker, *share),
            Event::AcceptFailed { .. } => self.tally.accept_failures += 1,
            Event::Shed { listener, count } => self.shed(now, *listener, *count),
            Event::Proof { conn, proof } => self.proven(*conn, *proof, plan),
            Event::Disconnect { worker } | Event::Unlist { worker } => self.told_to_leave(*worker),
            Event::GivenUp { worker } => self.given_up(*worker),
            Event::CloseListener { listener } => self.close(*listener),
            Event::Renewed { generation } => self.renewed(*generation),
        }
    }

    fn message(&mut self, now: Time, worker: WorkerId, message: &FromWorker, plan: &Plan) {
        match message {
            FromWorker::Online { lane } => self.online(worker, *lane),
            FromWorker::Query { seq, query } => self.query(worker, *seq, query, plan),
            FromWorker::Listening { query, .. } => {
                self.announced(worker, query);
                self.listens(worker, query);
            }
            FromWorker::Close { key } => self.closed_by_worker(worker, key),
            FromWorker::ExitedAfterDisconnect { .. } => self.farewell(worker),
            FromWorker::Answer { ack, accepted } => {
                let answer = if *accepted { Answer::Taken } else { Answer::Refused };
                self.answered(now, worker, *ack, answer, plan);
            }
        }
    }

    /// A rule is set, or taken away. That before.
    pub fn rule_set(
        &mut self,
        name: Option<ListenerName>,
        rule: Option<Ruled>,
        kernel: &Kernel,
    ) -> Option<Ruled> {
        let look = |rules: &RuleTable, it: &Listing| rules.policy(&it.address).look();
        let seen: Vec<_> =
            self.listings.iter().map(|(id, it)| (*id, look(&self.rules, it))).collect();
        let before = self.rules.set(name, rule);
        for (id, looked_for) in seen {
            if self.listings.get(&id).is_some_and(|it| look(&self.rules, it) != looked_for) {
                self.look_anew(id);
            }
            self.count_if_needed(id, kernel);
        }
        self.forget_busy();
        before
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
                let way = match reply {
                    Reply::Handover { .. } => Mode::Handover,
                    Reply::Shared => Mode::Shared,
                    // There is no listener to share it by.
                    Reply::Failed(_) => return Ok(()),
                };
                self.given(*listener, data.as_ref())?;
                self.admitted(*listener, *worker, way, plan, kernel)
            }
            Action::Send { .. } | Action::Accept { .. } | Action::CloseChannel { .. } => Ok(()),
            Action::Shed { most, .. } => {
                let shed = plan.limits.shed;
                ensure((1..=shed).contains(most), Check::C5Bounds, || {
                    format!("{most} are to be shed, and {shed} at most may be")
                })
            }
            Action::Look { conn, look } => self.looks(*conn, look),
            Action::Count { listener, on } => self.counts(*listener, *on),
            Action::Offer { worker, seq, conn, listener } => {
                self.offer(now, (*worker, *seq), (*conn, *listener), plan, kernel)
            }
            Action::Prove { conn, worker, seq } => {
                self.may_prove(now, *conn, (*worker, *seq), plan)
            }
            Action::Release { conn, end } => self.release(now, *conn, *end, plan),
            Action::Bind { listener, query, mode } => self.bind(*listener, query, *mode),
            Action::CloseListener { listener } => self.closing(*listener),
            // The kernel spreads connections in a world of its own.
            Action::BindMember { .. }
            | Action::CloseMember { .. }
            | Action::Steer { .. }
            | Action::Watch { .. }
            | Action::Survey { .. }
            | Action::Rescue { .. } => ensure(false, Check::C9SocketLife, || {
                format!("nothing asks for {action:?}: each listener is one socket here")
            }),
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
        ensure(self.due_looks.is_empty(), Check::C12Choice, || {
            format!("nobody looks at these: {:?}", self.due_looks)
        })?;
        ensure(self.due_counts.is_empty(), Check::C11Live, || {
            format!("to be counted or not any more: {:?}", self.due_counts)
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
        self.may_have_looked_away(now, conn, plan);
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
                    && self.choice(&entry, now.since(entry.accepted_at), now, plan)
                        == Choice::Refuse =>
            {
                self.count_refusal(entry.listener);
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
            Notice::Scheduling { listener, news } => return self.scheduling(*listener, news),
            Notice::DiedInside { worker, open: Some(open), .. } => {
                let live = self.crew.get(worker).map(|it| it.live);
                if live != Some(*open) {
                    self.miscounted = Some((*worker, *open, live));
                }
                return Ok(());
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
