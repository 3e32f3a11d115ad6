//! One listening socket of the primary: who holds it, what waits on it, whether it is accepted from.

use std::collections::VecDeque;

use super::{BoundTo, Mode};
use crate::scheduler::WorkerView;
use crate::{Backoff, ConnId, Key, Limits, Query, Seq, SocketKind, Time, WorkerId};

/// A question, and whose it is.
pub(super) type Asked = (WorkerId, Seq, Query);

/// Whether the socket exists yet.
#[derive(Debug)]
pub(super) enum State {
    /// It is being bound; these workers wait for the outcome.
    Binding {
        waiting: Vec<Asked>,
        /// The last of them closed it again, or the user did: nobody is to find it open.
        unwanted: bool,
    },
    /// It is there.
    Open(BoundTo),
}

/// Whether the primary accepts from the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepting {
    /// It does.
    On,
    /// It never does (shared), or not yet (binding).
    Off,
    /// The queue is full.
    Full,
    /// `accept` failed for want of a resource; a timer ends the rest.
    Resting,
}

/// A listener's record.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) key: Key,
    pub(super) query: Query,
    pub(super) mode: Mode,
    pub(super) state: State,
    pub(super) data: Option<String>,
    /// The workers that hold it, as the scheduler sees them.
    pub(super) holders: Vec<WorkerView>,
    /// Holders that have not yet said what they made of it: each says `listening` or `close`.
    pub(super) silent: Vec<WorkerId>,
    /// Questions of workers that hold it or wait for it already, kept until their word about the first is there.
    pub(super) seconds: Vec<Asked>,
    /// Connections that wait for a worker, the oldest first.
    pub(super) queue: VecDeque<ConnId>,
    pub(super) accepting: Accepting,
    pub(super) rest: Backoff,
    turns: u64,
}

impl Listener {
    pub(super) fn binding(key: Key, query: Query, mode: Mode, limits: &Limits) -> Self {
        Self {
            key,
            data: query.data.clone(),
            query,
            mode,
            state: State::Binding { waiting: Vec::new(), unwanted: false },
            holders: Vec::new(),
            silent: Vec::new(),
            seconds: Vec::new(),
            queue: VecDeque::new(),
            accepting: Accepting::Off,
            rest: Backoff::new(limits.accept_rest, limits.accept_rest_cap, 0),
            turns: 0,
        }
    }

    pub(super) fn is_held_by(&self, worker: WorkerId) -> bool {
        self.holders.iter().any(|view| view.worker == worker)
    }

    /// Whether the worker holds it or waits for it.
    pub(super) fn is_wanted_by(&self, worker: WorkerId) -> bool {
        let waits = match &self.state {
            State::Binding { waiting, .. } => waiting.iter().any(|(who, ..)| *who == worker),
            State::Open { .. } => false,
        };
        waits || self.is_held_by(worker)
    }

    /// Adds a holder, level with the least-given one: it owes nothing and is owed nothing. What it was
    /// offered here before it closed the listener and asked again still counts against its window.
    pub(super) fn add(&mut self, worker: WorkerId, window: u32, in_flight: u32) {
        let share = self.holders.iter().map(|view| view.share).min().unwrap_or(0);
        self.holders.push(WorkerView {
            worker,
            in_flight,
            window,
            share,
            last_given: 0,
            resting_until: None,
        });
        self.silent.push(worker);
    }

    /// Takes a worker off, whether it holds the listener or still waits for it.
    pub(super) fn remove(&mut self, worker: WorkerId) -> bool {
        let before = self.wanted_by();
        self.holders.retain(|view| view.worker != worker);
        // Whoever leaves gets no answer any more.
        self.spoke(worker);
        if let State::Binding { waiting, .. } = &mut self.state {
            waiting.retain(|(who, ..)| *who != worker);
        }
        self.wanted_by() != before
    }

    /// How many workers hold it or wait for it.
    pub(super) fn wanted_by(&self) -> usize {
        let waiting = match &self.state {
            State::Binding { waiting, .. } => waiting.len(),
            State::Open(_) => 0,
        };
        self.holders.len() + waiting
    }

    /// Whether the kernel can prove that a connection of it is untouched.
    pub(super) const fn is_provable(&self) -> bool {
        matches!(&self.state, State::Open(BoundTo { kind: SocketKind::Tcp, .. }))
    }

    pub(super) fn holder(&mut self, worker: WorkerId) -> Option<&mut WorkerView> {
        self.holders.iter_mut().find(|view| view.worker == worker)
    }

    pub(super) fn has_free_holder(&self) -> bool {
        self.holders.iter().any(WorkerView::is_free)
    }

    /// Counts a hand-over to `worker`.
    pub(super) fn give(&mut self, worker: WorkerId, deficit: u64) {
        self.turns += 1;
        let turn = self.turns;
        let most = self.holders.iter().map(|view| view.share).max().unwrap_or(0);
        if let Some(view) = self.holder(worker) {
            view.in_flight += 1;
            view.share = view.share.max(most.saturating_sub(deficit)) + 1;
            view.last_given = turn;
        }
    }

    /// Counts an answer of `worker`. A refusal lets it rest.
    pub(super) fn answered(&mut self, worker: WorkerId, rest_until: Option<Time>) {
        if let Some(view) = self.holder(worker) {
            view.in_flight = view.in_flight.saturating_sub(1);
            if rest_until.is_some() {
                view.resting_until = rest_until;
            }
        }
    }

    /// Ends the rests that are over. Says when the next one ends.
    pub(super) fn wake(&mut self, now: Time) -> Option<Time> {
        for view in &mut self.holders {
            if view.resting_until.is_some_and(|until| until <= now) {
                view.resting_until = None;
            }
        }
        self.holders.iter().filter_map(|view| view.resting_until).min()
    }
}
