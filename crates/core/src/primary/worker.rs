//! One worker as the primary knows it.

use std::collections::{BTreeMap, BTreeSet};

use super::Exit;
use crate::scheduler::Seat;
use crate::supervise::Generation;
use crate::{ConnId, ListenerId, Seq, Time, WorkerId};

/// How far a worker's life has come. The channel and the process end in either order, as in Node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Life {
    /// Channel open, process running.
    Connected(Stage),
    /// The channel ended first; the process still runs. It gets nothing and answers nothing.
    Disconnected,
    /// The process ended first; what it sent before is still being read.
    Exited(Exit),
}

/// What a connected worker has said so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing.
    Forked,
    /// `online`.
    Online,
    /// `listening`, at least once.
    Listening,
    /// It was told to leave, or said that it will, or is made to end: it gets no new connection and no new listener.
    Leaving,
}

/// An offer that was not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) conn: ConnId,
    pub(super) listener: ListenerId,
    pub(super) at: Time,
    /// The worker serves it already.
    pub(super) served: bool,
    /// When the kernel was asked about that last.
    pub(super) asked: Option<Time>,
}

/// Where a worker belongs: for schedulers alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// What it has in common with its successor.
    pub seat: Seat,
    /// What it was started with.
    pub generation: Generation,
}

impl Origin {
    /// Of a worker that was forked by hand.
    #[must_use]
    pub const fn alone(worker: WorkerId) -> Self {
        Self { seat: Seat::Alone(worker), generation: Generation::FIRST }
    }
}

/// A worker's record.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) life: Life,
    pub(super) origin: Origin,
    /// Whether the end that comes is planned: Node's `exitedAfterDisconnect`.
    pub(super) planned: bool,
    pub(super) lane: bool,
    /// It must not be handed connections of a listener that it accepts from itself.
    pub(super) accepts_alone: bool,
    /// It has fewer rights than the primary.
    pub(super) confined: bool,
    pub(super) offers: BTreeMap<Seq, Offer>,
    pub(super) offences: u32,
    pub(super) listeners: usize,
    /// It was told to leave when it had no listener: it closes its channel as soon as it reads that.
    pub(super) goes_at_once: bool,
    /// Connections that it has open, as far as they are counted.
    pub(super) live: u32,
    /// Those of which it will tell the end, by the numbers of their offers.
    pub(super) telling: BTreeSet<Seq>,
    /// It has at least one of which nobody will tell the end.
    pub(super) is_silent: bool,
    /// Those of its connections whose end was told when it was ending itself.
    pub(super) ended_dying: u32,
    /// Listeners of which it has taken connections that nobody counted.
    pub(super) uncounted: BTreeSet<ListenerId>,
    /// It has a listening socket of its own, or shares one.
    pub(super) accepts_itself: bool,
    next_seq: u64,
}

impl Worker {
    pub(super) const fn forked(origin: Origin) -> Self {
        Self {
            life: Life::Connected(Stage::Forked),
            origin,
            planned: false,
            lane: false,
            accepts_alone: false,
            confined: false,
            offers: BTreeMap::new(),
            offences: 0,
            listeners: 0,
            goes_at_once: false,
            live: 0,
            telling: BTreeSet::new(),
            is_silent: false,
            ended_dying: 0,
            uncounted: BTreeSet::new(),
            accepts_itself: false,
            next_seq: 0,
        }
    }

    /// The number for the next message. Per worker, so one worker can never answer for another.
    pub(super) const fn take_seq(&mut self) -> Seq {
        let seq = Seq(self.next_seq);
        self.next_seq += 1;
        seq
    }

    /// Its channel is open and it has not been told to leave.
    pub(super) const fn may_listen(&self) -> bool {
        matches!(self.life, Life::Connected(Stage::Forked | Stage::Online | Stage::Listening))
    }

    pub(super) const fn is_connected(&self) -> bool {
        matches!(self.life, Life::Connected(_))
    }

    /// Moves a connected worker forward; never back, and not out of `Leaving`.
    pub(super) fn advance(&mut self, to: Stage) -> bool {
        match self.life {
            Life::Connected(stage) if stage < to => {
                self.life = Life::Connected(to);
                true
            }
            // Said twice, said too late, or said by a worker that is leaving: the stage stands.
            Life::Connected(_) | Life::Disconnected | Life::Exited(_) => false,
        }
    }
}
