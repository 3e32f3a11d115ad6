//! Groups, clients, and what waits where.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use portcrew_core::{Address, Family, MemberId, Query};

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

pub(super) fn place(number: usize) -> MemberId {
    MemberId(u32::try_from(number).unwrap())
}

pub(super) fn places(numbers: &[usize]) -> Vec<MemberId> {
    numbers.iter().copied().map(place).collect()
}

/// A group with so many places, all of them live.
pub(super) fn group(query: &Query, count: usize) -> (Group, SocketAddr) {
    let (mut group, to) = Group::open(query, place(0)).unwrap();
    let all: Vec<_> = (0..count).map(place).collect();
    for place in &all {
        group.add(*place).unwrap();
    }
    group.steer(&all).unwrap();
    let port = to.sockname.unwrap().port;
    let host = if group.address.is_ipv4() { "127.0.0.1" } else { "::1" };
    (group, SocketAddr::new(host.parse().unwrap(), port))
}

/// Connects so many clients, and says how many wait at each place once they all do.
pub(super) fn spread(group: &Group, at: SocketAddr, count: usize) -> Vec<(MemberId, u32)> {
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

fn counts(group: &Group) -> Vec<(MemberId, u32)> {
    group.places().filter_map(|place| Some((place, group.waiting(place)?))).collect()
}

/// The places at which somebody waits.
pub(super) fn reached(counts: &[(MemberId, u32)]) -> Vec<MemberId> {
    counts.iter().filter(|(_, count)| *count > 0).map(|(place, _)| *place).collect()
}

/// Accepts all that wait at this place.
pub(super) fn accept_all(group: &Group, place: MemberId) -> Vec<TcpStream> {
    let listener = TcpListener::from(own(group.get(place).unwrap()));
    std::iter::from_fn(|| listener.accept().ok().map(|(stream, _)| stream)).collect()
}

pub(super) fn udp_socket(group: &Group, place: MemberId) -> UdpSocket {
    UdpSocket::from(own(group.get(place).unwrap()))
}

/// As a worker has it.
pub(super) fn own(socket: &Arc<OwnedFd>) -> OwnedFd {
    socket.try_clone().unwrap()
}
