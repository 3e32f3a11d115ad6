//! Events and actions in few words, for the reader of a trace.

use std::fmt;

use portcrew_core::primary::{Action, End, Event, Notice};
use portcrew_core::{Address, FromWorker, Query, Reply, ToWorker};

/// Something, in few words.
pub(super) struct Brief<'a, T>(pub(super) &'a T);

impl fmt::Display for Brief<'_, Query> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.address {
            Address::Tcp { port, .. } => write!(f, "port {port} #{}", self.0.index),
            Address::Unix { path, .. } => write!(f, "{path}"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Brief<'_, FromWorker> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            FromWorker::Query { seq, query } => write!(f, "asks {seq} for {}", Brief(query)),
            FromWorker::Listening { query, .. } => write!(f, "listens on {}", Brief(query)),
            FromWorker::Close { key } => write!(f, "closes {}", key.0),
            FromWorker::Answer { ack, accepted } => write!(f, "answers {ack}: {accepted}"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Brief<'_, Event> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Event::Message { worker, message } => write!(f, "worker {worker} {}", Brief(message)),
            Event::NotReceived { worker, seq } => write!(f, "worker {worker} did not get {seq}"),
            Event::Accepted { listener, conn, .. } => {
                write!(f, "connection {conn} accepted from listener {listener}")
            }
            Event::Bound { listener, outcome } => {
                write!(f, "listener {listener} bound: {}", outcome.is_ok())
            }
            Event::Proof { conn, proof } => write!(f, "connection {conn} is proven {proof:?}"),
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Brief<'_, Action> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Action::Send { worker, message, .. } => {
                write!(f, "tell worker {worker}: {}", Brief(message))
            }
            Action::Offer { worker, seq, conn, listener } => write!(
                f,
                "offer connection {conn} of listener {listener} to worker {worker} as {seq}"
            ),
            Action::Release { conn, end } => match end {
                End::Taken(worker) => write!(f, "connection {conn} is worker {worker}'s"),
                End::Closed(reason) => write!(f, "close connection {conn}: {}", reason.name()),
            },
            Action::Bind { listener, query, .. } => {
                write!(f, "bind listener {listener} to {}", Brief(query))
            }
            Action::Notify(notice) => write!(f, "notify: {}", Brief(notice)),
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Brief<'_, ToWorker> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            ToWorker::Reply { ack, listener, reply, .. } => {
                let outcome = match reply {
                    Reply::Handover { .. } => "handed over".into(),
                    other => format!("{other:?}"),
                };
                write!(f, "to {ack}, listener {listener}, {outcome}")
            }
            other => write!(f, "{other:?}"),
        }
    }
}

impl fmt::Display for Brief<'_, Notice> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Notice::Listening { worker, query, .. } => {
                write!(f, "worker {worker} listens on {}", Brief(query))
            }
            Notice::ListenFailed { worker, query, errno, .. } => {
                write!(f, "worker {worker} gets {errno:?} for {}", Brief(query))
            }
            Notice::Bound { listener, query, .. } => {
                write!(f, "listener {listener} is bound to {}", Brief(query))
            }
            other => write!(f, "{other:?}"),
        }
    }
}
