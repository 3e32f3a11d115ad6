//! From a received descriptor to a socket of std, and back.

use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};

use rustix::io::Errno;

use super::nature::Nature;
use super::{DgramType, HandleKind};
use crate::error::HandleError;

/// A received descriptor, owned and close-on-exec. Dropping it closes it.
#[derive(Debug)]
pub struct Handle {
    /// What the message said it is.
    pub kind: HandleKind,
    /// The descriptor, which may be something else.
    pub fd: OwnedFd,
}

/// A received descriptor that was checked. Whether it blocks is as the sender left it: the mode travels with
/// the socket.
#[derive(Debug)]
pub enum HandleSocket {
    /// Accepts TCP connections.
    TcpListener(TcpListener),
    /// A TCP connection.
    TcpStream(TcpStream),
    /// Accepts connections on a Unix path.
    UnixListener(UnixListener),
    /// A connection on a Unix path.
    UnixStream(UnixStream),
    /// A UDP socket.
    UdpSocket(UdpSocket),
}

impl Handle {
    /// The socket, if it is what the message says.
    ///
    /// A stream socket that does not listen is taken for a connection. One that is bound and waits for
    /// `listen`, as Node passes it for its shared policy, looks the same: use
    /// [`into_listener`](Self::into_listener) where one is expected.
    ///
    /// # Errors
    /// It is something else; the error names what.
    pub fn into_socket(self) -> Result<HandleSocket, HandleError> {
        let nature = Nature::of(self.fd.as_fd())?;
        let fits = match &self.kind {
            HandleKind::NetNative => matches!(nature, Nature::Tcp { .. } | Nature::Unix { .. }),
            HandleKind::NetServer => nature.is_listening(),
            HandleKind::NetSocket { .. } => nature.is_stream() && !nature.is_listening(),
            HandleKind::DgramNative | HandleKind::DgramSocket { .. } => nature == Nature::Udp,
            HandleKind::Unknown { .. } => false,
        };
        if !fits {
            return Err(nature.instead_of(self.kind.name_in_words()));
        }
        nature.wrap(self.fd)
    }

    /// A listening socket. One that is only bound is made to listen with room for `backlog` connections.
    ///
    /// # Errors
    /// It is no stream socket, or a connected one; or `listen` failed: with `EADDRINUSE` if another socket
    /// listens there already, which the sender could not know.
    pub fn into_listener(self, backlog: i32) -> Result<HandleSocket, HandleError> {
        let nature = Nature::of(self.fd.as_fd())?;
        let listening = match nature {
            Nature::Tcp { .. } => Nature::Tcp { listening: true },
            Nature::Unix { .. } => Nature::Unix { listening: true },
            Nature::Udp | Nature::OtherSocket | Nature::NoSocket => {
                return Err(nature.instead_of("a listening socket"));
            }
        };
        if !nature.is_listening() {
            match rustix::net::listen(&self.fd, backlog) {
                Ok(()) => {}
                Err(Errno::INVAL | Errno::ISCONN) => {
                    return Err(nature.instead_of("a listening socket"));
                }
                Err(errno) => return Err(HandleError::System(errno.into())),
            }
        }
        listening.wrap(self.fd)
    }
}

impl From<TcpListener> for Handle {
    fn from(listener: TcpListener) -> Self {
        Self { kind: HandleKind::NetServer, fd: listener.into() }
    }
}

impl From<UnixListener> for Handle {
    fn from(listener: UnixListener) -> Self {
        Self { kind: HandleKind::NetServer, fd: listener.into() }
    }
}

impl From<TcpStream> for Handle {
    fn from(stream: TcpStream) -> Self {
        Self { kind: HandleKind::NetSocket { key: None }, fd: stream.into() }
    }
}

impl From<UnixStream> for Handle {
    fn from(stream: UnixStream) -> Self {
        Self { kind: HandleKind::NetSocket { key: None }, fd: stream.into() }
    }
}

impl From<UdpSocket> for Handle {
    fn from(socket: UdpSocket) -> Self {
        let is_ipv6 = socket.local_addr().is_ok_and(|address| address.is_ipv6());
        let dgram_type = if is_ipv6 { DgramType::Udp6 } else { DgramType::Udp4 };
        Self { kind: HandleKind::DgramSocket { dgram_type }, fd: socket.into() }
    }
}

impl From<HandleSocket> for Handle {
    fn from(socket: HandleSocket) -> Self {
        match socket {
            HandleSocket::TcpListener(listener) => listener.into(),
            HandleSocket::TcpStream(stream) => stream.into(),
            HandleSocket::UnixListener(listener) => listener.into(),
            HandleSocket::UnixStream(stream) => stream.into(),
            HandleSocket::UdpSocket(socket) => socket.into(),
        }
    }
}

macro_rules! socket_from {
    ($($kind:ident),*) => {$(
        impl From<$kind> for HandleSocket {
            fn from(socket: $kind) -> Self {
                Self::$kind(socket)
            }
        }
    )*};
}

socket_from!(TcpListener, TcpStream, UnixListener, UnixStream, UdpSocket);
