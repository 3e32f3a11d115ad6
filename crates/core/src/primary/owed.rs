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
    /// The worker has written on it: only the answer is late.
    pub(super) served: bool,
}

impl Primary {
    /// The connections for which workers count as held up on this listener: of each worker the oldest that is not
    /// known to be served. Of those that somebody has written on, the machine is to be told
    /// ([`Event::Served`](super::Event::Served)) before the next connection is
    /// ([`Event::Accepted`](super::Event::Accepted)).
    pub fn held_up_by(
        &self,
        now: Time,
        listener: ListenerId,
    ) -> impl Iterator<Item = (WorkerId, Seq, ConnId)> + '_ {
        let owed = self.listeners.get(&listener).map(|it| it.held_up(now, &self.limits));
        owed.into_iter().flatten().filter_map(|(worker, seq)| {
            let offer = self.workers.get(&worker)?.offers.get(&seq)?;
            Some((worker, seq, offer.conn))
        })
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
