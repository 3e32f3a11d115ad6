//! A listener whose `accept` blocks.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

use serde::de::DeserializeOwned;

use super::wait::wait;
use crate::worker::{Inflow, Keep, Local, Opened, Source, Tells, accept_by_thread, closed};
use crate::{Error, Open, Result};

/// A TCP listener for threads: any number of them may call [`accept`](Self::accept) on one, by reference or
/// in an `Arc`. It is closed when the worker leaves.
#[derive(Debug)]
pub struct Listener {
    socket: Socket,
}

/// A listener on a path of the file system.
#[derive(Debug)]
pub struct UnixListener {
    socket: Socket,
}

/// What both are.
#[derive(Debug)]
struct Socket {
    inflow: Arc<Inflow>,
    local: Local,
    keep: Keep,
}

impl Socket {
    fn from_opened(opened: Opened) -> Result<Self> {
        let Opened { inflow, source, local, keep } = opened;
        match source {
            Source::Handover => {}
            // No thread of the user polls a socket, so one of ours waits for it, whatever the crowd.
            Source::Socket { socket, crowd: _ } => {
                accept_by_thread(socket, &inflow).map_err(Error::io("wait for a socket"))?;
            }
        }
        Ok(Self { inflow, local, keep })
    }

    /// The next connection, as it came.
    fn next(&self, tells: Tells) -> io::Result<(OwnedFd, Open)> {
        wait(self.inflow.next(tells)).ok_or_else(closed)
    }
}

impl Listener {
    pub(super) fn from_opened(opened: Opened) -> Result<Self> {
        Ok(Self { socket: Socket::from_opened(opened)? })
    }

    /// Waits for the next connection. The stream is in blocking mode.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the listener is closed: leave the loop then.
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        self.accept_as(Tells::No).map(|(stream, peer, _open)| (stream, peer))
    }

    /// As [`accept`](Self::accept), and the primary is told when the connection ends; see
    /// [`crate::Listener::accept_told`].
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn accept_told(&self) -> io::Result<(TcpStream, SocketAddr, Open)> {
        self.accept_as(Tells::Yes)
    }

    fn accept_as(&self, tells: Tells) -> io::Result<(TcpStream, SocketAddr, Open)> {
        loop {
            let (socket, open) = self.socket.next(tells)?;
            let stream = TcpStream::from(socket);
            match stream.peer_addr() {
                Ok(peer) => {
                    stream.set_nonblocking(false)?;
                    return Ok((stream, peer, open));
                }
                // The client has gone meanwhile.
                Err(error) if error.kind() == io::ErrorKind::NotConnected => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// The connections, until the listener is closed.
    #[must_use]
    pub fn incoming(&self) -> Incoming<'_> {
        Incoming { listener: self }
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    ///
    /// `AddrNotAvailable` when the primary did not tell, which only a foreign one fails to do.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local.tcp()
    }

    /// What the workers of this listener have in common; see [`crate::Listener::data`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn data<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        self.socket.keep.data()
    }

    /// Closes it: every waiting [`accept`](Self::accept) returns.
    pub fn close(&self) {
        self.socket.keep.close();
    }
}

impl UnixListener {
    pub(super) fn from_opened(opened: Opened) -> Result<Self> {
        Ok(Self { socket: Socket::from_opened(opened)? })
    }

    /// Waits for the next connection. The stream is in blocking mode.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the listener is closed: leave the loop then.
    pub fn accept(&self) -> io::Result<UnixStream> {
        self.accept_as(Tells::No).map(|(stream, _open)| stream)
    }

    /// As [`accept`](Self::accept), and the primary is told when the connection ends; see
    /// [`crate::Listener::accept_told`].
    ///
    /// # Errors
    ///
    /// As [`accept`](Self::accept).
    pub fn accept_told(&self) -> io::Result<(UnixStream, Open)> {
        self.accept_as(Tells::Yes)
    }

    fn accept_as(&self, tells: Tells) -> io::Result<(UnixStream, Open)> {
        let (socket, open) = self.socket.next(tells)?;
        let stream = UnixStream::from(socket);
        stream.set_nonblocking(false)?;
        Ok((stream, open))
    }

    /// What the workers of this listener have in common; see [`crate::Listener::data`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn data<T: DeserializeOwned>(&self) -> Result<Option<T>> {
        self.socket.keep.data()
    }

    /// Closes it: every waiting [`accept`](Self::accept) returns.
    pub fn close(&self) {
        self.socket.keep.close();
    }
}

/// The connections of a [`Listener`]; ends when it is closed.
#[derive(Debug)]
pub struct Incoming<'a> {
    listener: &'a Listener,
}

impl Iterator for Incoming<'_> {
    type Item = io::Result<TcpStream>;

    fn next(&mut self) -> Option<Self::Item> {
        match self.listener.accept() {
            Ok((stream, _)) => Some(Ok(stream)),
            Err(error) if error.kind() == io::ErrorKind::NotConnected => None,
            Err(error) => Some(Err(error)),
        }
    }
}
