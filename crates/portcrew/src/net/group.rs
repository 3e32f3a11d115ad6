//! The sockets of one listener under the policy `kernel`: one for each place, all on one port, all held by the primary.
//!
//! The kernel spreads connections and datagrams over them; [`Group::steer`] says over which. A socket belongs to a
//! place, not to a worker, so a death or a replacement closes nothing.

mod lock;
mod open;
mod steer;

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher as _, RandomState};
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::Arc;

use portcrew_core::primary::BoundTo;
use portcrew_core::{Address, MemberId, Query};
use portcrew_ipc::probe::accept_queue;
use portcrew_ipc::reuseport::Order;
use rustix::net::{RecvFlags, Shutdown, recv, shutdown};

use super::bind::{self, Bound, Reuse};
use super::refused::{Call, Refused};
use lock::PortLock;
use open::First;

/// Most datagrams of a place that is closed which are thrown away, 65,536. What lies behind them whoever gets the socket
/// next receives.
const DISCARDED: usize = 65_536;

/// The member sockets of one listener, TCP or UDP.
#[derive(Debug)]
pub(crate) struct Group {
    /// What each further member binds: the address and the port that the first one got.
    query: Query,
    address: SocketAddr,
    protocol: Protocol,
    members: BTreeMap<MemberId, Member>,
    /// UDP sockets of places that are closed. They stay in the group until a new place takes one: that a worker, or what
    /// it started, still has one open cannot be seen, and each that were closed behind our back would change the order.
    /// No more than there ever were places at once.
    spare: Vec<Member>,
    order: Order<SocketId>,
    /// Several were shut down at once, so which index each of the others has is not known: all count as live.
    order_is_lost: bool,
    next_id: u64,
    live: BTreeSet<MemberId>,
    salt: u32,
    /// Given up after the members are closed.
    _lock: PortLock,
}

/// What shares the port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Tcp,
    Udp,
}

/// A socket of the group, whatever place it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct SocketId(u64);

#[derive(Debug)]
struct Member {
    id: SocketId,
    socket: Arc<OwnedFd>,
}

impl Group {
    /// Whether a listener with this address can be a group. Not one on a path or a descriptor, and not a UDP socket that
    /// shares its address with other programs (`SO_REUSEADDR`, for multicast).
    pub(crate) fn suits(address: &Address) -> bool {
        match address {
            Address::Tcp { .. } => true,
            Address::Udp { fd, flags, .. } => {
                fd.is_none() && flags & Address::UDP_REUSE_ADDRESS == 0
            }
            Address::Unix { .. } | Address::Fd { .. } => false,
        }
    }

    /// Makes the first member, which listens. No other program has the port: not even one of this user that would share
    /// it.
    ///
    /// # Errors
    /// As a bind of a socket that shares with nobody. `AddrInUse` also while another group of this user has the port, or
    /// is about to. `InvalidInput` for an address that does not [suit](Self::suits).
    pub(crate) fn open(query: &Query, place: MemberId) -> Result<(Self, BoundTo), Refused> {
        let First { lock, protocol, address, query, bound } = open::first(query)?;
        let Bound { socket, to, .. } = bound;
        let mut group = Self {
            query,
            address,
            protocol,
            members: BTreeMap::new(),
            spare: Vec::new(),
            order: Order::new(),
            order_is_lost: false,
            next_id: 0,
            live: BTreeSet::new(),
            // The keys of a hash map are random; that is all that std has of that.
            salt: RandomState::new().hash_one(0) as u32,
            _lock: lock,
        };
        group.join(place, socket);
        group.attach()?;
        Ok((group, to))
    }

    /// The member of this place: the one that there is, or a new one, which listens. It gets something new from the next
    /// [`steer`](Self::steer) with this place on, or while no place is live.
    ///
    /// # Errors
    /// There is no descriptor or no memory. The group has the members that it had.
    pub(crate) fn add(&mut self, place: MemberId) -> Result<Arc<OwnedFd>, Refused> {
        if let Some(member) = self.members.get(&place) {
            return Ok(Arc::clone(&member.socket));
        }
        let socket = if let Some(member) = self.spare.pop() {
            let socket = Arc::clone(&member.socket);
            self.members.insert(place, member);
            socket
        } else {
            self.see_who_was_shut();
            // The program before says nothing of this index, so nothing comes to it yet.
            self.join(place, bind::bind_reusing(&self.query, Reuse::Port)?.socket)
        };
        if let Err(error) = self.attach() {
            self.close(place);
            return Err(error.into());
        }
        Ok(socket)
    }

