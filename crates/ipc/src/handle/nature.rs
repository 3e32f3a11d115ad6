//! What the kernel says a descriptor is.

use std::fmt;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::sockopt::{socket_acceptconn, socket_domain, socket_protocol, socket_type};
use rustix::net::{AddressFamily, SocketType, ipproto};

use super::HandleSocket;
use crate::error::HandleError;

/// What the kernel says about a descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Nature {
    Tcp { listening: bool },
    Unix { listening: bool },
    Udp,
    OtherSocket,
    NoSocket,
}

impl Nature {
    pub(super) fn of(fd: BorrowedFd<'_>) -> Result<Self, HandleError> {
        let kind = match socket_type(fd) {
            Ok(kind) => kind,
            // EBADF is the answer for a descriptor opened with O_PATH, which can do nothing.
            Err(Errno::NOTSOCK | Errno::BADF) => return Ok(Self::NoSocket),
            Err(errno) => return Err(HandleError::System(errno.into())),
        };
        let domain = socket_domain(fd).map_err(io::Error::from)?;
        let listening = socket_acceptconn(fd).map_err(io::Error::from)?;
        let protocol = socket_protocol(fd).map_err(io::Error::from)?;
        let is_tcp = protocol == Some(ipproto::TCP) || protocol == Some(ipproto::MPTCP);
        let is_ip = domain == AddressFamily::INET || domain == AddressFamily::INET6;
        Ok(match kind {
            SocketType::STREAM if is_ip && is_tcp => Self::Tcp { listening },
            SocketType::STREAM if domain == AddressFamily::UNIX => Self::Unix { listening },
            SocketType::DGRAM if is_ip && protocol == Some(ipproto::UDP) => Self::Udp,
            _ => Self::OtherSocket,
        })
    }

    pub(super) const fn is_stream(self) -> bool {
        matches!(self, Self::Tcp { .. } | Self::Unix { .. })
    }

    pub(super) const fn is_listening(self) -> bool {
        matches!(self, Self::Tcp { listening: true } | Self::Unix { listening: true })
    }

    pub(super) fn wrap(self, fd: OwnedFd) -> Result<HandleSocket, HandleError> {
        Ok(match self {
            Self::Tcp { listening: true } => HandleSocket::TcpListener(fd.into()),
            Self::Tcp { listening: false } => HandleSocket::TcpStream(fd.into()),
            Self::Unix { listening: true } => HandleSocket::UnixListener(fd.into()),
            Self::Unix { listening: false } => HandleSocket::UnixStream(fd.into()),
            Self::Udp => HandleSocket::UdpSocket(fd.into()),
            Self::OtherSocket | Self::NoSocket => return Err(self.instead_of("a socket")),
        })
    }

    pub(super) fn instead_of(self, expected: &'static str) -> HandleError {
        HandleError::Unexpected { expected, arrived: self.to_string() }
    }
}

impl fmt::Display for Nature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tcp { listening: true } => "a listening TCP socket",
            Self::Tcp { listening: false } => "a TCP socket that does not listen",
            Self::Unix { listening: true } => "a listening Unix socket",
            Self::Unix { listening: false } => "a Unix stream socket that does not listen",
            Self::Udp => "a UDP socket",
            Self::OtherSocket => "a socket of another kind",
            Self::NoSocket => "no socket",
        })
    }
}
