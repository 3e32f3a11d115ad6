//! First bytes: whose are waited for, until when, and what they said.

use std::net::SocketAddr;

use portcrew_core::scheduler::Look;
use portcrew_core::{ConnId, ListenerId, Time};

use super::{Account, Plan, Status};
use crate::sim::report::{Check, Checked, ensure};

impl Account {
    /// Those of a listener's connections whose first bytes are waited for, the oldest first.
    #[must_use]
    pub fn awaited(&self, listener: ListenerId) -> Vec<ConnId> {
        let of = |conn: &ConnId| self.conns.get(conn).is_some_and(|it| it.listener == listener);
        self.looking.iter().copied().filter(of).collect()
    }

    /// Connections that wait for a worker, the oldest first.
    #[must_use]
    pub fn held(&self, listener: ListenerId) -> Vec<ConnId> {
        let waits = self
            .conns
            .iter()
            .filter(|(_, it)| it.listener == listener && it.status == Status::Held);
        let mut ages: Vec<_> = waits.map(|(conn, it)| (it.accepted_at, *conn)).collect();
        ages.sort_unstable();
        ages.into_iter().map(|it| it.1).collect()
    }

    /// A connection has come: its first bytes are looked at where the policy wants that.
    pub(super) fn look_if_needed(&mut self, listener: ListenerId, conn: ConnId) {
        let look =
            self.listings.get(&listener).and_then(|it| self.rules.policy(&it.address).look());
        if let (Some(look), Some(it)) = (look, self.conns.get_mut(&conn)) {
            it.awaited = true;
            self.looking.insert(conn);
            self.due_looks.push((conn, look));
        }
    }

    /// A look is begun where it must be, and for what the policy wants.
    pub(super) fn looks(&mut self, conn: ConnId, look: &Look) -> Checked {
        let at = self.due_looks.iter().position(|it| it.0 == conn && it.1 == *look);
        if let Some(at) = at {
            self.due_looks.swap_remove(at);
        }
        ensure(at.is_some(), Check::C12Choice, || {
            format!("a look at {conn} for {look:?}, which nobody needs")
        })
    }

    /// The last place is taken: the oldest is not waited for any longer.
    pub(super) fn make_room(&mut self, listener: ListenerId, plan: &Plan) {
        let awaited = self.awaited(listener);
        if let Some(oldest) = awaited.first() {
            if self.held(listener).len() >= plan.limits.held {
                self.give_up(*oldest);
            }
        }
    }

    fn give_up(&mut self, conn: ConnId) {
        self.settle(conn);
        self.tally.in_vain += 1;
    }

    /// Its first bytes are not waited for any more.
    pub(super) fn settle(&mut self, conn: ConnId) {
        self.looking.remove(&conn);
        if let Some(it) = self.conns.get_mut(&conn) {
            it.awaited = false;
        }
    }

    /// First bytes that do not come in time are not waited for any longer.
    pub(super) fn look_away(&mut self, now: Time, plan: &Plan) {
        if self.is_late {
            return;
        }
        // What has waited too long altogether is closed in the same moment.
        let late = |conn: &ConnId| {
            let waited = self.conns.get(conn).map(|it| now.since(it.accepted_at));
            waited.is_some_and(|it| it >= plan.limits.look_for && it < plan.limits.held_for)
        };
        let late: Vec<_> = self.looking.iter().copied().filter(late).collect();
        late.into_iter().for_each(|conn| self.give_up(conn));
    }

    /// The primary was late for this one, and goes through what it is late for in an order that only it knows: it may
    /// have looked away before. Said when something is done with it.
    pub(super) fn may_have_looked_away(&mut self, now: Time, conn: ConnId, plan: &Plan) {
        let accepted = self.conns.get(&conn).filter(|it| it.awaited).map(|it| it.accepted_at);
        if self.is_late && accepted.is_some_and(|at| now.since(at) >= plan.limits.look_for) {
            self.settle(conn);
        }
    }

    /// The primary is late from here on: it stood still.
    pub fn falls_asleep(&mut self) {
        self.is_late = true;
        self.unclear = self.looking.len() as u64;
    }

    /// It has done all that it was late for. Which of those that it waited for it gave up before it did something else
    /// with them is unclear.
    ///
    /// # Errors
    /// When it has counted others.
    pub fn is_awake(&mut self, now: Time, in_vain: u64, plan: &Plan) -> Checked {
        self.is_late = false;
        self.look_away(now, plan);
        let (least, unclear) = (self.tally.in_vain, std::mem::take(&mut self.unclear));
        self.tally.in_vain = in_vain;
        ensure((least..=least + unclear).contains(&in_vain), Check::C1Account, || {
            format!("looked {in_vain} times in vain; {least} are sure, {unclear} are not")
        })
    }

    /// What was seen. Of no matter when nobody waits for it any more.
    pub(super) fn looked(&mut self, conn: ConnId, source: Option<SocketAddr>, key: Option<u64>) {
        if !self.looking.contains(&conn) {
            return;
        }
        self.settle(conn);
        if let Some(it) = self.conns.get_mut(&conn) {
            it.key = key;
            it.source = source.or(it.peer);
        }
    }

    /// The policy looks for something else, or for nothing: what waits has its address alone.
    pub(super) fn look_anew(&mut self, listener: ListenerId) {
        for conn in self.held(listener) {
            self.settle(conn);
            if let Some(it) = self.conns.get_mut(&conn) {
                (it.key, it.source) = (None, it.peer);
            }
        }
    }
}
