//! One worker as the primary knows it.

use std::collections::BTreeMap;

use super::Exit;
use crate::{ConnId, ListenerId, Seq};

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
    /// It was told to leave, or said that it will: it gets no new connection and no new listener.
    Leaving,
}

/// An offer that was not answered yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) conn: ConnId,
    pub(super) listener: ListenerId,
}

/// A worker's record.
#[derive(Debug)]
pub(super) struct Worker {
    pub(super) life: Life,
    /// Whether the end that comes is planned: Node's `exitedAfterDisconnect`.
    pub(super) planned: bool,
    pub(super) lane: bool,
    pub(super) offers: BTreeMap<Seq, Offer>,
    pub(super) offences: u32,
    pub(super) listeners: usize,
    /// It was told to leave when it had no listener: it closes its channel as soon as it reads that.
    pub(super) goes_at_once: bool,
    next_seq: u64,
}

impl Worker {
    pub(super) const fn forked() -> Self {
        Self {
            life: Life::Connected(Stage::Forked),
            planned: false,
            lane: false,
            offers: BTreeMap::new(),
            offences: 0,
            listeners: 0,
            goes_at_once: false,
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
