//! A connection's way: accepted, held, offered, and then taken, refused or judged.

use std::net::SocketAddr;

use super::conns::{Conn, Place};
use super::listener::{Accepting, Listener};
use super::machine::{Primary, Timer};
use super::worker::Offer;
use super::{Action, End, Proof};
use crate::scheduler::{Incoming, Pick, RoundRobin, Scheduler, WorkerView};
use crate::{CloseReason, ConnId, ListenerId, Seq, Time, WorkerId};

impl Primary {
    pub(super) fn accepted(
        &mut self,
        now: Time,
        id: ListenerId,
        conn: ConnId,
        peer: Option<SocketAddr>,
        out: &mut Vec<Action>,
    ) {
        self.ledger.accepted += 1;
        let Some(listener) = self.listeners.get_mut(&id) else {
            // The listener was closed between the accept and this call.
            self.ledger.close(CloseReason::ListenerClosed);
            let end = End::Closed(CloseReason::ListenerClosed);
            out.push(Action::Release { conn, end });
            return;
        };
        if listener.accepting == Accepting::On {
            listener.rest.reset();
        }
        self.ledger.held += 1;
        listener.queue.push_back(conn);
        let record = Conn { listener: id, peer, accepted_at: now, refusals: 0, place: Place::Held };
        self.conns.insert(conn, record);
        self.pump(now, id, out);
    }

    /// Offers what waits to whom the policy chooses, until nothing waits or nobody is free.
    pub(super) fn pump(&mut self, now: Time, id: ListenerId, out: &mut Vec<Action>) {
        let mut at = 0;
        while let Some(listener) = self.listeners.get_mut(&id) {
            let Some(conn) = listener.queue.get(at).copied() else {
                break;
            };
            if !listener.has_free_holder() {
                break;
            }
            let peer = self.conns.get(&conn).and_then(|it| it.peer);
            let incoming = Incoming { listener: id, peer };
            match self.pick(&incoming, id) {
                Pick::Worker(worker) => {
                    self.take_from_queue(id, at);
                    self.offer(worker, id, conn, out);
                }
                // It waits for a worker of its own; those behind it need not.
                Pick::Wait => at += 1,
                Pick::Refuse => {
                    self.take_from_queue(id, at);
                    self.close_held(conn, CloseReason::PolicyRefused, out);
                }
            }
        }
        self.watch_oldest(id);
        self.accept_if_room(id, out);
        debug_assert!(self.ledger.balances(), "a connection left the ledger at {now:?}");
    }

    /// The scheduler's choice, held against what is possible.
    fn pick(&mut self, incoming: &Incoming, id: ListenerId) -> Pick {
        let Some(listener) = self.listeners.get(&id) else {
            return Pick::Wait;
        };
        let views = &listener.holders;
        let choice = self.settings.scheduler.pick(incoming, views);
        let Pick::Worker(worker) = choice else {
            return choice;
        };
        match views.iter().find(|view| view.worker == worker) {
            Some(view) if view.is_free() => choice,
            Some(_) => Pick::Wait,
            None => {
                self.ledger.bad_picks += 1;
                RoundRobin.pick(incoming, views)
            }
        }
    }

    fn offer(&mut self, worker: WorkerId, id: ListenerId, conn: ConnId, out: &mut Vec<Action>) {
        let (Some(record), Some(listener), Some(it)) =
            (self.workers.get_mut(&worker), self.listeners.get_mut(&id), self.conns.get_mut(&conn))
        else {
            return;
        };
        let seq = record.take_seq();
        record.offers.insert(seq, Offer { conn, listener: id });
        listener.give(worker, self.settings.limits.deficit);
        it.place = Place::Offered(worker, seq);
        self.ledger.held -= 1;
        self.ledger.offered += 1;
        out.push(Action::Offer { worker, seq, conn, listener: id });
    }

    /// A worker took a connection or refused it.
    pub(super) fn answer(
        &mut self,
        now: Time,
        worker: WorkerId,
        ack: Seq,
        accepted: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(offer) = self.take_offer(worker, ack) else {
            self.ledger.stray_answers += 1;
            self.offence(worker, out);
            return;
        };
        let rest_until = (!accepted).then(|| now + self.settings.limits.refusal_rest);
        self.holder_answered(worker, offer.listener, rest_until);
        if accepted {
            self.conns.remove(&offer.conn);
            self.ledger.offered -= 1;
            self.ledger.taken += 1;
            out.push(Action::Release { conn: offer.conn, end: End::Taken(worker) });
            self.pump(now, offer.listener, out);
        } else {
            self.refused(now, offer.conn, out);
        }
    }

    /// The descriptor did not arrive, so the worker cannot have touched it: the same as a refusal.
    pub(super) fn not_received(
        &mut self,
        now: Time,
        worker: WorkerId,
        seq: Seq,
        out: &mut Vec<Action>,
    ) {
        self.answer(now, worker, seq, false, out);
    }

