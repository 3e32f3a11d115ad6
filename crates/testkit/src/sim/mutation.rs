//! Planted faults: a wrong decision in the stream of events or actions, as a broken machine would make it.
//!
//! A checker that never objects is worth nothing. Each [`Mutation`] must be found within a few seeds.

use portcrew_core::primary::{AcceptFailure, Action, End, Event, Exit, Notice, Proof};
use portcrew_core::scheduler::{Incoming, Pick, Scheduler, WorkerView};
use portcrew_core::{FromWorker, Limits, ToWorker};

use super::policy::Policy;
use super::rng::Rng;

/// What is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutation {
    /// The copy of a taken connection is never closed.
    KeepsTaken,
    /// The copy of a connection whose client has gone is never closed.
    KeepsPeerGone,
    /// A copy is closed twice.
    ReleasesTwice,
    /// An offer is decided and not made.
    ForgetsOffer,
    /// An offer is made twice.
    OffersTwice,
    /// Accepting is not begun again.
    NeverAcceptsAgain,
    /// Accepting is not stopped.
    NeverStopsAccepting,
    /// A worker's answer is not heard.
    IgnoresAnswer,
    /// A refusal counts as an acceptance.
    TakesRefusal,
    /// A touched connection is offered again.
    BelievesTouched,
    /// A connection that proves nothing is offered again.
    BelievesUnprovable,
    /// A connection whose client has gone is offered again.
    BelievesPeerGone,
    /// An exit counts as the end of the channel, though answers are still in it.
    DrainsOnExit,
    /// The end of the channel counts as the exit.
    ExitsOnDrain,
    /// A listener is not closed by the last one's will.
    KeepsListener,
    /// A worker's question gets no reply.
    ForgetsReply,
    /// A reply does not say what the workers of its listener have in common.
    ForgetsData,
    /// A window is one too wide.
    WindowOffByOne,
    /// The queue is one too long.
    QueueOffByOne,
    /// The scheduler waits although somebody is free.
    LazyScheduler,
    /// A rest after a failed accept is not taken.
    IgnoresEmfile,
    /// A connection may be refused once more than allowed.
    RefusalsOffByOne,
    /// Nobody is told that a worker has a listener of its own.
    HidesSelfBound,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 23] = [
        Self::KeepsTaken,
        Self::KeepsPeerGone,
        Self::ReleasesTwice,
        Self::ForgetsOffer,
        Self::OffersTwice,
        Self::NeverAcceptsAgain,
        Self::NeverStopsAccepting,
        Self::IgnoresAnswer,
        Self::TakesRefusal,
        Self::BelievesTouched,
        Self::BelievesUnprovable,
        Self::BelievesPeerGone,
        Self::DrainsOnExit,
        Self::ExitsOnDrain,
        Self::KeepsListener,
        Self::ForgetsReply,
        Self::ForgetsData,
        Self::WindowOffByOne,
        Self::QueueOffByOne,
        Self::LazyScheduler,
        Self::IgnoresEmfile,
        Self::RefusalsOffByOne,
        Self::HidesSelfBound,
    ];
}

/// Who breaks it, now and then, by a chance of its own: a world without one runs as if there were none.
#[derive(Debug)]
pub struct Saboteur {
    mutation: Option<Mutation>,
    rng: Rng,
}

impl Saboteur {
    /// Breaks this, or nothing.
    #[must_use]
    pub const fn new(mutation: Option<Mutation>, seed: u64) -> Self {
        Self { mutation, rng: Rng::new(!seed) }
    }

