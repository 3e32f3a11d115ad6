//! The two sockets between the primary and one worker: Node's channel and the lane.

use std::collections::VecDeque;

use portcrew_core::worker::Verdict;
use portcrew_core::{ConnId, FromWorker, Key, ListenerId, Seq, ToWorker};

/// Connections that one lane packet carries at most.
pub const PACKET: usize = 64;

/// From the primary by the channel.
#[derive(Debug)]
pub enum Down {
    /// A cluster message.
    Message(ToWorker),
    /// The text by which a crew's workers are told to leave.
    Text,
    /// A connection with its descriptor.
    Conn {
        /// The offer's number.
        seq: Seq,
        /// Which.
        conn: ConnId,
        /// For which listener.
        key: Key,
    },
}

/// From the worker by the channel.
#[derive(Debug)]
pub enum Up {
    /// A cluster message.
    Message(FromWorker),
    /// The descriptor came: the next may be sent.
    HandleAck,
    /// It did not.
    HandleNack,
    /// Bytes that are no message.
    Garbage,
}

/// One record of a lane packet.
#[derive(Debug, Clone, Copy)]
pub struct LaneOffer {
    /// The offer's number.
    pub seq: Seq,
    /// Which.
    pub conn: ConnId,
    /// For which listener.
    pub listener: ListenerId,
}

/// From the worker by the lane: one record of a packet.
#[derive(Debug, Clone, Copy)]
pub enum LaneWord {
    /// An answer.
    Answer(Seq, Verdict),
    /// It has the connection, and will say when it ends.
    Kept(Seq),
    /// A connection has ended of which it said so.
    Ended(Seq),
}

/// What lies in the sockets of one worker.
#[derive(Debug, Default)]
pub struct Link {
    /// Channel, towards the worker.
    pub down: VecDeque<Down>,
    /// Channel, towards the primary.
    pub up: VecDeque<Up>,
    /// The pair has a lane.
    pub has_lane: bool,
    /// Lane packets towards the worker.
    pub offers: VecDeque<Vec<LaneOffer>>,
    /// Lane packets towards the primary.
    pub answers: VecDeque<Vec<LaneWord>>,
    /// Messages that fit into each direction of the channel.
    pub channel_room: usize,
    /// Packets that fit into each direction of the lane.
    pub lane_room: usize,
    /// Somebody has the worker's ends open: the worker, or a grandchild of the primary.
    pub worker_end: bool,
    /// The primary has its ends open.
    pub primary_end: bool,
}

impl Link {
    /// The worker's ends are closed: what it had not read is lost, what it had sent is still there.
    pub fn close_worker_end(&mut self) {
        self.worker_end = false;
        self.down.clear();
        self.offers.clear();
    }

    /// The primary's ends are closed: what it had sent is still there.
    pub fn close_primary_end(&mut self) {
        self.primary_end = false;
        self.up.clear();
        self.answers.clear();
    }

    /// Both sides have it open.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.primary_end && self.worker_end
    }

    /// Nothing more comes from the worker.
    #[must_use]
    pub fn is_drained(&self) -> bool {
        !self.worker_end && self.up.is_empty() && self.answers.is_empty()
    }

    /// Whether this connection is on its way to the worker.
    #[must_use]
    pub fn carries(&self, conn: ConnId) -> bool {
        let down = |it: &Down| matches!(it, Down::Conn { conn: it, .. } if *it == conn);
        self.down.iter().any(down) || self.offers.iter().flatten().any(|it| it.conn == conn)
    }

    /// A connection waits for the worker.
    #[must_use]
    pub fn holds_connection(&self) -> bool {
        !self.offers.is_empty() || self.down.iter().any(|it| matches!(it, Down::Conn { .. }))
    }
}
