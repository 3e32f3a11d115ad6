//! Listeners that the user has opened, without a worker's question, and workers that have them from their start.
//!
//! Such a worker is a program that knows nothing of a primary: it inherits the sockets and accepts by itself. It says
//! nothing, so nothing is known of what it makes of them, and nothing of its connections.

use super::listener::Listener;
use super::machine::Primary;
use super::rules::RuleId;
use super::{Action, Mode};
use crate::{Address, ListenerId, Query, Time, WorkerId};

impl Primary {
    /// The user wants a listener. One of this key that is there already goes on as it is.
    pub(super) fn open(&mut self, query: Query, out: &mut Vec<Action>) {
        if self.by_key.contains_key(&query.key()) {
            return;
        }
        let id = ListenerId(self.next_listener);
        self.next_listener += 1;
        let rule = self.rules.find(&query.address);
        let mode = self.mode_of_unasked(rule, &query.address);
        let mut listener = Listener::binding(query.clone(), (rule, mode), &self.limits);
        listener.is_kept = true;
        if mode == Mode::Kernel {
            listener.members.begin(None);
        }
        self.by_key.insert(query.key(), id);
        self.listeners.insert(id, listener);
        out.push(Action::Bind { listener: id, query, mode });
    }

    /// A worker was started with the sockets of all that the user has opened.
    pub(super) fn inherits(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        // Nobody can hand it a connection.
        self.accepts_alone(worker);
        for id in self.kept().collect::<Vec<_>>() {
            if self.enlist(worker, id) {
                // What it makes of it shows nowhere.
                self.listeners.get_mut(&id).map(|it| it.spoke(worker));
                self.pump(now, id, out);
                self.steer(now, id, out);
            }
        }
    }

    /// Such a worker serves by now, as far as anybody can tell: new connections come to its sockets.
    pub(super) fn serves(&mut self, now: Time, worker: WorkerId, out: &mut Vec<Action>) {
        for id in self.kept().collect::<Vec<_>>() {
            self.shows_listening(now, worker, id, out);
        }
    }

    /// The listeners that the [user](super::Event::Open) has opened and whose sockets are there, in the order in which
    /// they were asked for.
    pub fn kept(&self) -> impl Iterator<Item = ListenerId> + '_ {
        let kept = self.listeners.iter().filter(|(_, it)| it.is_kept && it.is_open());
        kept.map(|(id, _)| *id)
    }

    /// Who accepts from a listener that workers have from their start: they cannot be handed connections.
    pub(super) fn mode_of_unasked(&self, rule: RuleId, address: &Address) -> Mode {
        match self.rules.mode(rule, address) {
            Mode::Handover | Mode::Shared => Mode::Shared,
            Mode::Kernel => Mode::Kernel,
        }
    }
}
