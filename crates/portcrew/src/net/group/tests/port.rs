//! Whose a port is.

use std::collections::BTreeSet;
use std::io;
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::sync::Barrier;

use portcrew_core::{Address, Family, Query};

use super::world::{group, place, places, query, reached, spread, tcp, udp};
use crate::net::bind::{Reuse, bind, bind_reusing};
use crate::net::group::Group;

fn is_taken(query: &Query) -> bool {
    match Group::open(query, place(0)) {
        Ok(_) => false,
        Err(refused) => {
            assert_eq!(refused.source.kind(), io::ErrorKind::AddrInUse, "{refused:?}");
            true
        }
    }
}

#[test]
fn a_second_group_of_this_user_is_refused_until_the_first_is_gone() {
    for on in [tcp, udp] {
        let (group, at) = group(&on("127.0.0.1", 0), 2);
        assert!(is_taken(&on("127.0.0.1", at.port())));
        assert!(is_taken(&on("0.0.0.0", at.port())));
        drop(group);
        assert!(!is_taken(&on("127.0.0.1", at.port())));
    }
}

#[test]
fn another_socket_on_the_port_refuses_the_group_even_if_it_would_share() {
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(is_taken(&tcp("127.0.0.1", plain.local_addr().unwrap().port())));
    let sharing = bind_reusing(&tcp("127.0.0.1", 0), Reuse::Port).unwrap();
    assert!(is_taken(&tcp("127.0.0.1", sharing.to.sockname.unwrap().port)));
    let plain = UdpSocket::bind("127.0.0.1:0").unwrap();
    assert!(is_taken(&udp("127.0.0.1", plain.local_addr().unwrap().port())));
}

#[test]
fn a_group_refuses_every_plain_socket() {
    let (_tcp, at) = group(&tcp("127.0.0.1", 0), 2);
    assert_eq!(TcpListener::bind(at).unwrap_err().kind(), io::ErrorKind::AddrInUse);
    assert_eq!(
        bind(&tcp("0.0.0.0", at.port())).unwrap_err().source.kind(),
        io::ErrorKind::AddrInUse
    );
    let (_udp, at) = group(&udp("127.0.0.1", 0), 2);
    assert_eq!(UdpSocket::bind(at).unwrap_err().kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn of_groups_that_are_opened_at_once_one_has_the_port() {
    const AT_ONCE: usize = 4;
    for on in [tcp, udp] {
        for _ in 0..100 {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let (together, query) = (Barrier::new(AT_ONCE), on("127.0.0.1", port));
            let outcomes: Vec<_> = std::thread::scope(|scope| {
                let open = || {
                    together.wait();
                    let opened = Group::open(&query, place(0));
                    // Held until all have tried.
                    together.wait();
                    opened.map(drop).map_err(|refused| refused.source.kind())
                };
                let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(open)).collect();
                threads.into_iter().map(|it| it.join().unwrap()).collect()
            });
            let refused = Err(io::ErrorKind::AddrInUse);
            assert_eq!(outcomes.iter().filter(|it| it.is_ok()).count(), 1, "{outcomes:?}");
            assert_eq!(outcomes.iter().filter(|it| **it == refused).count(), AT_ONCE - 1);
        }
    }
}

#[test]
fn groups_on_ports_that_the_kernel_chooses_have_one_each() {
    for on in [tcp, udp] {
        let groups: Vec<_> = (0..100).map(|_| group(&on("127.0.0.1", 0), 1)).collect();
        let ports: BTreeSet<_> = groups.iter().map(|(_, at)| at.port()).collect();
        assert_eq!(ports.len(), groups.len());
    }
}

#[test]
fn connections_of_a_group_that_is_gone_do_not_keep_the_port() {
    let (group, at) = group(&tcp("127.0.0.1", 0), 1);
    let _client = TcpStream::connect(at).unwrap();
    let served = super::world::accept_all(&group, place(0));
    drop(group);
    assert!(!is_taken(&tcp("127.0.0.1", at.port())));
    // Ended here first, so the kernel keeps it for a minute.
    drop(served);
    assert!(!is_taken(&tcp("127.0.0.1", at.port())));
}

#[test]
fn on_all_addresses_both_families_come_to_live_seats() {
    let everywhere = |family| query(Address::Tcp { host: None, port: 0, family, ipv6_only: false });
    for query in [everywhere(Family::V4), everywhere(Family::V6), tcp("0.0.0.0", 0)] {
        let (mut group, mut at) = group(&query, 3);
        group.steer(&places(&[1, 2])).unwrap();
        let families = if at.is_ipv6() { vec!["127.0.0.1", "::1"] } else { vec!["127.0.0.1"] };
        for host in families {
            at.set_ip(host.parse().unwrap());
            assert_eq!(reached(&spread(&group, at, 60)), places(&[1, 2]), "{host} {query:?}");
            for number in [1, 2] {
                super::world::accept_all(&group, place(number));
            }
        }
    }
}

#[test]
fn a_group_for_ipv6_only_leaves_the_port_to_ipv4() {
    let only = |port| query(Address::Tcp { host: None, port, family: Family::V6, ipv6_only: true });
    let (group, at) = group(&only(0), 2);
    if group.address.is_ipv4() {
        return;
    }
    // At this address no client has a port, unlike at 127.0.0.1.
    bind(&tcp("127.77.77.77", at.port())).unwrap();
    assert!(is_taken(&only(at.port())));
}

#[test]
fn what_has_no_port_or_shares_it_on_purpose_is_no_group() {
    let path = Address::Unix { path: "/p".into(), readable_all: false, writable_all: false };
    let multicast = Address::Udp {
        host: None,
        port: 0,
        family: Family::V4,
        flags: Address::UDP_REUSE_ADDRESS,
        fd: None,
    };
    let given = Address::Udp { host: None, port: 0, family: Family::V4, flags: 0, fd: Some(3) };
    for address in [path, Address::Fd { fd: 3 }, given, multicast] {
        assert!(!Group::suits(&address));
        let refused = Group::open(&query(address), place(0)).unwrap_err();
        assert_eq!(refused.source.kind(), io::ErrorKind::InvalidInput);
    }
    assert!(Group::suits(&tcp("::", 0).address) && Group::suits(&udp("::", 0).address));
}
