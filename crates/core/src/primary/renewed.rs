//! What is left of listeners when a crew has a new generation.
//!
//! A death leaves a listener for the successor. When the successor is of another generation and does not want it, nobody
//! ever will: clients would be accepted, and wait for nobody.

use super::Action;
use super::listener::Listener;
use super::machine::Primary;
use crate::scheduler::Seat;
use crate::supervise::Generation;
use crate::{ListenerId, WorkerId};

/// Newer than all: what somebody outside of a crew has asked for no reload takes away.
const OF_NO_CREW: Generation = Generation(u64::MAX);

impl Primary {
    /// Remembers who has asked for a listener.
    pub(super) fn note_asker(&mut self, worker: WorkerId, id: ListenerId) {
        let origin = self.workers.get(&worker).map(|it| it.origin);
        let generation = origin.map(|it| match it.seat {
            Seat::Slot(_) => it.generation,
            Seat::Alone(_) => OF_NO_CREW,
        });
        if let (Some(listener), Some(generation)) = (self.listeners.get_mut(&id), generation) {
            listener.newest = listener.newest.max(generation);
        }
    }

    /// Every worker of the crew that is to stay is of this generation: what it never asked for, and nobody holds, is
    /// closed. What somebody holds still, who is being ended, is closed with his end, whichever that is.
    pub(super) fn renewed(&mut self, generation: Generation, out: &mut Vec<Action>) {
        self.renewed = self.renewed.max(generation);
        let left = self.listeners.iter().filter(|it| it.1.is_left_by(generation));
        let left: Vec<_> = left.map(|it| *it.0).collect();
        for id in left {
            self.close_listener(id, out);
        }
    }
}

impl Listener {
    fn is_left_by(&self, generation: Generation) -> bool {
        let is_awaited = self.awaiting().next().is_some();
        !is_awaited && !self.is_kept && self.holders.is_empty() && self.newest < generation
    }
}
