//! Connections: where each one is, and what may happen to it from there.

use std::net::SocketAddr;

use portcrew_core::primary::{End, Proof};
use portcrew_core::{CloseReason, ConnId, ListenerId, Seq, Time, WorkerId};

use super::{Account, Kernel, Plan};
use crate::sim::report::{Check, Checked, ensure};

/// One accepted connection.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// Where it came in.
    pub listener: ListenerId,
    /// When.
    pub accepted_at: Time,
    /// It has no address and no proof.
    pub unix: bool,
    /// Where it is.
    pub status: Status,
    /// How often it was refused or lost.
    pub refusals: u32,
    /// It was offered before.
    pub returned: bool,
    /// When it was offered last.
    pub offered_at: Time,
    /// The worker that it is offered to has written on it.
    pub served: bool,
    /// The other end.
    pub peer: Option<SocketAddr>,
    /// The address that it came to.
    pub local: Option<SocketAddr>,
    /// Who sent it, as far as is known.
    pub source: Option<SocketAddr>,
    /// Stands for what was found in its first bytes.
    pub key: Option<u64>,
    /// Its first bytes are waited for.
    pub awaited: bool,
}

/// What a worker says of an offer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Taken,
    /// It will say when it ends.
    TakenAndTold,
    Refused,
    /// The descriptor did not come.
    NotReceived,
}

/// Where a connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// In the queue.
    Held,
    /// With this worker, unanswered.
    Offered(WorkerId, Seq),
    /// A worker has it.
    Taken(WorkerId),
    /// Nobody has it.
    Closed(CloseReason),
}

impl Account {
    /// A connection that was accepted.
    #[must_use]
    pub fn entry(&self, conn: ConnId) -> Option<&Entry> {
        self.conns.get(&conn)
    }

    /// Every connection that was accepted.
    pub fn entries(&self) -> impl Iterator<Item = (ConnId, &Entry)> {
        self.conns.iter().map(|(conn, entry)| (*conn, entry))
    }

    /// Moves a connection, in the entry and in the tally.
    pub(super) fn place(&mut self, conn: ConnId, to: Status) {
        let Some(entry) = self.conns.get_mut(&conn) else {
            return;
        };
        let from = std::mem::replace(&mut entry.status, to);
        if let Some(listing) = self.listings.get_mut(&entry.listener) {
            listing.held += usize::from(to == Status::Held);
            listing.held -= usize::from(from == Status::Held);
        }
        if entry.awaited {
            self.settle(conn);
        }
        let places = [(from, -1), (to, 1)];
        for (status, by) in places {
            let count = match status {
                Status::Held => &mut self.tally.held,
                Status::Offered(..) => &mut self.tally.offered,
                Status::Taken(_) => &mut self.tally.taken,
                Status::Closed(reason) => &mut self.tally.closed[reason as usize],
            };
            *count = count.wrapping_add_signed(by);
        }
    }

    /// It ends in this very step.
    pub(super) fn end(&mut self, conn: ConnId, end: End) {
        self.place(
            conn,
            match end {
                End::Taken(worker) => Status::Taken(worker),
                End::Closed(reason) => Status::Closed(reason),
            },
        );
        self.due.push((conn, end));
    }

    /// It waits again, or ends with its listener.
    fn hold_again(&mut self, conn: ConnId, listener: ListenerId, plan: &Plan) {
        if self.is_listed(listener) {
            self.place(conn, Status::Held);
            self.make_room(listener, plan);
        } else {
            self.end(conn, End::Closed(CloseReason::ListenerClosed));
        }
    }

    pub(super) fn accepted(
        &mut self,
        now: Time,
        listener: ListenerId,
        conn: ConnId,
        (peer, local): (Option<SocketAddr>, Option<SocketAddr>),
        (plan, kernel): (&Plan, &Kernel),
    ) {
        let entry = Entry {
            listener,
            accepted_at: now,
            unix: kernel.conn(conn).unix,
            status: Status::Held,
            refusals: 0,
            returned: false,
            offered_at: now,
            served: false,
            peer,
            local,
            source: peer,
            key: None,
            awaited: false,
        };
        self.conns.insert(conn, entry);
        self.tally.accepted += 1;
        self.tally.held += 1;
        if let Some(listing) = self.listings.get_mut(&listener) {
            listing.held += 1;
            if plan.limits.shed > 0 && listing.held > plan.limits.held {
                listing.shed.push(now);
                return self.end(conn, End::Closed(CloseReason::Shed));
            }
            self.look_if_needed(listener, conn);
            self.make_room(listener, plan);
        } else {
            self.end(conn, End::Closed(CloseReason::ListenerClosed));
        }
    }

