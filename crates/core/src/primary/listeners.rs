//! How a listener comes, is shared, rests and goes.

use super::listener::{Listener, State};
use super::machine::{Primary, Timer};
use super::owed::Owed;
use super::worker::Origin;
use super::workers::Departure;
use super::{Action, BoundTo, ListenerName, Mode, Notice};
use crate::scheduler::WorkerView;
use crate::{
    CloseReason, Errno, Key, ListenerId, MemberId, Query, Reply, Seq, Time, ToWorker, WorkerId,
};

impl Primary {
    /// Node's `queryServer`: the first who asks for a key has it bound, the others share it.
    pub(super) fn query(
        &mut self,
        now: Time,
        worker: WorkerId,
        seq: Seq,
        query: Query,
        out: &mut Vec<Action>,
    ) {
        let Some(record) = self.workers.get(&worker) else {
            return;
        };
        // A worker that is leaving gets no answer, as in Node: its `listen` never completes.
        if !record.may_listen() {
            return;
        }
        let key = query.key();
        let known = self.by_key.get(&key).copied();
        let limits = &self.limits;
        // Not kept, and not sent back either.
        let is_too_large = query.data.as_ref().is_some_and(|it| it.len() > limits.data);
        let query = if is_too_large { Query { data: None, ..query } } else { query };
        // Also of one that others have: it would share what it may not have.
        let lacks = record.confined.then(|| self.confinement.lacks(&query.address)).flatten();
        if lacks.is_some() {
            // The number of none, so that the secrets of one that is there do not come with the answer.
            let id = ListenerId(self.next_listener);
            return self.refuse_for(worker, seq, id, query, (Errno::ACCESS, lacks), out);
        }
        if is_too_large {
            let id = known.unwrap_or(ListenerId(self.next_listener));
            self.refuse_listener(worker, seq, id, query, Errno::TOO_LARGE, out);
            return;
        }
        if record.listeners >= limits.listeners_per_worker {
            let id = known.unwrap_or(ListenerId(self.next_listener));
            self.refuse_listener(worker, seq, id, query, Errno::TOO_MANY, out);
            return;
        }
        match known {
            None => self.bind(worker, seq, query, out),
            Some(id) => self.join(now, worker, seq, id, query, out),
        }
    }

    /// A question that waits for a socket counts as a listener: the bound holds while many are being bound.
    pub(super) fn count_listener(&mut self, worker: WorkerId) {
        if let Some(record) = self.workers.get_mut(&worker) {
            record.listeners += 1;
        }
    }

    pub(super) fn discount_listener(&mut self, worker: WorkerId) {
        if let Some(record) = self.workers.get_mut(&worker) {
            record.listeners = record.listeners.saturating_sub(1);
        }
    }

    fn bind(&mut self, worker: WorkerId, seq: Seq, query: Query, out: &mut Vec<Action>) {
        let id = ListenerId(self.next_listener);
        self.next_listener += 1;
        let rule = self.rules.find(&query.address);
        let mode = self.rules.mode(rule, &query.address);
        let mut listener = Listener::binding(query.clone(), (rule, mode), &self.limits);
        if let State::Binding { waiting, .. } = &mut listener.state {
            waiting.push((worker, seq, query.clone()));
        }
        if let (Mode::Kernel, Some(record)) = (mode, self.workers.get(&worker)) {
            listener.members.begin(Some(record.origin.seat));
        }
        self.by_key.insert(query.key(), id);
        self.listeners.insert(id, listener);
        self.note_asker(worker, id);
        self.count_listener(worker);
        out.push(Action::Bind { listener: id, query, mode });
    }

    fn join(
        &mut self,
        now: Time,
        worker: WorkerId,
        seq: Seq,
        id: ListenerId,
        query: Query,
        out: &mut Vec<Action>,
    ) {
        self.note_asker(worker, id);
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        if listener.data.is_none() {
            listener.data.clone_from(&query.data);
        }
        let wants = listener.is_wanted_by(worker);
        match &mut listener.state {
            State::Open(_) if wants => {}
            State::Open(_) => return self.enter(now, (worker, seq, query), id, out),
            State::Binding { .. } if wants => {}
            State::Binding { waiting, unwanted } => {
                waiting.push((worker, seq, query));
                *unwanted = false;
                return self.count_listener(worker);
            }
        }
        self.second(worker, seq, id, query, out);
    }

