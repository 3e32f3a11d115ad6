//! Answers that are owed, and which connection holds a worker up.
//!
//! A worker answers for a connection after its request was read, so the client may have its response, and be here
//! again, before the answer. Where the worker then loses the processor for a moment it seems to be held up and is not:
//! its turn would go to another. The kernel knows better: somebody has written on the connection.

use super::machine::Primary;
use crate::{ConnId, ListenerId, Seq, Time, WorkerId};

/// A connection that a worker was offered and has not answered for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owed {
    pub(super) seq: Seq,
    pub(super) since: Time,
    /// The worker serves it: only the answer is late.
    pub(super) served: bool,
    /// When the kernel was asked about it last.
    pub(super) asked: Option<Time>,
}

impl Primary {
    /// The connections for which free workers count as held up on this listener: of each the oldest that is not
    /// known to be served. Of those that a worker serves the machine is to be told
    /// ([`Event::Served`](super::Event::Served)) before the next connection is
    /// ([`Event::Accepted`](super::Event::Accepted)).
    ///
    /// Each is asked about once in [`Limits::held_up`](crate::Limits::held_up) at most: where all workers are busy every
    /// accept would otherwise ask about all of them.
    pub fn to_ask_about(
        &mut self,
        now: Time,
        listener: ListenerId,
        into: &mut Vec<(WorkerId, Seq, ConnId)>,
    ) {
        let Some(it) = self.listeners.get_mut(&listener) else {
            return;
        };
        let workers = &mut self.workers;
        it.ask_about(now, &self.limits, |worker, seq| {
            if let Some(offer) = workers.get_mut(&worker).and_then(|it| it.offers.get_mut(&seq)) {
                offer.asked = Some(now);
                into.push((worker, seq, offer.conn));
            }
        });
    }

    /// The kernel shows that a worker serves, or has served, what it has not answered for.
    pub(super) fn served(&mut self, now: Time, worker: WorkerId, seq: Seq) {
        let offer = self.workers.get_mut(&worker).and_then(|it| it.offers.get_mut(&seq));
        // The answer was quicker.
        let Some(offer) = offer else {
            return;
        };
        offer.served = true;
        if let Some(listener) = self.listeners.get_mut(&offer.listener) {
            listener.served(worker, seq, now, &self.limits);
        }
    }
}
