//! Sockets of one port, and what waits in each.

use std::collections::{BTreeMap, VecDeque};

use portcrew_core::{ConnId, MemberId, Time};

use crate::sim::Rng;

/// What the kernel has of one listener.
#[derive(Debug, Default)]
pub(super) struct Kernel {
    pub(super) members: BTreeMap<MemberId, Member>,
    /// Over which new connections are spread; nobody is all.
    pub(super) live: Vec<MemberId>,
    /// Somebody wants to know of the next connection.
    pub(super) armed: bool,
    /// One has waited at a look, or since the last one.
    pub(super) fired: bool,
}

/// One socket.
#[derive(Debug, Default)]
pub(super) struct Member {
    /// Those who wait to be accepted, since when.
    pub(super) queue: VecDeque<(ConnId, Time)>,
    /// Those whose handshake ends at this time.
    pub(super) half_open: Vec<(ConnId, Time)>,
}

impl Kernel {
    /// To which socket a connection that begins now belongs.
    pub(super) fn choose(&self, rng: &mut Rng) -> Option<MemberId> {
        let all: Vec<_> = if self.live.is_empty() {
            self.members.keys().copied().collect()
        } else {
            self.live.clone()
        };
        (!all.is_empty()).then(|| rng.one_of(&all))
    }

    /// Handshakes end that are to end by now.
    pub(super) fn settle(&mut self, now: Time) {
        for member in self.members.values_mut() {
            let (over, begun) = std::mem::take(&mut member.half_open)
                .into_iter()
                .partition::<Vec<_>, _>(|it| it.1 <= now);
            member.half_open = begun;
            self.fired |= !over.is_empty();
            member.queue.extend(over.into_iter().map(|(conn, _)| (conn, now)));
        }
    }

    pub(super) fn waiting(&self) -> usize {
        self.members.values().map(|it| it.queue.len()).sum()
    }
}
