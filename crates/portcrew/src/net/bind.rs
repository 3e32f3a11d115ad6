//! Making the sockets that workers ask for.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{BorrowedFd, OwnedFd};

use portcrew_core::primary::BoundTo;
use portcrew_core::{Address, Errno, Family, Query, SockName, SocketKind};
use rustix::io::Errno as System;
use rustix::net::sockopt;
use socket2::{Domain, Protocol, SockRef, Socket, Type};

use super::refused::{Call, Refused};
use super::unix_path::{self, SocketFile};
use super::zone;

/// Node's default for the kernel's queue of a listening socket, in connections.
pub(crate) const BACKLOG: u32 = 511;

/// A socket that is bound and, unless it is UDP, listens.
#[derive(Debug)]
pub(crate) struct Bound {
    /// The socket file to remove at the end, before the socket is closed.
    pub(crate) file: Option<SocketFile>,
    pub(crate) socket: OwnedFd,
    pub(crate) to: BoundTo,
}

/// With whom a TCP port is shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reuse {
    /// With nobody.
    Nobody,
    /// With every socket of this user that says the same: the kernel spreads connections over them.
    Port,
}

/// The socket of an address, bound and not listening: what only finds out whether it can be had, and which it is.
pub(crate) fn probe(query: &Query) -> Result<Bound, Refused> {
    make(query, Stream { reuse: Reuse::Nobody, backlog: None })
}

/// Makes the socket. A Unix-domain path is taken over from an owner that has died.
pub(crate) fn bind(query: &Query) -> Result<Bound, Refused> {
    bind_reusing(query, Reuse::Nobody)
}

/// As [`bind`], with a say about other sockets on the same TCP port.
pub(crate) fn bind_reusing(query: &Query, reuse: Reuse) -> Result<Bound, Refused> {
    make(query, Stream { reuse, backlog: Some(query.backlog.unwrap_or(BACKLOG)) })
}

fn make(query: &Query, stream: Stream) -> Result<Bound, Refused> {
    let backlog = query.backlog.unwrap_or(BACKLOG);
    match &query.address {
        Address::Tcp { host: None, port, ipv6_only, family } => {
            bind_everywhere(*port, *ipv6_only, *family, stream)
        }
        Address::Tcp { host: Some(host), port, ipv6_only, .. } => {
            bind_tcp(zone::parse(host, *port)?, *ipv6_only, stream)
        }
        Address::Unix { path, readable_all, writable_all } => {
            let everybody = unix_path::Everybody { reads: *readable_all, writes: *writable_all };
            let (socket, file) = unix_path::bind(path, everybody, backlog)?;
            finished(socket, SocketKind::Stream, file)
        }
        Address::Fd { fd } => bound_already(*fd, Some(backlog)),
        Address::Udp { fd: Some(fd), .. } => bound_already(*fd, None),
        Address::Udp { host, port, family, flags, fd: None } => {
            bind_udp(host.as_deref(), *port, *family, *flags)
        }
    }
}

/// Has a TCP socket listen that somebody has shut down, on the address that it had. All who have it open have it
/// listening again. Says whether it did not listen.
pub(crate) fn listen_again(
    socket: BorrowedFd<'_>,
    address: SocketAddr,
    backlog: Option<u32>,
) -> Result<bool, Refused> {
    let socket = SockRef::from(&socket);
    if sockopt::socket_acceptconn(&*socket).map_err(io::Error::from)? {
        return Ok(false);
    }
    // A port that the kernel had chosen was given up with the end of listening, and nothing but this shows it. One that
    // was asked for is kept, and cannot be bound again.
    match socket.bind(&address.into()) {
        Err(error) if error.raw_os_error() != Some(System::INVAL.raw_os_error()) => {
            return Err(error.into());
        }
        Ok(()) | Err(_) => {}
    }
    listen(&socket, backlog.unwrap_or(BACKLOG))?;
    Ok(true)
}

/// The number that the wire carries for an error. As libuv, a path whose directory is missing is EACCES.
pub(crate) fn errno_of(error: &io::Error, address: &Address) -> Errno {
    let errno = error.raw_os_error().unwrap_or(Errno::INVALID.0);
    if address.is_unix() && error.kind() == io::ErrorKind::NotFound {
        return Errno::ACCESS;
    }
    Errno(errno)
}

/// What else there is to say about a listening TCP socket.
#[derive(Debug, Clone, Copy)]
struct Stream {
    reuse: Reuse,
    /// Without one it does not listen.
    backlog: Option<u32>,
}

