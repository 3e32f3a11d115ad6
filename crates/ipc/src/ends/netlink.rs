//! The system calls on netlink sockets of sock_diag.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::{Errno, retry_on_intr};
use rustix::net::netlink::{SOCK_DIAG, SocketAddrNetlink};
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, recvfrom, send,
    socket_with, sockopt,
};
use socket2::{SockFilter, SockRef};

use super::filter;

/// What the kernel is asked to hold of messages that nobody has read yet, 8 MiB. It allows twice as much, and counts
/// 1280 bytes for each: 13,000 messages. Without `CAP_NET_ADMIN` nobody gets more than `net.core.rmem_max` (sysctl),
/// of which the usual 208 KiB hold 330. Beyond it messages are lost, and that is told.
pub const RECEIVE_BYTES: usize = 8 << 20;

/// The groups `SKNLGRP_INET_TCP_DESTROY` and `SKNLGRP_INET6_TCP_DESTROY`, the first and the third bit. A socket is
/// told of by its own family: one of an IPv6 listener in the second, whoever its client is.
const ENDED_TCP: u32 = 0b101;

/// The kernel's own address.
const KERNEL: u32 = 0;

/// A netlink socket, close-on-exec and non-blocking.
pub(super) fn open() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, Some(SOCK_DIAG))?)
}

/// From now on the kernel tells here which TCP connections end.
pub(super) fn join(socket: impl AsFd) -> io::Result<()> {
    // With no address of its own it gets one that is free.
    Ok(bind(socket, &SocketAddrNetlink::new(0, ENDED_TCP))?)
}

/// Enlarges the buffer, as far as this process may.
pub(super) fn enlarge(socket: impl AsFd) -> io::Result<()> {
    match sockopt::set_socket_recv_buffer_size_force(&socket, RECEIVE_BYTES) {
        // Not privileged: the kernel takes as much of it as anybody may have.
        Err(Errno::PERM) => Ok(sockopt::set_socket_recv_buffer_size(&socket, RECEIVE_BYTES)?),
        result => Ok(result?),
    }
}

/// Lets only messages about these local ports into the buffer. One filter takes the place of another in a single
/// step: each message meets the old one or the new one.
pub(super) fn keep_ports(socket: impl AsFd, ports: &[u16]) -> io::Result<()> {
    let program = filter::program(ports).into_iter();
    let program: Vec<_> =
        program.map(|it| SockFilter::new(it.code, it.if_true, it.if_false, it.value)).collect();
    SockRef::from(&socket).attach_filter(&program)
}

/// Sends a request to the kernel.
pub(super) fn write(socket: impl AsFd, request: &[u8]) -> io::Result<()> {
    // It takes a message whole or not at all.
    retry_on_intr(|| send(&socket, request, SendFlags::DONTWAIT))?;
    Ok(())
}

/// What one [`read`] brought.
#[derive(Debug, Clone, Copy)]
pub(super) struct Received {
    /// Bytes put into the buffer.
    pub(super) n: usize,
    /// The message was longer, and its end is lost.
    pub(super) cut: bool,
    /// The kernel sent it. Nobody else can, but for root, who can send to anybody.
    pub(super) from_kernel: bool,
}

/// Reads one datagram, without waiting.
///
/// # Errors
/// `WouldBlock` when nothing is there; `ENOBUFS` when messages were lost.
pub(super) fn read(socket: impl AsFd, buffer: &mut [u8]) -> io::Result<Received> {
    let flags = RecvFlags::DONTWAIT | RecvFlags::TRUNC;
    let (n, length, sender) = retry_on_intr(|| recvfrom(&socket, &mut *buffer, flags))?;
    let sender = sender.and_then(|it| SocketAddrNetlink::try_from(it).ok());
    let from_kernel = sender.is_some_and(|it| it.pid() == KERNEL);
    Ok(Received { n, cut: length > n, from_kernel })
}
