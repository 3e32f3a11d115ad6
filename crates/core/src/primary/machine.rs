//! The machine: its settings, its state, and the one place where events are told apart.

use std::collections::BTreeMap;

use super::confinement::Confinement;
use super::conns::Conn;
use super::handover::Answer;
use super::listener::Listener;
use super::rules::{Rulebook, Rules};
use super::worker::Worker;
use super::{Action, Event, Life};
use crate::supervise::Generation;
use crate::{
    ConnId, FromWorker, Histogram, Key, Ledger, Limits, ListenerId, Time, TimerTable, WorkerId,
};

/// What a primary is made with. The default: hand-over, round-robin, the default bounds.
#[derive(Debug, Default)]
pub struct Settings {
    /// Who accepts and who is chosen, by listener.
    pub rules: Rules,
    /// The bounds.
    pub limits: Limits,
    /// What it does for workers with fewer rights.
    pub confinement: Confinement,
}

/// What a primary waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The sockets of a listener over which the kernel spreads connections are looked at.
    Survey(ListenerId),
    /// One of them that nobody has may be closed.
    MemberDrain(ListenerId),
    /// A listener's rest after a failed accept, or until more may be shed.
    AcceptRest(ListenerId),
    /// The end of a worker's rest after a refusal, on this listener.
    RefusalRest(ListenerId),
    /// The oldest waiting connection of this listener has waited too long.
    Held(ListenerId),
    /// The first bytes of the oldest connection that waits for them have not come in time.
    Look(ListenerId),
    /// A scheduler let a connection wait for so long at most.
    AskAgain(ListenerId),
    /// What the schedulers decided is told.
    Summary,
    /// An exited worker's sockets count as drained.
    ExitDrain(WorkerId),
    /// A worker that closed its channel still lives, with offers unanswered.
    Abandoned(WorkerId),
}

/// The primary's machine. See the [module](super) for how to drive it.
#[derive(Debug)]
pub struct Primary {
    pub(super) limits: Limits,
    pub(super) confinement: Confinement,
    pub(super) rules: Rulebook,
    pub(super) workers: BTreeMap<WorkerId, Worker>,
    pub(super) listeners: BTreeMap<ListenerId, Listener>,
    pub(super) by_key: BTreeMap<Key, ListenerId>,
    pub(super) conns: BTreeMap<ConnId, Conn>,
    pub(super) timers: TimerTable<Timer>,
    pub(super) ledger: Ledger,
    pub(super) answers: Histogram,
    pub(super) next_listener: u32,
    /// The generation of the last committed reload.
    pub(super) renewed: Generation,
    /// Descriptors of ours that are closed since a listener last began to rest for want of one.
    pub(super) freed: u32,
    /// At so many of them a rest for want of descriptors ends.
    pub(super) low_mark: u32,
    /// Listeners that have rested for want of descriptors since one was closed.
    pub(super) short: Vec<ListenerId>,
}