/// `::` for both families, and `0.0.0.0` on a machine without IPv6, as Node does.
fn bind_everywhere(
    port: u16,
    only6: bool,
    family: Family,
    stream: Stream,
) -> Result<Bound, Refused> {
    let any6 = SocketAddr::from((Ipv6Addr::UNSPECIFIED, port));
    match bind_tcp(any6, only6, stream) {
        Err(refused) if is_no_ipv6(&refused.source) && family == Family::V4 => {
            bind_tcp(SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)), false, stream)
        }
        outcome => outcome,
    }
}

fn is_no_ipv6(error: &io::Error) -> bool {
    let errno = error.raw_os_error().map(System::from_raw_os_error);
    matches!(errno, Some(System::AFNOSUPPORT | System::ADDRNOTAVAIL | System::INVAL))
}

fn bind_tcp(address: SocketAddr, ipv6_only: bool, stream: Stream) -> Result<Bound, Refused> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // As std and Node do: else a restart fails for a minute on connections in TIME_WAIT.
    socket.set_reuse_address(true)?;
    match stream.reuse {
        Reuse::Nobody => {}
        Reuse::Port => socket.set_reuse_port(true)?,
    }
    if address.is_ipv6() {
        socket.set_only_v6(ipv6_only)?;
    }
    socket.bind(&address.into())?;
    if let Some(backlog) = stream.backlog {
        listen(&socket, backlog)?;
    }
    finished(socket, SocketKind::Tcp, None)
}

fn bind_udp(host: Option<&str>, port: u16, family: Family, flags: u32) -> Result<Bound, Refused> {
    let address = match (host, family) {
        (Some(host), _) => zone::parse(host, port)?,
        (None, Family::V4) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, port)),
        (None, Family::V6) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, port)),
    };
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    socket.set_reuse_address(flags & Address::UDP_REUSE_ADDRESS != 0)?;
    socket.set_reuse_port(flags & Address::UDP_REUSE_PORT != 0)?;
    if address.is_ipv6() {
        socket.set_only_v6(flags & Address::UDP_IPV6_ONLY != 0)?;
    }
    socket.bind(&address.into())?;
    finished(socket, SocketKind::Datagram, None)
}

/// A descriptor that the primary holds: a stream socket, which is made to listen, or without a backlog a UDP
/// socket.
fn bound_already(fd: i32, backlog: Option<u32>) -> Result<Bound, Refused> {
    let socket = duplicate(fd)?;
    let is_stream = kind_of(&socket)? != SocketKind::Datagram;
    if is_stream != backlog.is_some() {
        return Err(io::Error::from(System::INVAL).into());
    }
    if let Some(backlog) = backlog {
        listen(&socket, backlog)?;
    }
    let kind = kind_of(&socket)?;
    finished(socket, kind, None)
}

/// A number that is not open, or no socket, is EINVAL, as Node says.
fn duplicate(fd: i32) -> io::Result<Socket> {
    let is_wrong = |error: &io::Error| {
        let errno = error.raw_os_error().map(System::from_raw_os_error);
        matches!(errno, Some(System::BADF | System::NOTSOCK))
    };
    let socket = portcrew_ipc::descriptor::duplicate(fd).and_then(|socket| {
        let socket = Socket::from(socket);
        socket.r#type().map(|_| socket)
    });
    socket.map_err(|error| if is_wrong(&error) { System::INVAL.into() } else { error })
}

fn kind_of(socket: &Socket) -> io::Result<SocketKind> {
    let kind = socket.r#type()?;
    let domain = socket.domain()?;
    let is_internet = domain == Domain::IPV4 || domain == Domain::IPV6;
    if kind == Type::DGRAM && is_internet && socket.protocol()? == Some(Protocol::UDP) {
        Ok(SocketKind::Datagram)
    } else if kind != Type::STREAM {
        Err(System::INVAL.into())
    } else if is_internet && socket.protocol()? == Some(Protocol::TCP) {
        Ok(SocketKind::Tcp)
    } else {
        Ok(SocketKind::Stream)
    }
}

pub(super) fn listen(socket: &Socket, backlog: u32) -> Result<(), Refused> {
    let backlog = i32::try_from(backlog).unwrap_or(i32::MAX);
    socket.listen(backlog).map_err(|error| Call::Listen.refused(error))
}

fn finished(socket: Socket, kind: SocketKind, file: Option<SocketFile>) -> Result<Bound, Refused> {
    socket.set_nonblocking(true)?;
    let sockname = socket.local_addr()?.as_socket().map(sockname);
    Ok(Bound { file, socket: socket.into(), to: BoundTo { kind, sockname } })
}

fn sockname(address: SocketAddr) -> SockName {
    let family = if address.is_ipv4() { Family::V4 } else { Family::V6 };
    SockName { address: zone::host_text(&address), family, port: address.port() }
}

#[cfg(test)]
mod tests;