    fn strikes(&mut self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation) && self.rng.percent(50)
    }

    /// What the machine is told in place of this.
    pub fn event(&mut self, event: Event) -> Vec<Event> {
        let Some(mutation) = self.mutation else {
            return vec![event];
        };
        if !aims_at_event(mutation, &event) || !self.strikes(mutation) {
            return vec![event];
        }
        broken_event(mutation, event)
    }

    /// What the shell is told in place of this.
    pub fn action(&mut self, action: Action) -> Vec<Action> {
        let Some(mutation) = self.mutation else {
            return vec![action];
        };
        if !aims_at_action(mutation, &action) || !self.strikes(mutation) {
            return vec![action];
        }
        match (mutation, action) {
            (Mutation::ReleasesTwice | Mutation::OffersTwice, action) => {
                vec![action.clone(), action]
            }
            (Mutation::ForgetsData, Action::Send { worker, seq, mut message }) => {
                if let ToWorker::Reply { data, .. } = &mut message {
                    *data = None;
                }
                vec![Action::Send { worker, seq, message }]
            }
            _ => Vec::new(),
        }
    }

    /// The machine's limits; the checkers keep the right ones.
    pub fn limits(&self, limits: &mut Limits) {
        match self.mutation {
            Some(Mutation::WindowOffByOne) => {
                limits.lane_window += 1;
                limits.channel_window += 1;
            }
            Some(Mutation::QueueOffByOne) => limits.held += 1,
            Some(Mutation::RefusalsOffByOne) => limits.refusals += 1,
            Some(_) | None => {}
        }
    }

    /// The machine's scheduler; the checkers ask the right one.
    #[must_use]
    pub fn scheduler(&self, policy: Policy) -> Box<dyn Scheduler> {
        if self.mutation != Some(Mutation::LazyScheduler) {
            return Box::new(policy);
        }
        let (mut policy, mut calls) = (policy, 0u32);
        Box::new(move |incoming: &Incoming, workers: &[WorkerView]| {
            calls += 1;
            if calls % 3 == 0 { Pick::Wait } else { policy.pick(incoming, workers) }
        })
    }
}

fn aims_at_event(mutation: Mutation, event: &Event) -> bool {
    match (mutation, event) {
        (Mutation::IgnoresAnswer, Event::Message { message, .. }) => {
            matches!(message, FromWorker::Answer { .. })
        }
        (Mutation::TakesRefusal, Event::Message { message, .. }) => {
            matches!(message, FromWorker::Answer { accepted: false, .. })
        }
        (Mutation::BelievesTouched, Event::Proof { proof, .. }) => *proof == Proof::Touched,
        (Mutation::BelievesUnprovable, Event::Proof { proof, .. }) => *proof == Proof::Unprovable,
        (Mutation::BelievesPeerGone, Event::Proof { proof, .. }) => *proof == Proof::PeerGone,
        (Mutation::IgnoresEmfile, Event::AcceptFailed { failure, .. }) => {
            *failure == AcceptFailure::Resource
        }
        (Mutation::DrainsOnExit, Event::Exited { .. })
        | (Mutation::ExitsOnDrain, Event::Drained { .. }) => true,
        _ => false,
    }
}

fn broken_event(mutation: Mutation, event: Event) -> Vec<Event> {
    match (mutation, event) {
        (Mutation::TakesRefusal, Event::Message { worker, message }) => {
            let message = match message {
                FromWorker::Answer { ack, .. } => FromWorker::Answer { ack, accepted: true },
                other => other,
            };
            vec![Event::Message { worker, message }]
        }
        (_, Event::Proof { conn, .. }) => {
            let proof = Proof::Untouched;
            vec![Event::Proof { conn, proof }]
        }
        (_, Event::Exited { worker, status }) => {
            vec![Event::Exited { worker, status }, Event::Drained { worker }]
        }
        (_, Event::Drained { worker }) => {
            let status = Exit::Code(0);
            vec![Event::Drained { worker }, Event::Exited { worker, status }]
        }
        // It is not told.
        _ => Vec::new(),
    }
}

fn aims_at_action(mutation: Mutation, action: &Action) -> bool {
    use portcrew_core::CloseReason::PeerGone;
    match (mutation, action) {
        (Mutation::KeepsTaken, Action::Release { end, .. }) => matches!(end, End::Taken(_)),
        (Mutation::KeepsPeerGone, Action::Release { end, .. }) => *end == End::Closed(PeerGone),
        (Mutation::ReleasesTwice, Action::Release { .. })
        | (Mutation::ForgetsOffer | Mutation::OffersTwice, Action::Offer { .. })
        | (Mutation::KeepsListener, Action::CloseListener { .. }) => true,
        (Mutation::HidesSelfBound, Action::Notify(notice)) => {
            matches!(notice, Notice::SelfBound { .. })
        }
        (Mutation::NeverAcceptsAgain, Action::Accept { on, .. }) => *on,
        (Mutation::NeverStopsAccepting, Action::Accept { on, .. }) => !*on,
        (Mutation::ForgetsReply, Action::Send { message, .. }) => {
            matches!(message, ToWorker::Reply { .. })
        }
        (Mutation::ForgetsData, Action::Send { message, .. }) => {
            matches!(message, ToWorker::Reply { data: Some(_), .. })
        }
        _ => false,
    }
}
