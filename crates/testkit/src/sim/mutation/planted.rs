//! Which events and actions a fault changes, and into what.

use portcrew_core::primary::{AcceptFailure, Action, End, Event, Exit, Notice, Origin, Proof};
use portcrew_core::{FromWorker, ToWorker};

use super::Mutation;
use super::saboteur::Circumstances;

/// Whether the fault is about this event.
pub(super) fn aims_at_event(mutation: Mutation, event: &Event) -> bool {
    match (mutation, event) {
        (Mutation::IgnoresAnswer, Event::Message { message, .. }) => {
            matches!(message, FromWorker::Answer { .. })
        }
        (Mutation::TakesRefusal | Mutation::LosesRefusal, Event::Message { message, .. }) => {
            matches!(message, FromWorker::Answer { accepted: false, .. })
        }
        (Mutation::BelievesTouched, Event::Proof { proof, .. }) => *proof == Proof::Touched,
        (Mutation::BelievesUnprovable, Event::Proof { proof, .. }) => *proof == Proof::Unprovable,
        (Mutation::BelievesPeerGone, Event::Proof { proof, .. }) => *proof == Proof::PeerGone,
        (Mutation::IgnoresEmfile, Event::AcceptFailed { failure, .. }) => {
            *failure != AcceptFailure::Connection
        }
        (Mutation::MisreadsLook, Event::Looked { key, .. }) => key.is_some(),
        (Mutation::DrainsOnExit, Event::Exited { .. })
        | (Mutation::ExitsOnDrain, Event::Drained { .. })
        | (Mutation::ForgetsAlone, Event::AcceptsAlone { .. })
        | (Mutation::ForgetsSeat, Event::Forked { .. })
        | (Mutation::ForgetsEnd | Mutation::EndsTwice, Event::Ended { .. })
        | (Mutation::ForgetsEndTold, Event::EndTold { .. })
        | (Mutation::IgnoresShed, Event::Shed { .. })
        | (Mutation::IgnoresServed, Event::Served { .. })
        | (Mutation::BelievesNobodyTells, Event::TakenAndTold { .. })
        | (Mutation::CountsUnasked, Event::Counting { .. })
        | (Mutation::IgnoresLook, Event::Looked { .. }) => true,
        _ => false,
    }
}

/// What the machine hears in its place.
pub(super) fn broken_event(mutation: Mutation, event: Event) -> Vec<Event> {
    match (mutation, event) {
        (Mutation::TakesRefusal, Event::Message { worker, message }) => {
            let message = match message {
                FromWorker::Answer { ack, .. } => FromWorker::Answer { ack, accepted: true },
                other => other,
            };
            vec![Event::Message { worker, message }]
        }
        (
            Mutation::LosesRefusal,
            Event::Message { worker, message: FromWorker::Answer { ack, .. } },
        ) => vec![Event::NotReceived { worker, seq: ack }],
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
        (_, Event::Forked { worker, .. }) => {
            vec![Event::Forked { worker, origin: Origin::alone(worker) }]
        }
        (Mutation::EndsTwice, event) => vec![event.clone(), event],
        (_, Event::TakenAndTold { worker, seq }) => {
            let message = FromWorker::Answer { ack: seq, accepted: true };
            vec![Event::Message { worker, message }]
        }
        (Mutation::MisreadsLook, Event::Looked { conn, source, .. }) => {
            vec![Event::Looked { conn, source, key: None, route: None }]
        }
        // It is not told.
        _ => Vec::new(),
    }
}

/// Whether the fault is about this action.
pub(super) fn aims_at_action(mutation: Mutation, action: &Action, about: Circumstances) -> bool {
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
        (Mutation::AcceptsForNobody, Action::Accept { on, .. }) => !*on && about.for_nobody,
        (Mutation::SparesSharers, Action::Offer { .. }) => about.spared_for.is_some(),
        (Mutation::ForgetsLook, Action::Look { .. })
        | (Mutation::ForgetsToCount, Action::Count { .. }) => true,
        (Mutation::ForgetsReply, Action::Send { message, .. }) => {
            matches!(message, ToWorker::Reply { .. })
        }
        (Mutation::ForgetsData, Action::Send { message, .. }) => {
            matches!(message, ToWorker::Reply { data: Some(_), .. })
        }
        _ => false,
    }
}
