//! Every connection that the primary still answers for, and where it is.

use std::net::SocketAddr;

use super::listener::{Accepting, Counts, State};
use super::live::{Counter, Counting};
use super::looking::Sight;
use super::{Mode, Primary};
use crate::scheduler::{Incoming, WorkerView};
use crate::{ConnId, Key, ListenerId, MemberId, Seq, Time, WorkerId};

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
    /// From which of the listener's sockets, where the kernel spreads connections over several.
    pub(super) member: Option<MemberId>,
    pub(super) peer: Option<SocketAddr>,
    pub(super) local: Option<SocketAddr>,
    /// What a proxy says of the client, else the peer.
    pub(super) source: Option<SocketAddr>,
    /// Stands for the value that was found in its first bytes.
    pub(super) key: Option<u64>,
    /// The slot that this value names.
    pub(super) route: Option<u32>,
    pub(super) sight: Sight,
    pub(super) accepted_at: Time,
    pub(super) refusals: u32,
    pub(super) place: Place,
}

impl Conn {
    /// One that was accepted just now.
    pub(super) const fn accepted(
        now: Time,
        (listener, member): (ListenerId, Option<MemberId>),
        peer: Option<SocketAddr>,
        local: Option<SocketAddr>,
    ) -> Self {
        Self {
            listener,
            member,
            peer,
            local,
            source: peer,
            key: None,
            route: None,
            sight: Sight::Settled,
            accepted_at: now,
            refusals: 0,
            place: Place::Held,
        }
    }

    pub(super) fn incoming(&self, now: Time) -> Incoming {
        Incoming {
            listener: self.listener,
            source: self.source,
            peer: self.peer,
            local: self.local,
            key: self.key,
            route: self.route,
            waited: now.since(self.accepted_at),
        }
    }
}

/// A listener, for those who watch: the simulator's checkers, status, metrics.
#[derive(Debug)]
pub struct View<'a> {
    /// Its number.
    pub listener: ListenerId,
    /// Its key.
    pub key: &'a Key,
    /// Who accepts from it, as its policy wants it. While workers are being replaced some may do otherwise.
    pub mode: Mode,
    /// What its policy is called.
    pub policy: &'static str,
    /// Who tells when its connections end; `None` while no policy needs to know.
    pub counted_by: Option<Counter>,
    /// What its scheduler has decided.
    pub counts: Counts,
    /// Whether its socket exists.
    pub is_open: bool,
    /// Connections that came to it, as far as the primary accepts them: those that the policy or the limits turned away
    /// included. `None` where workers have accepted by themselves: nobody counts theirs.
    pub accepted: Option<u64>,
    /// Those of them that a worker took.
    pub taken: Option<u64>,
    /// Whether the primary accepts from it now.
    pub is_accepting: bool,
    /// Whether it only does so to close what it accepts.
    pub is_shedding: bool,
    /// Whether it rests because `accept` failed.
    pub is_resting: bool,
    /// Connections that wait for a worker, the oldest first.
    pub waiting: Vec<ConnId>,
    /// The most that have waited at once since it was asked for. Whoever finds a free worker has not waited.
    pub deepest: usize,
    /// Its sockets, and whether the kernel gives each new connections. Empty where it is one socket.
    pub members: Vec<(MemberId, bool)>,
    /// The workers that hold it, those first that do not accept for themselves.
    pub holders: &'a [WorkerView],
    /// How many of them do not: the primary accepts for them.
    pub handed: usize,
    /// Those of the waiting whose first bytes are not there: no policy was asked about them yet.
    pub awaited: Vec<ConnId>,
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
            policy: self.rules.name_for(listener),
            counted_by: match listener.counting {
                Counting::By(counter) => Some(counter),
                Counting::Off | Counting::Asked => None,
            },
            counts: listener.counts,
            is_open: matches!(listener.state, State::Open(_)),
            accepted: listener.known(listener.accepted),
            taken: listener.known(listener.taken),
            is_accepting: listener.accepting.is_polled(),
            is_shedding: listener.accepting == Accepting::Shedding,
            is_resting: matches!(listener.accepting, Accepting::Resting(_)),
            waiting: listener.queue.iter().copied().collect(),
            deepest: listener.deepest,
            members: listener
                .members
                .iter()
                .map(|it| (it.0, listener.members.is_live(it.0)))
                .collect(),
            holders: &listener.holders,
            handed: listener.handed(),
            awaited: self.awaited(&listener.queue),
        })
    }

    fn awaited<'a>(&self, queue: impl IntoIterator<Item = &'a ConnId>) -> Vec<ConnId> {
        let awaited =
            |conn: &&ConnId| self.conns.get(conn).is_some_and(|it| it.sight == Sight::Awaited);
        queue.into_iter().filter(awaited).copied().collect()
    }
}
