//! Flows of real packets: they stay where they are, and leave only a member that is steered away from.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::time::Duration;

use rustix::net::sockopt;
use socket2::{Domain, Socket, Type};

use crate::common::skipped;
use crate::reuseport_world::{
    address, bound, listening, reached, received_by, steer, taken_by, until_waiting,
};

/// Where the group listens, and from where clients come.
const WORLDS: [(&str, &str); 4] =
    [("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "::1"), ("::", "127.0.0.1")];

fn worlds() -> impl Iterator<Item = (&'static str, IpAddr)> {
    let has_ipv6 = TcpListener::bind("[::1]:0").is_ok();
    if !has_ipv6 {
        skipped("this machine has no IPv6");
    }
    let worlds = WORLDS.into_iter().filter(move |(host, _)| has_ipv6 || !host.contains(':'));
    worlds.map(|(host, client)| (host, client.parse().unwrap()))
}

/// From where clients come that come again from the same port: nobody else may take it meanwhile, and others of this
/// machine's tests do not come from here.
fn own(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(_) => [127, 77, 0, 1].into(),
        IpAddr::V6(_) => ip,
    }
}

/// Connects from an address that stays the client's, so that it can come again from there.
fn connect_from(from: &mut SocketAddr, at: SocketAddr) -> TcpStream {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, None).unwrap();
    socket.set_reuse_address(true).unwrap();
    socket.bind(&(*from).into()).unwrap();
    socket.connect(&at.into()).unwrap();
    *from = address(&socket);
    socket.into()
}

#[test]
fn connections_of_live_members_stay_and_only_the_others_go_elsewhere() {
    for (host, ip) in worlds() {
        let sockets = listening(host, 4);
        let all: Vec<_> = sockets.iter().collect();
        let at = SocketAddr::new(ip, sockets[0].local_addr().unwrap().port());
        let mut clients = vec![SocketAddr::new(own(ip), 0); 60];
        let mut come = |live: &[usize]| -> Vec<usize> {
            steer(&sockets[0], 4, live);
            let came_to = |from| {
                let client = connect_from(from, at);
                let taken = taken_by(&all);
                // A reset: else the same address could not be used again for a minute.
                sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
                taken
            };
            clients.iter_mut().map(came_to).collect()
        };
        let before = come(&[0, 1, 2, 3]);
        assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 4);
        for live in [&[0, 1, 3][..], &[0, 3], &[3]] {
            for (own, now) in before.iter().zip(come(live)) {
                let stays = live.contains(own);
                assert!(
                    if stays { now == *own } else { live.contains(&now) },
                    "{own} {now} {live:?}"
                );
            }
        }
        assert_eq!(come(&[0, 1, 2, 3]), before);
    }
}

#[test]
fn datagrams_of_live_members_stay_and_only_the_others_go_elsewhere() {
    for (host, ip) in worlds() {
        let first = bound(SocketAddr::new(host.parse().unwrap(), 0), Type::DGRAM);
        let own = address(&first);
        let sockets = [first, bound(own, Type::DGRAM), bound(own, Type::DGRAM)];
        let at = SocketAddr::new(ip, own.port());
        let clients: Vec<_> = (0..60).map(|_| UdpSocket::bind((ip, 0)).unwrap()).collect();
        let send = |live: &[usize]| -> Vec<usize> {
            steer(&sockets[0], 3, live);
            let came_to = |client: &UdpSocket| {
                client.send_to(b"x", at).unwrap();
                received_by(&sockets)
            };
            clients.iter().map(came_to).collect()
        };
        let before = send(&[0, 1, 2]);
        assert_eq!(before.iter().collect::<BTreeSet<_>>().len(), 3);
        for (own, now) in before.iter().zip(send(&[0, 2])) {
            assert!(if *own == 1 { now != 1 } else { now == *own }, "{own} {now}");
        }
    }
}

#[test]
fn a_group_of_this_and_of_more_than_a_word_of_members_is_steered() {
    for count in [2, 33, 70] {
        let sockets = listening("127.0.0.1", count);
        let all: Vec<_> = sockets.iter().collect();
        let at = sockets[0].local_addr().unwrap();
        let live = [1, count - 1];
        steer(&sockets[0], count, &live);
        assert_eq!(reached(at, &all, 60), BTreeSet::from(live), "{count}");
    }
}

#[test]
fn what_waits_at_a_member_that_is_steered_away_from_can_still_be_accepted() {
    let sockets = listening("127.0.0.1", 2);
    let at = sockets[0].local_addr().unwrap();
    steer(&sockets[0], 2, &[1]);
    let clients: Vec<_> = (0..20).map(|_| TcpStream::connect(at).unwrap()).collect();
    steer(&sockets[0], 2, &[0]);
    until_waiting(&sockets[1], 20);
    assert_eq!(reached(at, &[&sockets[0]], 20), BTreeSet::from([0]));
    let mut came: BTreeSet<_> = clients.iter().map(|it| it.local_addr().unwrap()).collect();
    while let Ok((_, client)) = sockets[1].accept() {
        assert!(came.remove(&client));
    }
    assert!(came.is_empty());
}
