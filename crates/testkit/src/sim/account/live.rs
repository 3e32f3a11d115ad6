//! Open connections: who counts them, and how many each worker has.

use portcrew_core::primary::{Counter, Mode};
use portcrew_core::{ListenerId, Seq, SocketKind, WorkerId};

use super::{Account, Kernel, Listing};
use crate::sim::kernel::Socket;
use crate::sim::report::{Check, Checked, ensure};

/// Whether the connections of a listener are counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Counting {
    /// Nobody needs it.
    #[default]
    Off,
    /// The shell was asked.
    Asked,
    /// They are.
    By(Counter),
}

impl Account {
    /// Open connections of a worker, as this listener's scheduler must be shown them. What one accepts for itself is
    /// counted by nobody.
    #[must_use]
    pub fn live(&self, it: &Listing, worker: WorkerId) -> Option<u32> {
        let member = self.crew.get(&worker)?;
        match it.counting {
            _ if it.holding(worker)?.way == Mode::Shared => None,
            Counting::By(Counter::Kernel) => Some(member.live),
            Counting::By(Counter::Workers) if !member.is_silent => Some(member.live),
            Counting::By(Counter::Workers) | Counting::Off | Counting::Asked => None,
        }
    }

    /// The policy or the socket is another: counting begins or ends with it.
    pub(super) fn count_if_needed(&mut self, id: ListenerId, kernel: &Kernel) {
        let Some(it) = self.listings.get_mut(&id).filter(|it| it.open) else {
            return;
        };
        let Some(kind) = kernel.sockets.get(&id).map(Socket::kind) else {
            return;
        };
        let needed = self.rules.policy(&it.address).needs_live() && kind != SocketKind::Datagram;
        let tcp = kind == SocketKind::Tcp;
        match (needed, it.counting) {
            (true, Counting::Off) if tcp => it.counting = Counting::Asked,
            (true, Counting::Off) => {
                it.counting = Counting::By(Counter::Workers);
                return;
            }
            (false, Counting::Asked | Counting::By(_)) => it.counting = Counting::Off,
            (true, Counting::Asked | Counting::By(_)) | (false, Counting::Off) => return,
        }
        if tcp {
            self.due_counts.push((id, needed));
        }
    }

    /// Counting is begun or ended where it must be, and nowhere else.
    pub(super) fn counts(&mut self, listener: ListenerId, on: bool) -> Checked {
        let at = self.due_counts.iter().position(|it| *it == (listener, on));
        if let Some(at) = at {
            self.due_counts.swap_remove(at);
        }
        ensure(at.is_some(), Check::C11Live, || {
            format!("to count listener {listener}: {on}, which nobody needs")
        })
    }

    /// The shell says who tells.
    pub(super) fn counting(&mut self, listener: ListenerId, by: Counter) {
        if let Some(it) = self.listings.get_mut(&listener) {
            if it.counting == Counting::Asked {
                it.counting = Counting::By(by);
            }
        }
    }

    /// A worker took a connection. `told`: it will say when it ends.
    pub(super) fn opened(&mut self, worker: WorkerId, seq: Seq, listener: ListenerId, told: bool) {
        let counting = self.listings.get(&listener).map_or(Counting::Off, |it| it.counting);
        let Some(member) = self.crew.get_mut(&worker) else {
            return;
        };
        match (counting, told) {
            (Counting::By(Counter::Kernel), _) => member.live += 1,
            (Counting::By(Counter::Workers), true) => {
                member.live += 1;
                member.telling.insert(seq);
            }
            (Counting::By(Counter::Workers), false) => member.is_silent = true,
            (Counting::Off | Counting::Asked, _) => {}
        }
    }

    /// The kernel says that a counted connection has ended.
    pub(super) fn conn_ended(&mut self, worker: WorkerId) {
        if let Some(member) = self.crew.get_mut(&worker) {
            member.live = member.live.saturating_sub(1);
        }
    }

    /// A worker says that a connection has ended. Counted if it said that it would say so.
    pub(super) fn end_told(&mut self, worker: WorkerId, seq: Seq) {
        if self.crew.get_mut(&worker).is_some_and(|it| it.telling.remove(&seq)) {
            self.conn_ended(worker);
        }
    }
}
