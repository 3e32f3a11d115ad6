//! How a worker comes, speaks and goes, as the primary sees it.

use super::machine::{Primary, Timer};
use super::worker::{Life, Origin, Stage, Worker};
use super::{Action, Exit, Notice};
use crate::{ListenerId, Query, Seq, Time, ToWorker, WorkerId};

impl Primary {
    pub(super) fn forked(&mut self, worker: WorkerId, origin: Origin, out: &mut Vec<Action>) {
        self.workers.insert(worker, Worker::forked(origin));
        out.push(Action::Notify(Notice::Forked { worker }));
    }

    pub(super) fn online(&mut self, worker: WorkerId, lane: bool, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        // Said twice: Node's workers never do, and a second word changes nothing.
        if record.advance(Stage::Online) {
            record.lane = lane;
            out.push(Action::Notify(Notice::Online { worker }));
        }
    }

    pub(super) fn accepts_alone(&mut self, worker: WorkerId) {
        if let Some(record) = self.workers.get_mut(&worker) {
            record.accepts_alone = true;
        }
    }

    pub(super) fn listening(
        &mut self,
        now: Time,
        worker: WorkerId,
        query: Query,
        port: u16,
        out: &mut Vec<Action>,
    ) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        if !record.is_connected() {
            return;
        }
        let first = record.advance(Stage::Listening);
        let is_udp = query.address.is_udp();
        let self_bound = self.is_self_bound(worker, &query, port).then(|| Notice::SelfBound {
            worker,
            query: query.clone(),
            port,
        });
        let (key, announced) = (query.key(), self.announced(worker, &query, port));
        out.push(Action::Notify(Notice::Listening { worker, query, port, first }));
        if self_bound.is_some() && !is_udp {
            if let Some(record) = self.workers.get_mut(&worker) {
                record.accepts_itself = true;
            }
        }
        out.extend(self_bound.map(Action::Notify));
        self.refuse_seconds(worker, &key, out);
        if let Some(listener) = announced {
            self.shows_listening(now, worker, listener, out);
        }
    }

    /// A policy may have waited for a worker that listens.
    pub(super) fn shows_listening(
        &mut self,
        now: Time,
        worker: WorkerId,
        id: ListenerId,
        out: &mut Vec<Action>,
    ) {
        if let Some(view) = self.listeners.get_mut(&id).and_then(|it| it.holder(worker)) {
            view.listening = true;
            self.pump(now, id, out);
            self.steer(now, id, out);
        }
    }

    /// The user wants the worker to leave: no new connection, no new listener, and it is told.
    pub(super) fn disconnect(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        // Told already, or beyond telling.
        if !record.may_listen() {
            return;
        }
        record.planned = true;
        record.goes_at_once = record.listeners == 0;
        record.advance(Stage::Leaving);
        let seq = record.take_seq();
        out.push(Action::Send { worker, seq, message: ToWorker::Disconnect });
        self.unlist(now, worker, Departure::Explicit, out);
    }

    /// The worker is told to leave by somebody else.
    pub(super) fn unlisted(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        if !record.may_listen() {
            return;
        }
        record.planned = true;
        record.advance(Stage::Leaving);
        self.unlist(now, worker, Departure::Explicit, out);
    }

    /// The worker is made to end, and may be slow to: what it was given from now on would wait for that.
    pub(super) fn given_up(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        // It was told to leave before, or has ended.
        if !record.may_listen() {
            return;
        }
        record.advance(Stage::Leaving);
        self.unlist(now, worker, Departure::Death, out);
    }

    /// The worker says that the end which comes is its own will. Its listeners it closes itself.
    pub(super) fn farewell(
        &mut self,
        now: Time,
        worker: WorkerId,
        ack: Seq,
        out: &mut Vec<Action>,
    ) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        // The farewell has crossed the order to leave, which ends this channel anyhow. A Node worker that reads an
        // answer behind that order, in the same turn, closes its channel a second time and dies of the error.
        if !record.is_connected() || record.goes_at_once {
            return;
        }
        record.planned = true;
        record.advance(Stage::Leaving);
        let seq = record.take_seq();
        out.push(Action::Send { worker, seq, message: ToWorker::FarewellHeard { ack } });
        self.unlist(now, worker, Departure::Explicit, out);
    }

    pub(super) fn offence(&mut self, worker: WorkerId, out: &mut Vec<Action>) {
        let limit = self.limits.offences;
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        record.offences = record.offences.saturating_add(1);
        // Exactly once: the channel that is being closed may still bring more of the same.
        if record.offences == limit.saturating_add(1) {
            let offences = record.offences;
            out.push(Action::Notify(Notice::Misbehaved { worker, offences }));
            out.push(Action::CloseChannel { worker });
        }
    }

    /// Channel and lane are at their end, or have been given up after the process was reaped.
    pub(super) fn drained(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        let abandoned_at = now + self.limits.abandoned_after;
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        let planned = record.planned;
        match record.life {
            Life::Connected(_) => {
                record.life = Life::Disconnected;
                if !record.offers.is_empty() {
                    self.timers.set(Timer::Abandoned(worker), abandoned_at);
                }
                out.push(Action::Notify(Notice::Disconnected { worker, planned }));
                self.unlist(now, worker, Departure::Death, out);
            }
            Life::Exited(status) => {
                self.timers.cancel(Timer::ExitDrain(worker));
                out.push(Action::CloseChannel { worker });
                out.push(Action::Notify(Notice::Disconnected { worker, planned }));
                self.gone(worker, status, out);
            }
            // A channel has one end.
            Life::Disconnected => {}
        }
    }

    /// The process was reaped. Offers are judged only when its sockets are drained too: an answer that
    /// it sent before its death is still in them.
    pub(super) fn exited(
        &mut self,
        now: Time,
        worker: WorkerId,
        status: Exit,
        out: &mut Vec<Action>,
    ) {
        let drain_until = now + self.limits.exit_drain;
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        let planned = record.planned;
        match record.life {
            Life::Connected(_) => {
                record.life = Life::Exited(status);
                self.timers.set(Timer::ExitDrain(worker), drain_until);
                out.push(Action::Notify(Notice::Exited { worker, status, planned }));
                self.unlist(now, worker, Departure::Death, out);
            }
            Life::Disconnected => {
                self.timers.cancel(Timer::Abandoned(worker));
                out.push(Action::Notify(Notice::Exited { worker, status, planned }));
                self.gone(worker, status, out);
            }
            // A process is reaped once.
            Life::Exited(_) => {}
        }
    }

    /// It closed its channel and lives on: whatever it did not answer it never will, and offering it
    /// again while the process lives could have two workers answer one client.
    pub(super) fn abandoned(&mut self, worker: WorkerId, out: &mut Vec<Action>) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        for offer in std::mem::take(&mut record.offers).into_values() {
            self.close_offered(offer.conn, crate::CloseReason::Abandoned, out);
        }
    }

    /// Both ends are over. What it left unanswered is judged connection by connection.
    fn gone(&mut self, worker: WorkerId, status: Exit, out: &mut Vec<Action>) {
        let Some(record) = self.workers.remove(&worker) else {
            return;
        };
        // With its sockets. That is rare, so it need not be counted how many they are.
        self.freed = self.freed.saturating_add(self.limits.accept_low_mark);
        self.count_inside(worker, &record, status, out);
        for (seq, offer) in record.offers {
            out.push(Action::Prove { conn: offer.conn, worker, seq });
        }
    }
}

/// Why a worker leaves its listeners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    /// It closed them, or was told to leave: the last one frees the address (Node's rule).
    Explicit,
    /// It died, or is made to: the address stays, for its successor.
    Death,
}
