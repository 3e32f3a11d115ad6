//! Every connection that the primary still answers for, and where it is.

use std::net::SocketAddr;

use super::listener::{Accepting, State};
use super::{Mode, Primary};
use crate::scheduler::WorkerView;
use crate::{ConnId, Key, ListenerId, Seq, Time, WorkerId};

/// Where a connection is while the primary's copy of it is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// In its listener's queue.
    Held,
    /// Offered to this worker, which has not answered.
    Offered(WorkerId, Seq),
}

/// A connection's record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conn {
    pub(super) listener: ListenerId,
    pub(super) peer: Option<SocketAddr>,
    pub(super) accepted_at: Time,
    pub(super) refusals: u32,
    pub(super) place: Place,
}

/// A listener, for those who watch: the simulator's checkers, status, metrics.
#[derive(Debug)]
pub struct View<'a> {
    /// Its number.
    pub listener: ListenerId,
    /// Its key.
    pub key: &'a Key,
    /// Who accepts from it.
    pub mode: Mode,
    /// Whether its socket exists.
    pub is_open: bool,
    /// Whether the primary accepts from it now.
    pub is_accepting: bool,
    /// Whether it rests because `accept` failed.
    pub is_resting: bool,
    /// Connections that wait for a worker, the oldest first.
    pub waiting: Vec<ConnId>,
    /// The workers that hold it.
    pub holders: &'a [WorkerView],
}

impl Primary {
    /// Every connection whose copy is open, and where it is.
    pub fn connections(&self) -> impl Iterator<Item = (ConnId, Place)> + '_ {
        self.conns.iter().map(|(id, conn)| (*id, conn.place))
    }

    /// Every listener.
    pub fn listeners(&self) -> impl Iterator<Item = View<'_>> {
        self.listeners.iter().map(|(id, listener)| View {
            listener: *id,
            key: &listener.key,
            mode: listener.mode,
            is_open: matches!(listener.state, State::Open(_)),
            is_accepting: listener.accepting == Accepting::On,
            is_resting: listener.accepting == Accepting::Resting,
            waiting: listener.queue.iter().copied().collect(),
            holders: &listener.holders,
        })
    }
}
