//! A connection's way: accepted, held, offered, and then taken, refused or judged.

use std::net::SocketAddr;
use std::time::Duration;

use super::conns::{Conn, Place};
use super::listener::{Accepting, Listener};
use super::looking::Sight;
use super::machine::{Primary, Timer};
use super::worker::Offer;
use super::{Action, End, Notice, Proof, Scheduling};
use crate::scheduler::{Choice, Failure};
use crate::{CloseReason, ConnId, ListenerId, Seq, Time, WorkerId};

/// What a worker says of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// It has it.
    Taken,
    /// It has it, and will say when it ends.
    TakenAndTold,
    /// It does not want it.
    Refused,
    /// It never got it, and may not know of it: nobody has answered.
    NotReceived,
}

impl Primary {
    pub(super) fn accepted(
        &mut self,
        now: Time,
        id: ListenerId,
        conn: ConnId,
        (peer, local): (Option<SocketAddr>, Option<SocketAddr>),
        out: &mut Vec<Action>,
    ) {
        let record = Conn::accepted(now, (id, None), peer, local);
        self.hold(now, conn, record, out);
    }

    /// Takes a connection in that was accepted just now.
    pub(super) fn hold(&mut self, now: Time, conn: ConnId, record: Conn, out: &mut Vec<Action>) {
        self.ledger.accepted += 1;
        let id = record.listener;
        let Some(listener) = self.listeners.get_mut(&id) else {
            // The listener was closed between the accept and this call.
            self.ledger.close(CloseReason::ListenerClosed);
            let end = End::Closed(CloseReason::ListenerClosed);
            return self.release(conn, end, out);
        };
        listener.accepted += 1;
        match listener.accepting {
            Accepting::On => listener.rest.reset(),
            Accepting::Shedding => return self.shed_accepted(now, id, conn, out),
            // One that was on its way, or waited at a socket of its own.
            Accepting::Off | Accepting::Full | Accepting::Resting(_) => {}
        }
        self.ledger.held += 1;
        listener.queue.push_back(conn);
        self.conns.insert(conn, record);
        self.look(now, id, conn, out);
        self.make_room(id);
        self.pump(now, id, out);
    }

    /// Offers what waits to whom the policy chooses, until nothing waits or nobody is free.
    pub(super) fn pump(&mut self, now: Time, id: ListenerId, out: &mut Vec<Action>) {
        let (mut at, mut ask_again) = (0, None);
        while let Some(listener) = self.listeners.get_mut(&id) {
            let Some(conn) = listener.queue.get(at).copied() else {
                break;
            };
            if !listener.has_free_candidate(now, &self.limits) {
                break;
            }
            match self.choose(now, id, conn, out) {
                Choice::Give(worker) => {
                    self.take_from_queue(id, at);
                    self.offer(now, worker, conn, out);
                }
                // It waits for a worker of its own, or for its first bytes; those behind it need not.
                Choice::Wait(most) => {
                    ask_again = ask_again.into_iter().chain(most).min();
                    at += 1;
                }
                Choice::Refuse => {
                    self.take_from_queue(id, at);
                    self.close_held(conn, CloseReason::PolicyRefused, out);
                    self.summarise_later(now);
                }
            }
        }
        match ask_again {
            Some(wait) => {
                // A time-out that is due when it is set would keep the time-outs from ever being done.
                let wait = wait.max(self.limits.ask_again).max(Duration::from_nanos(1));
                self.timers.set(Timer::AskAgain(id), now + wait);
            }
            None => {
                self.timers.cancel(Timer::AskAgain(id));
            }
        }
        if let Some(listener) = self.listeners.get_mut(&id) {
            listener.note_depth();
        }
        self.watch_oldest(id);
        self.accept_if_room(now, id, out);
        debug_assert!(self.ledger.balances(), "a connection left the ledger at {now:?}");
    }

    /// The scheduler's choice, held against what is possible.
    fn choose(&mut self, now: Time, id: ListenerId, conn: ConnId, out: &mut Vec<Action>) -> Choice {
        let (Some(listener), Some(record)) = (self.listeners.get_mut(&id), self.conns.get(&conn))
        else {
            return Choice::Wait(None);
        };
        match record.sight {
            Sight::Awaited => return Choice::Wait(None),
            Sight::Settled => {}
        }
        let scheduler = self.rules.scheduler(listener.rule);
        let incoming = record.incoming(now);
        let (choice, failure) = match record.member {
            Some(member) => {
                scheduler.choose(&incoming, &listener.rescuers(member, now, &self.limits))
            }
            None => scheduler.choose(&incoming, listener.candidates()),
        };
        listener.counts.note(choice);
        if let Some((failure, first)) = failure {
            match failure {
                Failure::NoSuchWorker(_) => self.ledger.bad_picks += 1,
                Failure::Panicked(_) => self.ledger.scheduler_panics += 1,
            }
            let news = Scheduling::Failed { failure };
            out.extend(first.then_some(Action::Notify(Notice::Scheduling { listener: id, news })));
        }
        choice
    }

