//! Which index the members of a group have in the kernel.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::collections::BTreeSet;
use std::net::TcpListener;
use std::os::fd::AsFd;

use portcrew_ipc::reuseport::{Order, Steering, attach, detach};
use rustix::net::{Shutdown, shutdown};
use socket2::Type;

use crate::reuseport_world::{
    SALT, address, bound, connect, listening, reached, received_by, steer, unheard,
};

/// Each member gets a connection when its index in `order` is the only live one.
fn agrees(order: &Order<usize>, sockets: &[Option<TcpListener>]) {
    let open: Vec<_> = sockets.iter().flatten().collect();
    let at = open[0].local_addr().unwrap();
    for member in order.members() {
        let listener = sockets[member].as_ref().unwrap();
        steer(listener, order.len(), &[order.index(member).unwrap()]);
        for _ in 0..5 {
            let taken = open[connect(at, &open)];
            assert!(std::ptr::eq(taken, listener), "{member} of {order:?}");
        }
    }
}

#[test]
fn indices_follow_the_order_of_listening_and_not_of_binding() {
    let sockets = unheard("127.0.0.1", 4);
    let mut order = Order::new();
    for member in [2, 0, 3, 1] {
        sockets[member].listen(128).unwrap();
        order.joined(member);
    }
    agrees(&order, &sockets.into_iter().map(|it| Some(it.into())).collect::<Vec<_>>());
}

#[test]
fn the_last_moves_into_the_place_of_one_that_is_closed_or_shut_down() {
    let mut sockets: Vec<_> = listening("127.0.0.1", 6).into_iter().map(Some).collect();
    let mut order = Order::new();
    (0..6).for_each(|member| order.joined(member));
    for left in [1, 0, 5] {
        sockets[left] = None;
        order.left(left);
        agrees(&order, &sockets);
    }
    // It is held on to, and another listens again.
    shutdown(sockets[4].as_ref().unwrap(), Shutdown::Both).unwrap();
    order.left(4);
    let shut = sockets[4].take();
    agrees(&order, &sockets);
    rustix::net::listen(shut.as_ref().unwrap(), 128).unwrap();
    order.joined(4);
    sockets[4] = shut;
    agrees(&order, &sockets);
}

#[test]
fn a_socket_that_another_holder_has_open_stays_in_the_group() {
    let sockets = listening("127.0.0.1", 3);
    let duplicate = sockets[0].try_clone().unwrap();
    let mut sockets: Vec<_> = sockets.into_iter().map(Some).collect();
    sockets[0] = Some(duplicate);
    let mut order = Order::new();
    (0..3).for_each(|member| order.joined(member));
    agrees(&order, &sockets);
}

#[test]
fn an_index_that_nobody_has_lets_the_kernel_hash_over_all() {
    let sockets = listening("127.0.0.1", 3);
    let all: Vec<_> = sockets.iter().collect();
    steer(&sockets[0], 4, &[3]);
    assert_eq!(reached(sockets[0].local_addr().unwrap(), &all, 100), BTreeSet::from([0, 1, 2]));
}

#[test]
fn without_a_program_the_kernel_hashes_over_all_again() {
    let sockets = listening("127.0.0.1", 3);
    let all: Vec<_> = sockets.iter().collect();
    let at = sockets[0].local_addr().unwrap();
    steer(&sockets[2], 3, &[1]);
    assert_eq!(reached(at, &all, 40), BTreeSet::from([1]));
    detach(sockets[0].as_fd()).unwrap();
    assert_eq!(reached(at, &all, 100), BTreeSet::from([0, 1, 2]));
    assert!(detach(sockets[0].as_fd()).is_err(), "there is none");
}

#[test]
fn a_program_for_a_socket_that_shares_with_nobody_is_refused() {
    let program = Steering { members: 1, live: &[], salt: SALT }.program();
    let alone = TcpListener::bind("127.0.0.1:0").unwrap();
    let error = attach(alone.as_fd(), &program).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    let (unix, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    attach(unix.as_fd(), &program).unwrap_err();
}

#[test]
fn udp_sockets_have_the_order_in_which_they_were_bound() {
    let first = bound("127.0.0.1:0".parse().unwrap(), Type::DGRAM);
    let at = address(&first);
    let mut sockets = vec![first, bound(at, Type::DGRAM), bound(at, Type::DGRAM)];
    let client = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let came_to = |sockets: &[socket2::Socket]| {
        client.send_to(b"x", at).unwrap();
        received_by(sockets)
    };
    for index in 0..3 {
        steer(&sockets[0], 3, &[index]);
        assert_eq!(came_to(&sockets), index);
    }
    sockets.remove(0);
    // The last has the first place now.
    steer(&sockets[0], 2, &[0]);
    assert_eq!(came_to(&sockets), 1);
}

#[test]
fn the_longest_program_is_taken_by_this_kernel() {
    use portcrew_ipc::reuseport::STEERED_MEMBERS;
    let sockets = listening("127.0.0.1", 1);
    let live: Vec<_> = (0..STEERED_MEMBERS).step_by(2).collect();
    steer(&sockets[0], STEERED_MEMBERS, &live);
    // The index is nobody's, and the only one gets it all the same.
    connect(sockets[0].local_addr().unwrap(), &[&sockets[0]]);
}
