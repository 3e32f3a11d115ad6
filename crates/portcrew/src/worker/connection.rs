//! The kinds of connection that a listener gives: TCP, and Unix-domain streams.

use std::fmt::Debug;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use portcrew_core::SockName;
use tokio::net::{TcpStream, UnixStream, unix};

use crate::net::zone;

/// A stream that a [`Listener`](crate::Listener) can give: tokio's `TcpStream` or `UnixStream`. Sealed.
pub trait Connection: sealed::Sealed + Sized + Send + Unpin + 'static {
    /// The address of either end.
    type Addr: Send + Sync + Debug;

    /// std's listener for it.
    type StdListener: From<OwnedFd>;

    /// Registers the socket with the current runtime.
    #[doc(hidden)]
    fn open(socket: OwnedFd) -> io::Result<Self>;

    #[doc(hidden)]
    fn peer(&self) -> io::Result<Self::Addr>;

    /// Registers what was accepted, which is in non-blocking mode, with its client's address as far as that was told.
    #[doc(hidden)]
    fn accepted(socket: OwnedFd, peer: Option<SocketAddr>) -> io::Result<(Self, Self::Addr)>;

    /// The address of a listener, from what is known of it.
    #[doc(hidden)]
    fn local(known: &Local) -> io::Result<Self::Addr>;
}

mod sealed {
    pub trait Sealed {}
    impl Sealed for tokio::net::TcpStream {}
    impl Sealed for tokio::net::UnixStream {}
}

/// What is known of a listener's address.
#[doc(hidden)]
#[derive(Debug, Clone)]
pub enum Local {
    /// The primary told it.
    Told(SockName),
    /// The path that was asked for.
    Path(std::path::PathBuf),
    /// The kernel told it.
    Tcp(SocketAddr),
    /// The kernel told it.
    Unix(std::os::unix::net::SocketAddr),
    /// Nobody told it.
    Unknown,
}

impl Local {
    /// Asks the kernel.
    pub(crate) fn of(socket: &impl AsFd) -> Self {
        let Ok(address) = socket2::SockRef::from(socket).local_addr() else {
            return Self::Unknown;
        };
        match (address.as_socket(), address.as_unix()) {
            (Some(address), _) => Self::Tcp(address),
            (None, Some(address)) => Self::Unix(address),
            (None, None) => Self::Unknown,
        }
    }

    pub(crate) fn tcp(&self) -> io::Result<SocketAddr> {
        match self {
            Self::Tcp(address) => Ok(*address),
            Self::Told(SockName { address, port, .. }) => {
                zone::parse(address, *port).map_err(|_| unknown())
            }
            Self::Path(_) | Self::Unix(_) | Self::Unknown => Err(unknown()),
        }
    }
}

fn unknown() -> io::Error {
    io::Error::new(io::ErrorKind::AddrNotAvailable, "the primary did not tell the address")
}

impl Connection for TcpStream {
    type Addr = SocketAddr;
    type StdListener = std::net::TcpListener;

    fn open(socket: OwnedFd) -> io::Result<Self> {
        let socket = std::net::TcpStream::from(socket);
        // The mode belongs to the socket, not to the descriptor: a worker that died may have changed it.
        socket.set_nonblocking(true)?;
        Self::from_std(socket)
    }

    fn peer(&self) -> io::Result<SocketAddr> {
        self.peer_addr()
    }

    fn accepted(socket: OwnedFd, peer: Option<SocketAddr>) -> io::Result<(Self, SocketAddr)> {
        let stream = Self::from_std(socket.into())?;
        let peer = peer.map_or_else(|| stream.peer_addr(), Ok)?;
        Ok((stream, peer))
    }

    fn local(known: &Local) -> io::Result<SocketAddr> {
        known.tcp()
    }
}

impl Connection for UnixStream {
    type Addr = unix::SocketAddr;
    type StdListener = std::os::unix::net::UnixListener;

    fn open(socket: OwnedFd) -> io::Result<Self> {
        let socket = std::os::unix::net::UnixStream::from(socket);
        socket.set_nonblocking(true)?;
        Self::from_std(socket)
    }

    fn peer(&self) -> io::Result<unix::SocketAddr> {
        self.peer_addr()
    }

    fn accepted(socket: OwnedFd, _: Option<SocketAddr>) -> io::Result<(Self, unix::SocketAddr)> {
        let stream = Self::from_std(socket.into())?;
        let peer = stream.peer_addr()?;
        Ok((stream, peer))
    }

    fn local(known: &Local) -> io::Result<unix::SocketAddr> {
        match known {
            Local::Path(path) => {
                std::os::unix::net::SocketAddr::from_pathname(path).map(Into::into)
            }
            Local::Unix(address) => Ok(address.clone().into()),
            Local::Told(_) | Local::Tcp(_) | Local::Unknown => Err(unknown()),
        }
    }
}