    /// The member of this place.
    pub(crate) fn get(&self, place: MemberId) -> Option<&Arc<OwnedFd>> {
        self.members.get(&place).map(|it| &it.socket)
    }

    /// Closes the member of this place for all who have it open. Connections that wait at it, and those whose handshake is
    /// not done, are reset: steer away from it first, and give it time. Datagrams that nobody has received are thrown
    /// away.
    pub(crate) fn close(&mut self, place: MemberId) {
        self.see_who_was_shut();
        let Some(member) = self.members.remove(&place) else { return };
        self.live.remove(&place);
        match self.protocol {
            Protocol::Tcp => {
                self.make_way(member.id);
                // Else it would stay in the group as long as a worker has it open. One that was shut down already is
                // refused (ENOTCONN), which is as good.
                let _ = shutdown(&member.socket, Shutdown::Both);
                self.order.left(member.id);
            }
            Protocol::Udp => {}
        }
        // There is nobody to be told. Over all is better than over the members of before.
        let _ = self.attach_or_detach();
        match self.protocol {
            Protocol::Tcp => drop(member),
            Protocol::Udp => {
                discard(&member.socket);
                self.spare.push(member);
            }
        }
    }

    /// Has everything that is new go to these places; to all if none of them has a member. Flows whose place is among them
    /// stay there. What has come before stays where it is.
    ///
    /// # Errors
    /// The kernel has no memory for it. Then it goes on as before, and the next change of the group tries it again.
    pub(crate) fn steer(&mut self, live: &[MemberId]) -> io::Result<()> {
        self.see_who_was_shut();
        self.live = live.iter().copied().collect();
        self.attach()
    }

    /// How many connections wait at this place's member. None for UDP, and for one that does not listen any more.
    pub(crate) fn waiting(&self, place: MemberId) -> Option<u32> {
        let member = self.members.get(&place)?;
        accept_queue(member.socket.as_fd()).ok().map(|queue| queue.waiting)
    }

    /// Has a TCP member listen again that somebody has shut down. The port, if it did not listen. To be called when the
    /// kernel has told of its hang-up, and then only.
    ///
    /// # Errors
    /// What the system says; the place's member is no part of the group until a later call succeeds.
    pub(crate) fn listen_again(&mut self, place: MemberId) -> Result<Option<u16>, Refused> {
        self.see_who_was_shut();
        let Some(member) = self.members.get(&place).filter(|_| self.protocol == Protocol::Tcp)
        else {
            return Ok(None);
        };
        let id = member.id;
        let again = bind::listen_again(member.socket.as_fd(), self.address, self.query.backlog);
        if again.is_ok() {
            // Also where another was faster: it had left, and has come back as the last.
            self.order.left(id);
            self.order.joined(id);
        }
        let attached = self.attach_or_detach();
        let did_not = again?;
        attached?;
        Ok(did_not.then_some(self.address.port()))
    }

    /// Whether its members listen for connections.
    pub(crate) fn is_tcp(&self) -> bool {
        self.protocol == Protocol::Tcp
    }

    /// Every place that has a member.
    pub(crate) fn places(&self) -> impl Iterator<Item = MemberId> {
        self.members.keys().copied()
    }

    fn join(&mut self, place: MemberId, socket: OwnedFd) -> Arc<OwnedFd> {
        let id = SocketId(self.next_id);
        self.next_id += 1;
        let socket = Arc::new(socket);
        self.members.insert(place, Member { id, socket: Arc::clone(&socket) });
        self.order.joined(id);
        socket
    }
}

/// Throws away what nobody has received.
fn discard(socket: &OwnedFd) {
    let at_once = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
    for _ in 0..DISCARDED {
        // An error of the network is taken by the call that tells it; nothing to be read ends this.
        if recv(socket, &mut [0_u8; 1], at_once).is_err() {
            return;
        }
    }
}

impl Protocol {
    const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }

    fn of(address: &Address) -> Result<Self, Refused> {
        match address {
            Address::Tcp { .. } => Ok(Self::Tcp),
            Address::Udp { fd: None, .. } => Ok(Self::Udp),
            Address::Udp { fd: Some(_), .. } | Address::Unix { .. } | Address::Fd { .. } => {
                Err(Call::Bind.refused(rustix::io::Errno::INVAL))
            }
        }
    }
}

#[cfg(test)]
mod tests;
