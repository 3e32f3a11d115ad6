//! Groups of UDP sockets.

use std::collections::BTreeMap;
use std::net::{SocketAddr, UdpSocket};
use std::time::Instant;

use super::world::{DEADLINE, group, own, place, udp, udp_socket};
use crate::net::group::Group;

/// Clients with an address of their own each.
fn clients(at: SocketAddr, count: usize) -> Vec<UdpSocket> {
    let client = || {
        let client = UdpSocket::bind((at.ip(), 0)).unwrap();
        client.connect(at).unwrap();
        client
    };
    (0..count).map(|_| client()).collect()
}

/// Each client sends a datagram: which place has it.
fn send_all(group: &Group, clients: &[UdpSocket]) -> BTreeMap<SocketAddr, usize> {
    for client in clients {
        client.send(b"x").unwrap();
    }
    let mut flows = BTreeMap::new();
    let hang = Instant::now() + DEADLINE;
    while flows.len() < clients.len() {
        for number in (0..8).filter(|number| group.get(place(*number)).is_some()) {
            let socket = udp_socket(group, place(number));
            while let Ok((_, from)) = socket.recv_from(&mut [0; 8]) {
                assert_eq!(flows.insert(from, number), None);
            }
        }
        assert!(Instant::now() < hang, "{} of {}", flows.len(), clients.len());
    }
    flows
}

#[test]
fn a_flow_stays_with_its_seat_while_others_come_and_go() {
    for host in ["127.0.0.1", "::1"] {
        let (mut group, at) = group(&udp(host, 0), 3);
        let clients = clients(at, 120);
        let before = send_all(&group, &clients);
        assert_eq!(send_all(&group, &clients), before);
        group.steer(&[place(0), place(2)]).unwrap();
        let after = send_all(&group, &clients);
        for (flow, number) in &before {
            assert!(
                *number == 1 && after[flow] != 1 || after[flow] == *number,
                "{number} {after:?}"
            );
        }
        // Closed for good, and back: nothing moves either time.
        group.close(place(1));
        assert_eq!(send_all(&group, &clients), after);
        group.add(place(1)).unwrap();
        assert_eq!(send_all(&group, &clients), after);
        group.steer(&[place(0), place(1), place(2)]).unwrap();
        assert_eq!(send_all(&group, &clients), before);
    }
}

#[test]
fn a_worker_that_keeps_the_socket_of_a_closed_seat_takes_nothing_from_the_others() {
    let (mut group, at) = group(&udp("127.0.0.1", 0), 3);
    let worker = UdpSocket::from(own(group.get(place(0)).unwrap()));
    group.close(place(0));
    // Nobody is live; and what is in the group without a place is not taken for anybody.
    group.steer(&[]).unwrap();
    let flows = send_all(&group, &clients(at, 60));
    assert!(flows.values().all(|number| *number != 0));
    worker.recv(&mut [0; 8]).unwrap_err();
}

#[test]
fn what_a_closed_seat_has_not_received_its_successor_does_not_receive() {
    let (mut group, at) = group(&udp("127.0.0.1", 0), 1);
    clients(at, 1)[0].send(b"old").unwrap();
    let hang = Instant::now() + DEADLINE;
    while udp_socket(&group, place(0)).peek(&mut [0; 8]).is_err() {
        assert!(Instant::now() < hang);
    }
    group.close(place(0));
    group.add(place(1)).unwrap();
    udp_socket(&group, place(1)).recv(&mut [0; 8]).unwrap_err();
}
