//! The same client to the same worker, as long as that one is there.

use std::cmp::Reverse;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::rendezvous;
use crate::scheduler::{
    Incoming, Look, LookFor, Needs, Pick, Scheduler, Seat, WorkerView, round_robin_among,
};

/// Sends a client to the worker whose seat weighs most for it. A worker that is lost moves only its own clients,
/// to where they are second at home; its successor gets them back.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sticky {
    /// What makes two connections of one client.
    pub by: StickyBy,
    /// Deal a client without the [value](StickyBy::Value) out in turn, not by its address: for sessions whose name is
    /// made up by the worker that is met first. Default: no.
    pub in_turn: bool,
    /// Believe the header of the PROXY protocol about the client's address. Only where nobody but the proxy can
    /// connect. The worker reads the header too. Default: no.
    pub proxy: bool,
    /// How many leading bits of an IPv4 address make a client. Default 32.
    pub ipv4_prefix: u8,
    /// The same of an IPv6 address. Default 64: what one household or host has.
    pub ipv6_prefix: u8,
    /// How long a connection waits for its worker while that one is busy. Beyond it: it moves to the next in
    /// weight that is free. Default 1 s.
    pub wait: Duration,
}

/// What makes two connections of one client.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum StickyBy {
    /// The address that they come from.
    #[default]
    Address,
    /// A value in the head of the first request; the address where there is none. One that ends in `.w` and the
    /// number of a slot names its place itself: so a server that makes up its sessions' names
    /// (`abc.w` + `NODE_APP_INSTANCE`) has them come back to where they were made.
    Value(LookFor),
}

impl Default for Sticky {
    fn default() -> Self {
        Self {
            by: StickyBy::Address,
            in_turn: false,
            proxy: false,
            ipv4_prefix: 32,
            ipv6_prefix: 64,
            wait: Duration::from_secs(1),
        }
    }
}

impl Sticky {
    /// By a value in the head of the first request.
    #[must_use]
    pub fn by_value(value: LookFor) -> Self {
        Self { by: StickyBy::Value(value), ..Self::default() }
    }

    fn key(&self, incoming: &Incoming) -> Option<u64> {
        match (&self.by, incoming.key) {
            (StickyBy::Value(_), None) if self.in_turn => None,
            (StickyBy::Value(_) | StickyBy::Address, None) => {
                Some(self.key_of_address(incoming.source?))
            }
            (_, key) => key,
        }
    }

    fn key_of_address(&self, source: SocketAddr) -> u64 {
        // A dual-stack listener shows an IPv4 client in its IPv6 form.
        match source.ip().to_canonical() {
            IpAddr::V4(ip) => {
                let bits = u32::MAX.checked_shl(32 - u32::from(self.ipv4_prefix.min(32)));
                rendezvous::hash(&(ip.to_bits() & bits.unwrap_or(0)).to_be_bytes())
            }
            IpAddr::V6(ip) => {
                let bits = u128::MAX.checked_shl(128 - u32::from(self.ipv6_prefix.min(128)));
                rendezvous::hash(&(ip.to_bits() & bits.unwrap_or(0)).to_be_bytes())
            }
        }
    }
}

impl Scheduler for Sticky {
    fn pick(&mut self, incoming: &Incoming, workers: &[WorkerView]) -> Pick {
        let Some(key) = self.key(incoming) else {
            // A new client, a Unix-domain socket, or a client that has gone: nothing to stick to.
            return round_robin_among(workers);
        };
        // During a reload two workers have one seat: the newer one is to keep it.
        let rank = |view: &&WorkerView| {
            (rendezvous::weight(key, view.seat), view.generation, Reverse(view.worker))
        };
        let named = workers.iter().filter(|view| is_named(incoming, view)).max_by_key(rank);
        let Some(home) = named.or_else(|| workers.iter().max_by_key(rank)) else {
            return Pick::Wait;
        };
        if home.is_free() {
            return Pick::Worker(home.worker);
        }
        let left = self.wait.saturating_sub(incoming.waited);
        if !left.is_zero() {
            return Pick::WaitAtMost(left);
        }
        let next = workers.iter().filter(|view| view.is_free()).max_by_key(rank);
        next.map_or(Pick::Wait, |view| Pick::Worker(view.worker))
    }

    fn needs(&self) -> Needs {
        let value = match &self.by {
            StickyBy::Address => None,
            StickyBy::Value(value) => Some(value.clone()),
        };
        let look = Look { proxy: self.proxy, value };
        Needs { look: (!look.is_nothing()).then_some(look), ..Needs::NONE }
    }

    fn name(&self) -> &'static str {
        "sticky"
    }
}

/// Whether the value names the place of this worker.
fn is_named(incoming: &Incoming, view: &WorkerView) -> bool {
    match (view.seat, incoming.route) {
        (Seat::Slot(slot), Some(route)) => usize::try_from(route) == Ok(slot.0),
        (Seat::Slot(_) | Seat::Alone(_), _) => false,
    }
}

#[cfg(test)]
mod tests;
