//! Groups, clients, and what waits where.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use portcrew_core::SlotId;
use portcrew_core::scheduler::Seat;
use portcrew_core::{Address, Family, Query};

use crate::net::group::Group;

pub(super) const DEADLINE: Duration = Duration::from_secs(30);

pub(super) fn query(address: Address) -> Query {
    Query { address, index: 0, backlog: None, data: None }
}

pub(super) fn tcp(host: &str, port: u16) -> Query {
    let family = if host.contains(':') { Family::V6 } else { Family::V4 };
    query(Address::Tcp { host: Some(host.into()), port, family, ipv6_only: false })
}

pub(super) fn udp(host: &str, port: u16) -> Query {
    let family = if host.contains(':') { Family::V6 } else { Family::V4 };
    query(Address::Udp { host: Some(host.into()), port, family, flags: 0, fd: None })
}

pub(super) fn seat(number: u32) -> Seat {
    Seat::Slot(SlotId(number))
}

pub(super) fn seats(numbers: &[u32]) -> Vec<Seat> {
    numbers.iter().copied().map(seat).collect()
}

/// A group with so many seats, all of them live.
pub(super) fn group(query: &Query, count: u32) -> (Group, SocketAddr) {
    let (mut group, to) = Group::open(query, seat(0)).unwrap();
    let all: Vec<_> = (0..count).map(seat).collect();
    for seat in &all {
        group.add(*seat).unwrap();
    }
    group.steer(&all).unwrap();
    let port = to.sockname.unwrap().port;
    let host = if group.address.is_ipv4() { "127.0.0.1" } else { "::1" };
    (group, SocketAddr::new(host.parse().unwrap(), port))
}

/// Connects so many clients, and says how many wait at each seat. They are there when `connect` returns, over loopback.
pub(super) fn spread(group: &Group, at: SocketAddr, count: usize) -> Vec<(Seat, u32)> {
    let waited: u32 = counts(group).iter().map(|(_, count)| count).sum();
    let _clients: Vec<_> = (0..count).map(|_| TcpStream::connect(at).unwrap()).collect();
    let hang = Instant::now() + DEADLINE;
    loop {
        let counts = counts(group);
        let waiting: u32 = counts.iter().map(|(_, count)| count).sum();
        if waiting as usize == waited as usize + count {
            return counts;
        }
        assert!(Instant::now() < hang, "{counts:?}");
        std::thread::yield_now();
    }
}

fn counts(group: &Group) -> Vec<(Seat, u32)> {
    group.seats().filter_map(|seat| Some((seat, group.waiting(seat)?))).collect()
}

/// The seats at which somebody waits.
pub(super) fn reached(counts: &[(Seat, u32)]) -> Vec<Seat> {
    counts.iter().filter(|(_, count)| *count > 0).map(|(seat, _)| *seat).collect()
}

/// Accepts all that wait at this seat.
pub(super) fn accept_all(group: &Group, seat: Seat) -> Vec<TcpStream> {
    let listener = TcpListener::from(own(group.get(seat).unwrap()));
    std::iter::from_fn(|| listener.accept().ok().map(|(stream, _)| stream)).collect()
}

pub(super) fn udp_socket(group: &Group, seat: Seat) -> UdpSocket {
    UdpSocket::from(own(group.get(seat).unwrap()))
}

/// As a worker has it.
pub(super) fn own(socket: &Arc<OwnedFd>) -> OwnedFd {
    socket.try_clone().unwrap()
}
