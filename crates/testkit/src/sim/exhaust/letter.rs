//! What can happen, one thing at a time.

use std::fmt;

use portcrew_core::primary::{AcceptFailure, Event, Exit, Proof};
use portcrew_core::{ConnId, FromWorker, ListenerId, Seq, WorkerId};

use super::model::{At, Model};
use super::{CONNECTIONS, WORKERS};

/// One thing that happens. Workers and connections are counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letter {
    /// A client comes and is accepted.
    Accept,
    /// `accept` fails.
    AcceptFails(AcceptFailure),
    /// This worker answers its first or second open offer.
    Answer(usize, usize, Saying),
    /// The first worker answers what nobody asked, or what it has answered before.
    Forged,
    /// This worker is reaped.
    Exits(usize),
    /// This worker's channel is at its end.
    Drains(usize),
    /// The kernel's word about this connection, also if nobody asked for it.
    Proves(usize, Proof),
    /// The next time-out comes.
    Timer,
    /// This worker is told to leave.
    Leaves(usize),
    /// The listener is closed.
    Closes,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Saying {
    /// It has the connection.
    Yes,
    /// It does not want it.
    No,
    /// It never got it.
    Lost,
}

const PROOFS: [Proof; 5] =
    [Proof::NeverSent, Proof::Untouched, Proof::Touched, Proof::PeerGone, Proof::Unprovable];

impl Letter {
    /// All of them.
    #[must_use]
    pub fn alphabet() -> Vec<Self> {
        let mut all = vec![Self::Accept, Self::Timer, Self::Closes, Self::Forged];
        all.extend([AcceptFailure::Connection, AcceptFailure::Resource].map(Self::AcceptFails));
        for worker in 0..WORKERS {
            let lives = [Self::Exits, Self::Drains, Self::Leaves];
            all.extend(lives.map(|it| it(worker)));
            for nth in 0..2 {
                let sayings = [Saying::Yes, Saying::No, Saying::Lost];
                all.extend(sayings.map(|it| Self::Answer(worker, nth, it)));
            }
        }
        for conn in 0..CONNECTIONS {
            all.extend(PROOFS.map(|it| Self::Proves(conn, it)));
        }
        all
    }

    /// Whether it can happen now. A connection about which nothing was asked has one proof, which must change nothing.
    #[must_use]
    pub fn may_come(self, model: &Model, has_timer: bool) -> bool {
        match self {
            Self::Accept => model.polled && model.conns.len() < CONNECTIONS,
            // For want of something once: how long it rests is spread, and would make times of its own.
            Self::AcceptFails(AcceptFailure::Resource | AcceptFailure::Descriptors) => {
                model.polled && model.failed_at.is_none()
            }
            Self::AcceptFails(AcceptFailure::Connection) => model.polled,
            Self::Answer(worker, nth, _) => {
                !model.sides[worker].drained && model.offered_to(worker).nth(nth).is_some()
            }
            // Once more than it takes, to see that nothing comes of it.
            Self::Forged => {
                let side = &model.sides[0];
                !side.drained && side.offences <= model.limits.offences + 1
            }
            Self::Drains(worker) => !model.sides[worker].drained,
            Self::Exits(worker) => !model.sides[worker].reaped,
            Self::Proves(conn, proof) => match model.conns.get(conn).map(|it| it.at) {
                Some(At::Judged(_)) => true,
                Some(_) => proof == Proof::Untouched,
                None => false,
            },
            Self::Timer => has_timer,
            Self::Leaves(worker) => !model.sides[worker].told,
            Self::Closes => model.open,
        }
    }

    /// What the machine is told; nothing but the time for a time-out.
    #[must_use]
    pub fn event(self, model: &Model) -> Option<Event> {
        let listener = ListenerId(0);
        Some(match self {
            Self::Accept => {
                let conn = ConnId(model.conns.len() as u64);
                Event::Accepted { listener, conn, peer: None, local: None }
            }
            Self::AcceptFails(failure) => Event::AcceptFailed { listener, failure },
            Self::Answer(at, nth, saying) => {
                let (worker, seq) = (worker(at), model.offered_to(at).nth(nth)?.1);
                match saying {
                    Saying::Yes => answer(worker, seq, true),
                    Saying::No => answer(worker, seq, false),
                    Saying::Lost => Event::NotReceived { worker, seq },
                }
            }
            Self::Forged => answer(worker(0), model.sides[0].answered_last, true),
            Self::Exits(at) => Event::Exited { worker: worker(at), status: Exit::Signal(9) },
            Self::Drains(at) => Event::Drained { worker: worker(at) },
            Self::Proves(conn, proof) => Event::Proof { conn: ConnId(conn as u64), proof },
            Self::Timer => return None,
            Self::Leaves(at) => Event::Disconnect { worker: worker(at) },
            Self::Closes => Event::CloseListener { listener },
        })
    }
}

/// The worker at this place.
pub(super) fn worker(at: usize) -> WorkerId {
    WorkerId(u32::try_from(at + 1).unwrap_or(u32::MAX))
}

const fn answer(worker: WorkerId, ack: Seq, accepted: bool) -> Event {
    Event::Message { worker, message: FromWorker::Answer { ack, accepted } }
}

impl fmt::Display for Letter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Accept => write!(f, "a client comes"),
            Self::AcceptFails(failure) => write!(f, "accept fails: {failure:?}"),
            Self::Answer(at, nth, saying) => {
                write!(f, "worker {} says {saying:?} to its offer {nth}", worker(*at))
            }
            Self::Forged => write!(f, "worker 1 answers what it was not asked"),
            Self::Exits(at) => write!(f, "worker {} is reaped", worker(*at)),
            Self::Drains(at) => write!(f, "worker {} is drained", worker(*at)),
            Self::Proves(conn, proof) => write!(f, "connection {conn} is proven {proof:?}"),
            Self::Timer => write!(f, "a time-out"),
            Self::Leaves(at) => write!(f, "worker {} is told to leave", worker(*at)),
            Self::Closes => write!(f, "the listener is closed"),
        }
    }
}
