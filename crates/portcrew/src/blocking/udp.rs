//! A UDP socket whose calls block.

use std::io;
use std::net::SocketAddr;

use super::wait::wait;

/// A UDP socket for threads: any number of them may use one, by reference or in an `Arc`. It is closed when
/// the worker leaves.
///
/// The socket itself does not block, because its mode is that of every worker; the thread sleeps here.
#[derive(Debug)]
pub struct UdpSocket {
    socket: crate::UdpSocket,
}

impl UdpSocket {
    pub(super) const fn new(socket: crate::UdpSocket) -> Self {
        Self { socket }
    }

    /// Waits for one datagram; see [`crate::UdpSocket::recv_from`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        wait(self.socket.recv_from(buffer))
    }

    /// Sends one datagram.
    ///
    /// # Errors
    ///
    /// As [`crate::UdpSocket::send_to`].
    pub fn send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        wait(self.socket.send_to(datagram, to))
    }

    /// The address that it is bound to.
    ///
    /// # Errors
    ///
    /// As [`crate::UdpSocket::local_addr`].
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// std's socket; see [`crate::UdpSocket::into_std`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn into_std(self) -> io::Result<std::net::UdpSocket> {
        self.socket.into_std()
    }

    /// Closes it: every waiting [`recv_from`](Self::recv_from) returns.
    pub fn close(&self) {
        self.socket.close();
    }

    /// The same socket for asynchronous code, and for what does not wait.
    #[must_use]
    pub const fn asynchronous(&self) -> &crate::UdpSocket {
        &self.socket
    }
}