    fn offer(&mut self, now: Time, worker: WorkerId, conn: ConnId, out: &mut Vec<Action>) {
        let (Some(record), Some(it)) = (self.workers.get_mut(&worker), self.conns.get_mut(&conn))
        else {
            return;
        };
        let id = it.listener;
        let seq = record.take_seq();
        record
            .offers
            .insert(seq, Offer { conn, listener: id, at: now, served: false, asked: None });
        if let Some(listener) = self.listeners.get_mut(&id) {
            listener.give(worker, seq, now, self.limits.deficit);
        }
        it.place = Place::Offered(worker, seq);
        self.ledger.held -= 1;
        self.ledger.offered += 1;
        out.push(Action::Offer { worker, seq, conn, listener: id });
        self.summarise_later(now);
    }

    /// A worker took a connection or refused it.
    pub(super) fn answer(
        &mut self,
        now: Time,
        worker: WorkerId,
        ack: Seq,
        answer: Answer,
        out: &mut Vec<Action>,
    ) {
        let Some(offer) = self.take_offer(worker, ack) else {
            self.ledger.stray_answers += 1;
            self.offence(worker, out);
            return;
        };
        let refused = match answer {
            Answer::Taken | Answer::TakenAndTold => false,
            Answer::Refused | Answer::NotReceived => true,
        };
        if answer != Answer::NotReceived {
            self.answers.note(now.since(offer.at));
        }
        let rest_until = refused.then(|| now + self.limits.refusal_rest);
        self.holder_answered(now, worker, ack, offer.listener, rest_until);
        if refused {
            return self.refused(now, offer.conn, out);
        }
        let is_rescued = self.conns.remove(&offer.conn).is_some_and(|it| it.member.is_some());
        self.ledger.offered -= 1;
        self.ledger.taken += 1;
        self.opened(worker, offer.listener, (answer == Answer::TakenAndTold).then_some(ack), out);
        if let Some(listener) = self.listeners.get_mut(&offer.listener) {
            listener.taken += 1;
        }
        self.release(offer.conn, End::Taken(worker), out);
        self.pump(now, offer.listener, out);
        if is_rescued {
            self.rescue_on(now, offer.listener, worker, out);
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
        self.answer(now, worker, seq, Answer::NotReceived, out);
    }

    fn refused(&mut self, now: Time, conn: ConnId, out: &mut Vec<Action>) {
        let Some(record) = self.conns.get_mut(&conn) else {
            return;
        };
        record.refusals += 1;
        let id = record.listener;
        if record.refusals > self.limits.refusals {
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
        self.make_room(id);
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
        let wait = self.limits.held_for;
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
        self.accept_if_room(now, id, out);
    }

    pub(super) fn close_held(&mut self, conn: ConnId, reason: CloseReason, out: &mut Vec<Action>) {
        self.conns.remove(&conn);
        self.ledger.held -= 1;
        self.ledger.close(reason);
        self.release(conn, End::Closed(reason), out);
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
        self.release(conn, End::Closed(reason), out);
    }

    fn take_offer(&mut self, worker: WorkerId, seq: Seq) -> Option<Offer> {
        self.workers.get_mut(&worker)?.offers.remove(&seq)
    }

    fn take_from_queue(&mut self, id: ListenerId, at: usize) {
        if let Some(listener) = self.listeners.get_mut(&id) {
            listener.queue.remove(at);
        }
    }

    fn holder_answered(
        &mut self,
        now: Time,
        worker: WorkerId,
        seq: Seq,
        id: ListenerId,
        rest: Option<Time>,
    ) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        listener.answered(worker, seq, now, rest, &self.limits);
        if let Some(until) = listener.holders.iter().filter_map(|it| it.resting_until).min() {
            self.timers.set(Timer::RefusalRest(id), until);
        }
    }

    /// The oldest waiting connection is the one whose time runs out first.
    fn watch_oldest(&mut self, id: ListenerId) {
        let oldest = self.listeners.get(&id).and_then(|it: &Listener| it.queue.front().copied());
        match oldest.and_then(|conn| self.conns.get(&conn)) {
            Some(conn) => {
                let until = conn.accepted_at + self.limits.held_for;
                self.timers.set(Timer::Held(id), until);
            }
            None => {
                self.timers.cancel(Timer::Held(id));
            }
        }
    }
}