    fn refused(&mut self, now: Time, conn: ConnId, out: &mut Vec<Action>) {
        let Some(record) = self.conns.get_mut(&conn) else {
            return;
        };
        record.refusals += 1;
        let id = record.listener;
        if record.refusals > self.settings.limits.refusals {
            self.close_offered(conn, CloseReason::AllRefused, out);
            self.pump(now, id, out);
        } else {
            self.hold_again(now, conn, out);
        }
    }

    /// What is known of a connection whose worker is gone.
    pub(super) fn proof(&mut self, now: Time, conn: ConnId, proof: Proof, out: &mut Vec<Action>) {
        // Only of a connection that is offered to nobody who lives; anything else is a late answer.
        match self.conns.get(&conn).map(|it| it.place) {
            Some(Place::Offered(worker, _)) if !self.workers.contains_key(&worker) => {}
            Some(Place::Offered(..) | Place::Held) | None => return,
        }
        match proof {
            Proof::NeverSent | Proof::Untouched => self.hold_again(now, conn, out),
            Proof::Touched => self.close_offered(conn, CloseReason::Touched, out),
            Proof::PeerGone => self.close_offered(conn, CloseReason::PeerGone, out),
            Proof::Unprovable => self.close_offered(conn, CloseReason::Unprovable, out),
        }
    }

    /// Puts an offered connection back where its age places it: before all that came later.
    fn hold_again(&mut self, now: Time, conn: ConnId, out: &mut Vec<Action>) {
        let Some(record) = self.conns.get_mut(&conn) else {
            return;
        };
        let (id, age) = (record.listener, (record.accepted_at, conn));
        record.place = Place::Held;
        self.ledger.offered -= 1;
        self.ledger.held += 1;
        let Some(listener) = self.listeners.get_mut(&id) else {
            self.close_held(conn, CloseReason::ListenerClosed, out);
            return;
        };
        self.ledger.offered_again += 1;
        let conns = &self.conns;
        let older =
            |other: &ConnId| conns.get(other).is_some_and(|it| (it.accepted_at, *other) < age);
        let at = listener.queue.iter().take_while(|other| older(other)).count();
        listener.queue.insert(at, conn);
        self.pump(now, id, out);
    }

    pub(super) fn refusal_rest_over(&mut self, now: Time, id: ListenerId, out: &mut Vec<Action>) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        if let Some(next) = listener.wake(now) {
            self.timers.set(Timer::RefusalRest(id), next);
        }
        self.pump(now, id, out);
    }

    pub(super) fn held_too_long(&mut self, now: Time, id: ListenerId, out: &mut Vec<Action>) {
        let wait = self.settings.limits.held_for;
        while let Some(listener) = self.listeners.get_mut(&id) {
            let Some(conn) = listener.queue.front().copied() else {
                break;
            };
            if self.conns.get(&conn).is_none_or(|it| it.accepted_at + wait > now) {
                break;
            }
            listener.queue.pop_front();
            self.close_held(conn, CloseReason::HeldTooLong, out);
        }
        self.watch_oldest(id);
        self.accept_if_room(id, out);
    }

    pub(super) fn close_held(&mut self, conn: ConnId, reason: CloseReason, out: &mut Vec<Action>) {
        self.conns.remove(&conn);
        self.ledger.held -= 1;
        self.ledger.close(reason);
        out.push(Action::Release { conn, end: End::Closed(reason) });
    }

    pub(super) fn close_offered(
        &mut self,
        conn: ConnId,
        reason: CloseReason,
        out: &mut Vec<Action>,
    ) {
        self.conns.remove(&conn);
        self.ledger.offered -= 1;
        self.ledger.close(reason);
        out.push(Action::Release { conn, end: End::Closed(reason) });
    }

    fn take_offer(&mut self, worker: WorkerId, seq: Seq) -> Option<Offer> {
        self.workers.get_mut(&worker)?.offers.remove(&seq)
    }

    fn take_from_queue(&mut self, id: ListenerId, at: usize) {
        if let Some(listener) = self.listeners.get_mut(&id) {
            listener.queue.remove(at);
        }
    }

    fn holder_answered(&mut self, worker: WorkerId, id: ListenerId, rest: Option<Time>) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        listener.answered(worker, rest);
        if let Some(until) = listener.holders.iter().filter_map(rest_of).min() {
            self.timers.set(Timer::RefusalRest(id), until);
        }
    }

    /// The oldest waiting connection is the one whose time runs out first.
    fn watch_oldest(&mut self, id: ListenerId) {
        let oldest = self.listeners.get(&id).and_then(|it: &Listener| it.queue.front().copied());
        match oldest.and_then(|conn| self.conns.get(&conn)) {
            Some(conn) => {
                let until = conn.accepted_at + self.settings.limits.held_for;
                self.timers.set(Timer::Held(id), until);
            }
            None => {
                self.timers.cancel(Timer::Held(id));
            }
        }
    }
}

const fn rest_of(view: &WorkerView) -> Option<Time> {
    view.resting_until
}
