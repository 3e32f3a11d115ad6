//! The primary's shell: it carries out actions upon the model kernel and brings events from it.

mod counting;
mod looking;
mod perform;
mod reading;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use portcrew_core::scheduler::Look;
use portcrew_core::{ConnId, Key, ListenerId, Query, Seq, Time, WorkerId};

use super::link::{Down, LaneOffer, Link, PACKET};

/// What the shell keeps.
#[derive(Debug, Default)]
pub struct Shell {
    /// One desk for each worker.
    pub desks: BTreeMap<WorkerId, Desk>,
    /// Names of listeners, for the channel.
    pub keys: BTreeMap<ListenerId, Key>,
    /// Sockets that are being bound.
    pub binds: VecDeque<(ListenerId, Query)>,
    /// Connections to be judged.
    pub proofs: VecDeque<(ConnId, WorkerId, Seq)>,
    /// Connections whose first bytes are looked at.
    pub looks: Vec<(ConnId, Arc<Look>)>,
    /// Listeners whose connections are counted, or were.
    pub counted: BTreeMap<ListenerId, Counted>,
    /// The machine is to be told who counts these.
    pub counts: VecDeque<ListenerId>,
    /// How many were shed, to be told.
    pub shed: Vec<(ListenerId, u32)>,
    /// Offers that have left the primary.
    pub sent: BTreeSet<(WorkerId, Seq)>,
    /// When the kernel was asked last whether what holds a worker up is served.
    pub asked: BTreeMap<(WorkerId, Seq), Time>,
}

/// Whether a listener's connections are counted, as the machine wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counted {
    /// They are not any more.
    Off,
    /// They are to be, and it was not said by whom.
    Wanted,
    /// The kernel tells when they end.
    ByKernel,
    /// The kernel does not.
    ByWorkers,
}

/// What waits to be written to one worker.
#[derive(Debug, Default)]
pub struct Desk {
    channel: VecDeque<Down>,
    lane: VecDeque<LaneOffer>,
    /// The offer whose descriptor is on the way: nothing else is written until it came.
    pub pending: Option<Seq>,
    /// The machine was told that the worker's sockets are at their end.
    pub drained: bool,
    /// The machine wants the sockets closed.
    pub closing: bool,
}

impl Desk {
    /// A connection that is let go before it was sent is not sent.
    fn forget(&mut self, gone: ConnId) {
        let other = |it: &Down| !matches!(it, Down::Conn { conn, .. } if *conn == gone);
        self.channel.retain(other);
        self.lane.retain(|it| it.conn != gone);
    }

    /// A message waits to be written.
    pub fn push(&mut self, message: Down) {
        self.channel.push_back(message);
    }

    /// Writes what fits. Says whether anything did, and which offers left.
    pub fn flush(
        &mut self,
        worker: WorkerId,
        link: &mut Link,
        sent: &mut BTreeSet<(WorkerId, Seq)>,
    ) -> bool {
        if !link.is_whole() {
            return false;
        }
        let mut wrote = false;
        while self.pending.is_none() && link.down.len() < link.channel_room {
            let Some(next) = self.channel.pop_front() else {
                break;
            };
            if let Down::Conn { seq, .. } = &next {
                self.pending = Some(*seq);
                sent.insert((worker, *seq));
            }
            link.down.push_back(next);
            wrote = true;
        }
        while !self.lane.is_empty() && link.offers.len() < link.lane_room {
            let packet: Vec<_> = self.lane.drain(..self.lane.len().min(PACKET)).collect();
            sent.extend(packet.iter().map(|it| (worker, it.seq)));
            link.offers.push_back(packet);
            wrote = true;
        }
        wrote
    }

    /// Something waits here.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.channel.is_empty() && self.lane.is_empty()
    }
}
