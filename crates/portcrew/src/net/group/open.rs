//! The first member of a group: on a port that nobody else has.

use std::io;
use std::net::SocketAddr;

use portcrew_core::{Address, Family, Query};
use rustix::io::Errno;
use rustix::net::sockopt;

use super::lock::PortLock;
use super::{Group, Protocol};
use crate::net::accept;
use crate::net::bind::{self, Bound, Reuse};
use crate::net::refused::Refused;
use crate::net::zone;

/// So many ports that the kernel chose are tried, where another group has just locked each of them.
const PORTS_TRIED: usize = 8;

/// The first member, and what is the same for all.
#[derive(Debug)]
pub(super) struct First {
    pub(super) lock: PortLock,
    pub(super) protocol: Protocol,
    pub(super) address: SocketAddr,
    pub(super) query: Query,
    pub(super) bound: Bound,
}

pub(super) fn first(query: &Query) -> Result<First, Refused> {
    let protocol = Protocol::of(&query.address)?;
    if !Group::suits(&query.address) {
        return Err(io::Error::from(Errno::INVAL).into());
    }
    for _ in 1..PORTS_TRIED {
        match attempt(query, protocol) {
            Err(refused) if is_chosen(&query.address) && is_taken(&refused) => {}
            outcome => return outcome,
        }
    }
    attempt(query, protocol)
}

/// A socket that shares with nobody finds out whether the port can be had, and which it is. It is open until the member
/// is there, so that the kernel gives the port to nobody else meanwhile. Two of TCP that do not listen may have it at
/// once: the lock decides between them, and whoever comes later meets the member.
///
/// (Two groups that are opened in the same moment on one port, one for an address and one for all of them, are not seen:
/// the kernel has both, and gives connections to the first. One that is there already is always seen.)
fn attempt(query: &Query, protocol: Protocol) -> Result<First, Refused> {
    let probe = bind::probe(&with_flags(query, 0))?;
    let Some(address) = accept::local(&probe.socket) else {
        return Err(io::Error::from(Errno::INVAL).into());
    };
    let lock = PortLock::take(protocol, address)?;
    let query = at(query, address);
    match protocol {
        Protocol::Tcp => {}
        // Two of UDP have a port together only if both allow it. It did not before it had it.
        Protocol::Udp => {
            sockopt::set_socket_reuseport(&probe.socket, true).map_err(io::Error::from)?;
        }
    }
    let bound = bind::bind_reusing(&query, Reuse::Port)?;
    // UDP: the probe was the first of the group, and the member moves into its place.
    drop(probe);
    Ok(First { lock, protocol, address, query, bound })
}

/// What every member asks for, this address included.
fn at(query: &Query, at: SocketAddr) -> Query {
    let mut query = with_flags(query, Address::UDP_REUSE_PORT);
    match &mut query.address {
        Address::Tcp { host, port, family, .. } | Address::Udp { host, port, family, .. } => {
            *host = Some(zone::host_text(&at));
            *port = at.port();
            *family = if at.is_ipv4() { Family::V4 } else { Family::V6 };
        }
        // They have no group.
        Address::Unix { .. } | Address::Fd { .. } => {}
    }
    query
}

/// With these ways of sharing a UDP port and no other.
fn with_flags(query: &Query, shares: u32) -> Query {
    let mut query = query.clone();
    if let Address::Udp { flags, .. } = &mut query.address {
        *flags = *flags & Address::UDP_IPV6_ONLY | shares;
    }
    query
}

const fn is_chosen(address: &Address) -> bool {
    matches!(address, Address::Tcp { port: 0, .. } | Address::Udp { port: 0, .. })
}

fn is_taken(refused: &Refused) -> bool {
    refused.source.kind() == io::ErrorKind::AddrInUse
}
