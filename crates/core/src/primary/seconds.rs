//! Questions of a worker for what it holds already, or is about to hold.
//!
//! Either it wants one address twice, which is refused: a Node worker that is given one key twice dies of an
//! assertion. Or it gave the first listener up before the answer came, and asks for the time after it: it says so
//! only when it has the answer, so its question overtakes its close. Which of the two it is shows by its next word
//! about the first listener, `listening` or `close`; until then the question is kept.

use super::Action;
use super::listener::{Asked, Listener, State};
use super::machine::Primary;
use crate::{Errno, Key, ListenerId, Query, Seq, WorkerId};

impl Primary {
    pub(super) fn second(
        &mut self,
        worker: WorkerId,
        seq: Seq,
        id: ListenerId,
        query: Query,
        out: &mut Vec<Action>,
    ) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        // Where questions are told apart by their numbers two with one number are a mistake.
        if listener.awaits_word_of(worker) && !query.index_counts() {
            listener.seconds.push((worker, seq, query));
            self.count_listener(worker);
        } else {
            self.refuse_listener(worker, seq, id, query, Errno::ADDRESS_IN_USE, out);
        }
    }

    /// A worker listens: what it asked for besides under this name, it wants twice.
    pub(super) fn refuse_seconds(&mut self, worker: WorkerId, key: &Key, out: &mut Vec<Action>) {
        let Some(id) = self.by_key.get(key).copied() else {
            return;
        };
        let seconds = self.listeners.get_mut(&id).map(|it| it.spoke(worker));
        self.refuse_all(id, seconds.unwrap_or_default(), Errno::ADDRESS_IN_USE, out);
    }

    /// Refuses questions that were counted as listeners.
    pub(super) fn refuse_all(
        &mut self,
        id: ListenerId,
        questions: Vec<Asked>,
        errno: Errno,
        out: &mut Vec<Action>,
    ) {
        for (worker, seq, query) in questions {
            self.discount_listener(worker);
            self.refuse_listener(worker, seq, id, query, errno, out);
        }
    }
}

impl Listener {
    fn awaits_word_of(&self, worker: WorkerId) -> bool {
        match self.state {
            State::Binding { .. } => true,
            State::Open(_) => self.silent.contains(&worker) || self.is_awaited_by(worker),
        }
    }

    /// A worker has said what it made of the listener, or never will: what it asked for besides.
    pub(super) fn spoke(&mut self, worker: WorkerId) -> Vec<Asked> {
        self.silent.retain(|it| *it != worker);
        let all = std::mem::take(&mut self.seconds);
        let (its, others) = all.into_iter().partition(|it| it.0 == worker);
        self.seconds = others;
        its
    }

    /// All that was asked for besides, when the listener comes to nothing.
    pub(super) fn take_seconds(&mut self) -> Vec<Asked> {
        std::mem::take(&mut self.seconds)
    }
}