    /// The shell has bound the socket, or could not.
    pub(super) fn bound(
        &mut self,
        now: Time,
        id: ListenerId,
        outcome: Result<BoundTo, Errno>,
        out: &mut Vec<Action>,
    ) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        let State::Binding { waiting, unwanted } = &mut listener.state else {
            return;
        };
        let (waiting, unwanted) = (std::mem::take(waiting), *unwanted);
        match outcome {
            Ok(_) if unwanted => {
                self.forget_listener(id);
                out.push(Action::CloseListener { listener: id });
            }
            Ok(bound) => {
                let sockname = bound.sockname.clone();
                listener.state = State::Open(bound);
                listener.members.open(MemberId::FIRST);
                let query = listener.query.clone();
                out.push(Action::Notify(Notice::Bound { listener: id, query, sockname }));
                out.push(Action::Notify(self.chosen(id)));
                self.count_if_needed(id, out);
                self.look_by_rule(id);
                for asked in waiting {
                    // Counted anew as a holder.
                    self.discount_listener(asked.0);
                    self.enter(now, asked, id, out);
                }
                self.accept_if_room(now, id, out);
            }
            Err(errno) => {
                let seconds = listener.take_seconds();
                self.refuse_all(id, waiting, errno, out);
                self.refuse_all(id, seconds, errno, out);
                self.forget_listener(id);
            }
        }
    }

    /// Makes a worker a holder, tells it so, and gives it what waits.
    pub(super) fn admit(
        &mut self,
        now: Time,
        worker: WorkerId,
        ack: Seq,
        id: ListenerId,
        out: &mut Vec<Action>,
    ) {
        if !self.enlist(worker, id) {
            return;
        }
        let (Some(record), Some(listener)) =
            (self.workers.get_mut(&worker), self.listeners.get(&id))
        else {
            return;
        };
        let reply = match (&listener.state, listener.mode) {
            (State::Open(bound), Mode::Handover) => {
                Reply::Handover { sockname: bound.sockname.clone() }
            }
            (_, Mode::Shared | Mode::Kernel) => Reply::Shared,
            (State::Binding { .. }, Mode::Handover) => return,
        };
        let (key, data) = (listener.key.clone(), listener.data.clone());
        let seq = record.take_seq();
        let message = ToWorker::Reply { ack, key, listener: id, data, reply };
        out.push(Action::Send { worker, seq, message });
        self.pump(now, id, out);
    }

    /// Makes a worker a holder, if it may still be one.
    pub(super) fn enlist(&mut self, worker: WorkerId, id: ListenerId) -> bool {
        let (Some(record), Some(listener)) =
            (self.workers.get_mut(&worker), self.listeners.get_mut(&id))
        else {
            return false;
        };
        // It died or was told to leave while the socket was being bound.
        if !record.may_listen() {
            return false;
        }
        record.listeners += 1;
        let unanswered = record.offers.iter().filter(|(_, it)| it.listener == id);
        let unanswered = unanswered
            .map(|(seq, it)| Owed { seq: *seq, since: it.at, served: it.served, asked: it.asked })
            .collect();
        let window = listener.window(record.lane, &self.limits);
        let Origin { seat, generation } = record.origin;
        let view = WorkerView { seat, generation, ..WorkerView::new(worker, window) };
        let accepts_alone = record.accepts_alone;
        // Datagrams are no connections.
        record.accepts_itself |=
            listener.mode != Mode::Handover && !listener.query.address.is_udp();
        listener.add(WorkerView { listening: false, ..view }, accepts_alone, unanswered);
        listener.show_live(worker, record);
        true
    }

    pub(super) fn refuse_listener(
        &mut self,
        worker: WorkerId,
        ack: Seq,
        id: ListenerId,
        query: Query,
        errno: Errno,
        out: &mut Vec<Action>,
    ) {
        self.refuse_for(worker, ack, id, query, (errno, None), out);
    }

    /// The same, with what would have to be allowed.
    fn refuse_for(
        &mut self,
        worker: WorkerId,
        ack: Seq,
        id: ListenerId,
        query: Query,
        (errno, lacks): (Errno, Option<ListenerName>),
        out: &mut Vec<Action>,
    ) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        let seq = record.take_seq();
        // A Node worker with TLS reads it in an error too.
        let first = self.listeners.get(&id).and_then(|it| it.data.clone());
        let message = ToWorker::Reply {
            ack,
            key: query.key(),
            listener: id,
            data: first.or_else(|| query.data.clone()),
            reply: Reply::Failed(errno),
        };
        out.push(Action::Send { worker, seq, message });
        out.push(Action::Notify(Notice::ListenFailed { worker, query, errno, lacks }));
    }

    pub(super) fn closed_by_worker(
        &mut self,
        now: Time,
        worker: WorkerId,
        key: &Key,
        out: &mut Vec<Action>,
    ) {
        let Some(id) = self.by_key.get(key).copied() else {
            return;
        };
        // A key that it does not hold: it was unlisted already, which is all that the message asks for. One
        // that it still waits for: the word is about an older listener of that name, for a worker closes only
        // what it has.
        let Some(listener) = self.listeners.get_mut(&id).filter(|it| it.is_held_by(worker)) else {
            return;
        };
        let seconds = listener.spoke(worker);
        self.leave(now, worker, id, Departure::Explicit, out);
        // What it asked for meanwhile is about the time that begins now.
        for (worker, seq, query) in seconds {
            self.discount_listener(worker);
            self.query(now, worker, seq, query, out);
        }
    }

    /// Takes a worker off every listener: it is given nothing more.
    pub(super) fn unlist(
        &mut self,
        now: Time,
        worker: WorkerId,
        departure: Departure,
        out: &mut Vec<Action>,
    ) {
        let ids: Vec<_> = self.listeners.keys().copied().collect();
        for id in ids {
            self.leave(now, worker, id, departure, out);
        }
    }

    fn leave(
        &mut self,
        now: Time,
        worker: WorkerId,
        id: ListenerId,
        departure: Departure,
        out: &mut Vec<Action>,
    ) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        if !listener.remove(worker) {
            return;
        }
        let unwanted = listener.wanted_by() == 0 && !listener.is_kept;
        // A death leaves it for a successor, if there can be one.
        let outdated = listener.newest < self.renewed;
        self.discount_listener(worker);
        if unwanted && (departure == Departure::Explicit || outdated) {
            self.close_listener(id, out);
        } else {
            // A connection that waited for this worker alone may now go to another.
            self.pump(now, id, out);
            self.steer(now, id, out);
        }
    }

    /// Frees the address. What waits for a worker is closed and counted.
    pub(super) fn close_listener(&mut self, id: ListenerId, out: &mut Vec<Action>) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        let mut asked = listener.take_seconds();
        asked.append(&mut listener.members.take_waiting());
        if let State::Binding { waiting, unwanted } = &mut listener.state {
            // There is no socket to close yet. The outcome finds that nobody wants it, unless somebody
            // asks again before.
            *unwanted = true;
            let mut waiting = std::mem::take(waiting);
            waiting.append(&mut asked);
            return self.refuse_all(id, waiting, Errno::CANCELLED, out);
        }
        self.refuse_all(id, asked, Errno::CANCELLED, out);
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        for conn in std::mem::take(&mut listener.queue) {
            self.close_held(conn, CloseReason::ListenerClosed, out);
        }
        self.forget_listener(id);
        out.push(Action::CloseListener { listener: id });
    }

    fn forget_listener(&mut self, id: ListenerId) {
        let Some(listener) = self.listeners.remove(&id) else {
            return;
        };
        for view in &listener.holders {
            if let Some(record) = self.workers.get_mut(&view.worker) {
                record.listeners = record.listeners.saturating_sub(1);
            }
        }
        self.by_key.remove(&listener.key);
        let timers = [
            Timer::AcceptRest(id),
            Timer::RefusalRest(id),
            Timer::Held(id),
            Timer::Look(id),
            Timer::AskAgain(id),
            Timer::Survey(id),
            Timer::MemberDrain(id),
        ];
        for timer in timers {
            self.timers.cancel(timer);
        }
    }
}