impl Primary {
    /// A primary without workers and listeners.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            limits: settings.limits,
            confinement: settings.confinement,
            rules: Rulebook::new(settings.rules),
            workers: BTreeMap::new(),
            listeners: BTreeMap::new(),
            by_key: BTreeMap::new(),
            conns: BTreeMap::new(),
            timers: TimerTable::default(),
            ledger: Ledger::default(),
            answers: Histogram::default(),
            next_listener: 0,
            renewed: Generation::FIRST,
            freed: 0,
            low_mark: 1,
            short: Vec::new(),
        }
    }

    /// Takes in what happened and appends what is to be done.
    pub fn handle(&mut self, now: Time, event: Event, out: &mut Vec<Action>) {
        match event {
            Event::Forked { worker, origin } => self.forked(worker, origin, out),
            Event::Message { worker, message } => self.message(now, worker, message, out),
            Event::NotReceived { worker, seq } => self.not_received(now, worker, seq, out),
            Event::TakenAndTold { worker, seq } => {
                self.answer(now, worker, seq, Answer::TakenAndTold, out);
            }
            Event::Served { worker, seq } => self.served(now, worker, seq),
            Event::EndTold { worker, seq } => self.told_of_end(now, worker, seq, out),
            Event::AcceptsAlone { worker } => self.accepts_alone(worker),
            Event::Confined { worker } => self.confined(worker),
            Event::Open { query } => self.open(query, out),
            Event::Seats { seat } => self.seats(seat, out),
            Event::Serves { worker } => self.serves(now, worker, out),
            Event::Inherits { worker } => self.inherits(now, worker, out),
            Event::Offence { worker } => self.offence(worker, out),
            Event::Drained { worker } => self.drained(now, worker, out),
            Event::Exited { worker, status } => self.exited(now, worker, status, out),
            Event::Bound { listener, outcome } => self.bound(now, listener, outcome, out),
            Event::Accepted { listener, conn, peer, local } => {
                self.accepted(now, listener, conn, (peer, local), out);
            }
            Event::MemberBound { listener, member, outcome } => {
                self.member_bound(now, listener, member, outcome, out);
            }
            Event::Stirred { listener } => self.stirred(now, listener, out),
            Event::Surveyed { listener, queues, quiet } => {
                self.surveyed(now, listener, &queues, quiet, out);
            }
            Event::Rescued { listener, member, conn, peer, waited } => {
                self.rescued(now, (listener, member), conn, peer, waited, out);
            }
            Event::Looked { conn, source, key, route } => {
                self.looked(now, conn, source, (key, route), out);
            }
            Event::Counting { listener, by } => self.counting(now, listener, by, out),
            Event::Found { worker, listener } => self.found(worker, listener),
            Event::Ended { worker, dying } => self.ended(now, worker, dying, out),
            Event::EndedByDeath { worker, count } => self.ended_by_death(worker, count),
            Event::Cpu { worker, share } => self.cpu(now, worker, share, out),
            Event::AcceptFailed { listener, failure } => {
                self.accept_failed(now, listener, failure, out);
            }
            Event::Shed { listener, count } => self.shed(listener, count),
            Event::Proof { conn, proof } => self.proof(now, conn, proof, out),
            Event::Disconnect { worker } => self.disconnect(now, worker, out),
            Event::Unlist { worker } => self.unlisted(now, worker, out),
            Event::GivenUp { worker } => self.given_up(now, worker, out),
            Event::CloseListener { listener } => self.close_listener(listener, out),
            Event::Renewed { generation } => self.renewed(generation, out),
        }
        self.end_rests(now, out);
    }

    /// Does what `now` has made due. Calling it early does nothing.
    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Action>) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Survey(listener) => out.push(Action::Survey { listener }),
                Timer::MemberDrain(listener) => self.drain_members(now, listener, out),
                Timer::AcceptRest(listener) => self.accept_again(now, listener, out),
                Timer::RefusalRest(listener) => self.refusal_rest_over(now, listener, out),
                Timer::Held(listener) => self.held_too_long(now, listener, out),
                Timer::Look(listener) => self.looked_too_long(now, listener, out),
                Timer::AskAgain(listener) => self.pump(now, listener, out),
                Timer::Summary => self.summarise(out),
                Timer::ExitDrain(worker) => self.drained(now, worker, out),
                Timer::Abandoned(worker) => self.abandoned(worker, out),
            }
        }
        self.end_rests(now, out);
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; `None` is never.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// The account of all connections.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// How long workers have taken for their answers, from the offer of a connection until it was taken or refused.
    #[must_use]
    pub const fn answers(&self) -> &Histogram {
        &self.answers
    }

    /// The bounds in force.
    #[must_use]
    pub const fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Whether the shell is to accept from this listener. Asked after each accepted connection.
    #[must_use]
    pub fn is_accepting(&self, listener: ListenerId) -> bool {
        self.listeners.get(&listener).is_some_and(|it| it.accepting.is_polled())
    }

    /// How far a worker's life has come; `None` once it is disconnected and exited.
    #[must_use]
    pub fn life(&self, worker: WorkerId) -> Option<Life> {
        self.workers.get(&worker).map(|it| it.life)
    }

    /// Since when a worker has owed an answer to a connection that it was offered; `None` while it owes none.
    #[must_use]
    pub fn oldest_offer(&self, worker: WorkerId) -> Option<Time> {
        self.workers.get(&worker)?.offers.values().map(|it| it.at).min()
    }

    /// The workers that are not both disconnected and exited.
    pub fn workers(&self) -> impl Iterator<Item = WorkerId> + '_ {
        self.workers.keys().copied()
    }

    fn message(&mut self, now: Time, worker: WorkerId, message: FromWorker, out: &mut Vec<Action>) {
        match message {
            FromWorker::Online { lane } => self.online(worker, lane, out),
            FromWorker::Query { seq, query } => self.query(now, worker, seq, query, out),
            FromWorker::Listening { query, port } => {
                self.listening(now, worker, query, port, out);
            }
            FromWorker::Close { key } => self.closed_by_worker(now, worker, &key, out),
            FromWorker::ExitedAfterDisconnect { seq } => self.farewell(now, worker, seq, out),
            FromWorker::Answer { ack, accepted } => {
                let answer = if accepted { Answer::Taken } else { Answer::Refused };
                self.answer(now, worker, ack, answer, out);
            }
        }
    }
}
