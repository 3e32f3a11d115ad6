//! Programs that have a socket of their own and are told to leave by a signal.
//!
//! Nobody can hand to another what waits there: such a program has no channel. So it is let accept that first, while new
//! connections go to others already. Where its place has another worker, or nobody is left, there is nothing to wait for.

use std::collections::BTreeMap;
use std::time::Duration;

use portcrew_core::{Time, WorkerId};

use super::Signal;
use super::driver::Driver;

/// So long it is let accept. A program that is stuck loses what waits then: it is closed with the socket.
const LET_ACCEPT: Duration = Duration::from_secs(1);

/// Who is to be signalled, by which signal, and when at the latest.
#[derive(Debug, Default)]
pub(super) struct Parting {
    waiting: BTreeMap<WorkerId, (Signal, Time)>,
}

impl Parting {
    pub(super) fn add(&mut self, worker: WorkerId, signal: Signal, now: Time) {
        self.waiting.insert(worker, (signal, now + LET_ACCEPT));
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Driver {
    pub(super) fn has_a_socket_of_its_own(&self, worker: WorkerId) -> bool {
        let is_mute = self.links.get(&worker).is_some_and(super::link::Link::is_mute);
        is_mute && self.opened().any(|listener| self.machine.is_spread(listener))
    }

    /// Signals those in whose sockets nothing waits any more, and those who had their time.
    pub(super) fn signal_parting(&mut self) {
        let waiting = std::mem::take(&mut self.retries.parting.waiting);
        for (worker, (signal, latest)) in waiting {
            if self.now < latest && self.is_still_served(worker) {
                self.retries.parting.waiting.insert(worker, (signal, latest));
            } else {
                self.signal(worker, signal);
            }
        }
    }

    /// Whether it alone can accept something that waits.
    fn is_still_served(&self, worker: WorkerId) -> bool {
        self.opened().any(|listener| {
            let member = self.machine.member_of(worker, listener);
            member.is_some_and(|member| {
                self.machine.is_left(listener, member) && self.spread.waits(listener, member)
            })
        })
    }
}
