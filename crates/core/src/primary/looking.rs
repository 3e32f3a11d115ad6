//! Connections whose first bytes are waited for, before a worker is chosen by them.

use std::net::SocketAddr;

use super::Action;
use super::conns::Conn;
use super::machine::{Primary, Timer};
use crate::{ConnId, ListenerId, Time};

/// Whether a connection's first bytes are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sight {
    /// They are waited for: no worker is chosen before.
    Awaited,
    /// They are known, or are not looked at, or did not come in time.
    Settled,
}

impl Primary {
    /// Has a connection's first bytes looked at where its policy wants that.
    pub(super) fn look(&mut self, now: Time, id: ListenerId, conn: ConnId, out: &mut Vec<Action>) {
        let Some(look) = self.listeners.get(&id).and_then(|it| it.look.clone()) else {
            return;
        };
        if let Some(record) = self.conns.get_mut(&conn) {
            record.sight = Sight::Awaited;
            self.timers.set_if_unset(Timer::Look(id), now + self.limits.look_for);
            out.push(Action::Look { conn, look });
        }
    }

    /// What was seen of a connection's first bytes.
    pub(super) fn looked(
        &mut self,
        now: Time,
        conn: ConnId,
        source: Option<SocketAddr>,
        (key, route): (Option<u64>, Option<u32>),
        out: &mut Vec<Action>,
    ) {
        let Some(record) = self.conns.get_mut(&conn) else {
            return;
        };
        match record.sight {
            Sight::Awaited => {}
            // It came too late: the connection may be with a worker by now.
            Sight::Settled => return,
        }
        record.sight = Sight::Settled;
        (record.key, record.route) = (key, route);
        record.source = source.or(record.peer);
        let id = record.listener;
        self.pump(now, id, out);
    }

    /// The first bytes of the oldest have not come in time.
    pub(super) fn looked_too_long(&mut self, now: Time, id: ListenerId, out: &mut Vec<Action>) {
        let wait = self.limits.look_for;
        let late = |it: &Conn| it.accepted_at + wait <= now;
        while let Some((conn, record)) = self.oldest_awaited(id) {
            if !late(&record) {
                self.timers.set(Timer::Look(id), record.accepted_at + wait);
                break;
            }
            self.give_up(conn);
        }
        self.pump(now, id, out);
    }

    /// With the last place in the queue the oldest is not waited for any longer: slow clients cannot keep the
    /// others out.
    pub(super) fn make_room(&mut self, id: ListenerId) {
        let full = |it: &super::listener::Listener| it.queue.len() >= self.limits.held;
        if self.listeners.get(&id).is_some_and(full) {
            if let Some((conn, _)) = self.oldest_awaited(id) {
                self.give_up(conn);
            }
        }
    }

    /// The policy has changed. Where it looks for something else, or for nothing, the address decides about what has
    /// come before: its first bytes are not waited for, and what was found in them is forgotten.
    pub(super) fn look_by_rule(&mut self, id: ListenerId) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        let look = self.rules.look(listener.rule);
        if listener.look.as_ref() == look {
            return;
        }
        listener.look = look.cloned();
        for conn in &listener.queue {
            if let Some(record) = self.conns.get_mut(conn) {
                record.sight = Sight::Settled;
                record.key = None;
                record.source = record.peer;
            }
        }
        self.timers.cancel(Timer::Look(id));
    }

    fn oldest_awaited(&self, id: ListenerId) -> Option<(ConnId, Conn)> {
        let queue = &self.listeners.get(&id)?.queue;
        let records = queue.iter().filter_map(|conn| Some((*conn, *self.conns.get(conn)?)));
        records.into_iter().find(|(_, record)| record.sight == Sight::Awaited)
    }

    fn give_up(&mut self, conn: ConnId) {
        if let Some(record) = self.conns.get_mut(&conn) {
            record.sight = Sight::Settled;
            self.ledger.looked_in_vain += 1;
        }
    }
}