    /// So many were accepted and closed for which there was no descriptor.
    pub(super) fn shed(&mut self, now: Time, listener: ListenerId, count: u32) {
        self.tally.accepted += u64::from(count);
        self.tally.closed[CloseReason::Shed as usize] += u64::from(count);
        if let Some(listing) = self.listings.get_mut(&listener) {
            listing.shed.extend((0..count).map(|_| now));
        }
    }

    pub(super) fn answered(
        &mut self,
        now: Time,
        worker: WorkerId,
        seq: Seq,
        answer: Answer,
        plan: &Plan,
    ) {
        let Some(conn) = self.outstanding.remove(&(worker, seq)) else {
            self.tally.stray += 1;
            self.offence(worker);
            return;
        };
        let Some(entry) = self.conns.get_mut(&conn) else {
            return;
        };
        let listener = entry.listener;
        let refused = matches!(answer, Answer::Refused | Answer::NotReceived);
        if answer != Answer::NotReceived {
            self.tally.answers.came_after(now.since(entry.offered_at));
        }
        entry.refusals += u32::from(refused);
        let too_often = entry.refusals > plan.limits.refusals;
        self.count_answer(listener, (worker, seq), now, refused, &plan.limits);
        if !refused {
            self.opened(worker, seq, listener, answer == Answer::TakenAndTold);
            self.end(conn, End::Taken(worker));
        } else if too_often {
            self.end(conn, End::Closed(CloseReason::AllRefused));
        } else {
            self.hold_again(conn, listener, plan);
        }
    }

    /// A worker serves what it has not answered for.
    pub(super) fn served(&mut self, worker: WorkerId, seq: Seq) {
        let conn = self.outstanding.get(&(worker, seq)).copied();
        let Some(entry) = conn.and_then(|it| self.conns.get_mut(&it)) else {
            return;
        };
        entry.served = true;
        let it = self.listings.get_mut(&entry.listener);
        if let Some(it) = it.and_then(|it| it.holding_mut(worker)) {
            it.served(seq);
        }
    }

    pub(super) fn proven(&mut self, conn: ConnId, proof: Proof, plan: &Plan) {
        let Some(entry) = self.conns.get(&conn).copied() else {
            return;
        };
        // Judged once: a second proof is of a connection that is elsewhere.
        let Status::Offered(worker, seq) = entry.status else {
            return;
        };
        if self.outstanding.remove(&(worker, seq)).is_none() {
            return;
        }
        match proof {
            Proof::NeverSent | Proof::Untouched => {
                self.hold_again(conn, entry.listener, plan);
            }
            Proof::Touched => self.end(conn, End::Closed(CloseReason::Touched)),
            Proof::PeerGone => self.end(conn, End::Closed(CloseReason::PeerGone)),
            Proof::Unprovable => self.end(conn, End::Closed(CloseReason::Unprovable)),
        }
    }

    pub(super) fn offer(
        &mut self,
        now: Time,
        (worker, seq): (WorkerId, Seq),
        (conn, listener): (ConnId, ListenerId),
        plan: &Plan,
        kernel: &Kernel,
    ) -> Checked {
        self.may_have_looked_away(now, conn, plan);
        let status = self.conns.get(&conn).map(|it| it.status);
        ensure(status == Some(Status::Held), Check::C3Reoffer, || {
            format!("{conn} was offered to {worker} while it is {status:?}")
        })?;
        ensure(!kernel.conn(conn).is_touched(), Check::C3Reoffer, || {
            let by = kernel.conn(conn).touched_by;
            format!("{conn} was offered to {worker} after {by:?} touched it")
        })?;
        let holds = self.listings.get(&listener).is_some_and(|it| it.holders.contains(&worker));
        ensure(holds, Check::C5Bounds, || {
            format!("{conn} was offered to {worker}, which does not hold listener {listener}")
        })?;
        self.must_choose(now, conn, (worker, listener), plan)?;
        self.place(conn, Status::Offered(worker, seq));
        if let Some(entry) = self.conns.get_mut(&conn) {
            entry.returned = true;
            entry.offered_at = now;
            entry.served = false;
        }
        self.count_offer(listener, (worker, seq), now, &plan.limits);
        let before = self.outstanding.insert((worker, seq), conn);
        ensure(before.is_none(), Check::C3Reoffer, || {
            format!("{worker} was given the number {seq} twice")
        })
    }

    /// Offers of this worker that nobody will answer any more.
    pub(super) fn abandon(&mut self, worker: WorkerId) {
        let of = |it: &&(WorkerId, Seq)| it.0 == worker;
        let keys: Vec<_> = self.outstanding.keys().filter(of).copied().collect();
        for key in keys {
            if let Some(conn) = self.outstanding.remove(&key) {
                self.end(conn, End::Closed(CloseReason::Abandoned));
            }
        }
    }
}
