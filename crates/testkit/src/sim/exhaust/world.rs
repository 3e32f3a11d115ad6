//! The machine and the model, and one letter after the other.

use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use portcrew_core::primary::{Action, BoundTo, Event, Origin, Primary, Settings};
use portcrew_core::{Address, Family, FromWorker, Limits, ListenerId, Query, Seq, SocketKind};

use super::WORKERS;
use super::canon::Reader;
use super::letter::{Letter, worker};
use super::model::Model;
use crate::sim::Mutation;
use crate::sim::mutation::{Circumstances, Saboteur};
use crate::sim::report::{Check, Checked, ensure};

/// By this seed a planted fault strikes the first twelve times that it could.
const STRIKES: u64 = 3_533;

/// Time-outs that may be due at once. Beyond it the machine spins.
const MOST_TIMEOUTS: u32 = 20;

/// A machine and what it must be.
#[derive(Debug)]
pub(super) struct Small {
    primary: Primary,
    pub(super) model: Model,
    saboteur: Saboteur,
    actions: Vec<Action>,
}

impl Small {
    /// Both workers listen, the first with a lane.
    pub(super) fn new(mutation: Option<Mutation>) -> Self {
        let saboteur = Saboteur::new(mutation, STRIKES);
        let limits = limits();
        let mut broken = limits.clone();
        saboteur.limits(&mut broken);
        let mut primary = Primary::new(Settings { limits: broken, ..Settings::default() });
        let model = Model::new(limits);
        let mut actions = Vec::new();
        let mut tell = |event| primary.handle(model.now, event, &mut actions);
        for at in 0..WORKERS {
            let worker = worker(at);
            tell(Event::Forked { worker, origin: Origin::alone(worker) });
            tell(Event::Message { worker, message: FromWorker::Online { lane: at == 0 } });
            let (seq, query) = (Seq(0), query());
            tell(Event::Message { worker, message: FromWorker::Query { seq, query } });
        }
        let outcome = Ok(BoundTo { kind: SocketKind::Tcp, sockname: None });
        tell(Event::Bound { listener: ListenerId(0), outcome });
        for at in 0..WORKERS {
            let message = FromWorker::Listening { query: query(), port: 80 };
            tell(Event::Message { worker: worker(at), message });
        }
        actions.clear();
        Self { primary, model, saboteur, actions }
    }

    /// Whether this can happen now.
    pub(super) fn may(&self, letter: Letter) -> bool {
        letter.may_come(&self.model, self.primary.next_timeout().is_some())
    }

    /// It happens, and every promise is held against the outcome.
    pub(super) fn step(&mut self, letter: Letter) -> Checked {
        self.say(letter)?;
        self.model.settled(&self.primary)
    }

    /// It happens once more: what holds then was looked at before.
    pub(super) fn say(&mut self, letter: Letter) -> Checked {
        let event = letter.event(&self.model);
        if let (None, Some(next)) = (&event, self.primary.next_timeout()) {
            self.model.now = next;
        }
        self.model.hear(letter);
        let now = self.model.now;
        for told in event.into_iter().flat_map(|it| self.saboteur.event(it)) {
            self.primary.handle(now, told, &mut self.actions);
        }
        self.perform()?;
        let mut rounds = 0;
        while self.primary.next_timeout().is_some_and(|at| at <= now) {
            rounds += 1;
            ensure(rounds < MOST_TIMEOUTS, Check::Spin, || "time-outs have no end".into())?;
            self.primary.handle_timeout(now, &mut self.actions);
            self.perform()?;
        }
        Ok(())
    }

    fn perform(&mut self) -> Checked {
        for action in self.actions.drain(..) {
            for action in self.saboteur.action(action, Circumstances::default()) {
                self.model.act(&action)?;
            }
        }
        Ok(())
    }

    /// A number for this state: of two with the same, what can come is the same.
    pub(super) fn state(&self, texts: &mut Texts) -> u64 {
        let Texts { machine, model, canonical } = texts;
        for text in [&mut *machine, model, canonical] {
            text.clear();
        }
        let _ = write!(machine, "{:?}", self.primary);
        self.model.describe(model);
        let mut reader = Reader::new(self.model.now, &self.model.limits);
        reader.machine(machine, canonical);
        reader.read(model, canonical);
        let mut hasher = DefaultHasher::new();
        canonical.hash(&mut hasher);
        hasher.finish()
    }
}

/// Room for the texts of a state, used again.
#[derive(Debug, Default)]
pub(super) struct Texts {
    machine: String,
    model: String,
    canonical: String,
}

fn query() -> Query {
    let address = Address::Tcp { host: None, port: 80, family: Family::V4, ipv6_only: false };
    Query { address, index: 0, backlog: None, data: None }
}

/// So small that each is met, and all of one tick or a few, so that times coincide and states with them. What is to be
/// quick is so at once, and what takes a tick is slow.
fn limits() -> Limits {
    let ticks = |ticks: u64| Duration::from_millis(10 * ticks);
    let mut limits = Limits::default();
    limits.held = 1;
    limits.held_for = ticks(4);
    (limits.lane_window, limits.channel_window) = (2, 1);
    (limits.quick, limits.slow) = (Duration::ZERO, Duration::from_millis(1));
    // As patient with one that has answered as with one that has not.
    limits.held_up = limits.slow;
    (limits.refusals, limits.refusal_rest) = (1, ticks(1));
    (limits.accept_rest, limits.accept_rest_cap) = (ticks(1), ticks(1));
    limits.accept_low_mark = 1;
    (limits.exit_drain, limits.abandoned_after) = (ticks(2), ticks(3));
    (limits.offences, limits.deficit) = (0, 1);
    limits
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_only_counted_is_no_other_state() {
        let (mut one, mut two, mut text) = (Small::new(None), Small::new(None), Texts::default());
        let fails = Letter::AcceptFails(portcrew_core::primary::AcceptFailure::Connection);
        one.step(fails).unwrap();
        assert_eq!(one.state(&mut text), two.state(&mut text));
        two.step(Letter::Accept).unwrap();
        assert_ne!(one.state(&mut text), two.state(&mut text));
        assert_eq!(two.model.offered_to(0).count(), 1);
    }
}
