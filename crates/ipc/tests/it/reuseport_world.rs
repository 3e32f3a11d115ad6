//! Groups of sockets on one port, made by hand, and clients of them.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Instant;

use portcrew_ipc::probe::accept_queue;
use portcrew_ipc::reuseport::{Steering, attach};
use rustix::net::{RecvFlags, recv};
use socket2::{Domain, Socket, Type};

use crate::common::DEADLINE;

pub(crate) const SALT: u32 = 7;

/// A socket of a group, bound and not listening.
pub(crate) fn bound(at: SocketAddr, kind: Type) -> Socket {
    let socket = Socket::new(Domain::for_address(at), kind, None).unwrap();
    socket.set_reuse_port(true).unwrap();
    if at.is_ipv6() {
        socket.set_only_v6(false).unwrap();
    }
    socket.bind(&at.into()).unwrap();
    socket.set_nonblocking(true).unwrap();
    socket
}

pub(crate) fn address(socket: &Socket) -> SocketAddr {
    socket.local_addr().unwrap().as_socket().unwrap()
}

/// So many TCP sockets on one port, none of which listens.
pub(crate) fn unheard(host: &str, count: usize) -> Vec<Socket> {
    let first = bound(SocketAddr::new(host.parse().unwrap(), 0), Type::STREAM);
    let at = address(&first);
    std::iter::once(first).chain((1..count).map(|_| bound(at, Type::STREAM))).collect()
}

/// The same, and they listen one after the other.
pub(crate) fn listening(host: &str, count: usize) -> Vec<TcpListener> {
    let sockets = unheard(host, count);
    sockets.iter().for_each(|it| it.listen(128).unwrap());
    sockets.into_iter().map(Into::into).collect()
}

/// Has everything new go to these indices of so many.
pub(crate) fn steer(member: &impl AsFd, members: usize, live: &[usize]) {
    attach(member.as_fd(), &Steering { members, live, salt: SALT }.program()).unwrap();
}

/// Connects and says at which of the sockets the connection waits; accepts it.
pub(crate) fn connect(at: SocketAddr, to: &[&TcpListener]) -> usize {
    let _client = TcpStream::connect(at).unwrap();
    taken_by(to)
}

/// The socket at which a connection waits, which is accepted.
pub(crate) fn taken_by(to: &[&TcpListener]) -> usize {
    let hang = Instant::now() + DEADLINE;
    loop {
        if let Some(found) = to.iter().position(|it| it.accept().is_ok()) {
            return found;
        }
        assert!(Instant::now() < hang, "it came to none");
        std::thread::yield_now();
    }
}

/// Which of these UDP sockets has a datagram, which is received.
pub(crate) fn received_by(sockets: &[Socket]) -> usize {
    let hang = Instant::now() + DEADLINE;
    loop {
        let has = |it: &Socket| recv(it, &mut [0_u8; 1], RecvFlags::empty()).is_ok();
        if let Some(found) = sockets.iter().position(has) {
            return found;
        }
        assert!(Instant::now() < hang, "it came to none");
        std::thread::yield_now();
    }
}

/// Where so many connections come to.
pub(crate) fn reached(at: SocketAddr, to: &[&TcpListener], count: usize) -> BTreeSet<usize> {
    (0..count).map(|_| connect(at, to)).collect()
}

/// Waits until so many wait at a socket.
pub(crate) fn until_waiting(listener: &impl AsFd, count: u32) {
    let hang = Instant::now() + DEADLINE;
    while accept_queue(listener.as_fd()).unwrap().waiting != count {
        assert!(Instant::now() < hang, "{:?}", accept_queue(listener.as_fd()));
        std::thread::yield_now();
    }
}
