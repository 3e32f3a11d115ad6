//! The UDP socket of a worker.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::sync::Arc;

use super::gate::{Gate, closed};
use crate::worker::connection::Local;
use crate::worker::{Keep, Opened, Source};
use crate::{Error, Result};

/// A UDP socket of this worker, from [`Worker::bind_udp`](crate::Worker::bind_udp) or
/// [`Worker::udp_handle`](crate::Worker::udp_handle).
///
/// It is the same socket in all workers that asked for the address: a datagram reaches one of them, and what
/// is set on the socket is set for all. What a worker that died had not received is received by the others.
///
/// It is closed when the worker leaves: receiving and sending end with an error then, and the others go on.
/// Dropping it closes it. Whoever has to answer later what was received before that keeps
/// [`inner`](Self::inner).
#[derive(Debug)]
pub struct UdpSocket {
    pub(super) gate: Gate,
    local: Local,
    keep: Keep,
}

impl UdpSocket {
    pub(crate) fn from_opened(opened: Opened) -> Result<Self> {
        let Opened { inflow, source, local, keep } = opened;
        let gate = match source {
            Source::Socket { socket, crowd: _ } => Gate::new(inflow, socket),
            Source::Handover => Err(closed()),
        };
        let gate = gate.map_err(Error::io("wait for a UDP socket"))?;
        Ok(Self { gate, local, keep })
    }

    /// Receives one datagram into `buffer`: its length and its sender. What does not fit is lost. Any number
    /// of tasks may wait at the same time.
    ///
    /// # Errors
    ///
    /// Those of `recvfrom(2)`, and `NotConnected` once the socket is closed: leave the loop then. When the
    /// worker leaves, whoever waits for [`draining`](crate::Worker::draining) in the same `select!` hears
    /// that first.
    ///
    /// # Cancel safety
    ///
    /// No datagram is lost when the future is dropped.
    pub async fn recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let received = match self.gate.socket() {
            Ok(socket) => self.gate.unless_closed(socket.recv_from(buffer)).await,
            Err(_closed) => None,
        };
        self.outcome(received).await
    }

    /// As [`recv_from`](Self::recv_from) without the sender: for a socket that is
    /// [connected](Self::connect).
    ///
    /// # Errors
    ///
    /// As [`recv_from`](Self::recv_from).
    ///
    /// # Cancel safety
    ///
    /// As [`recv_from`](Self::recv_from).
    pub async fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let received = match self.gate.socket() {
            Ok(socket) => self.gate.unless_closed(socket.recv(buffer)).await,
            Err(_closed) => None,
        };
        self.outcome(received).await
    }

    /// Sends one datagram. Waits only while the kernel has no room for it.
    ///
    /// # Errors
    ///
    /// Those of `sendto(2)`, and `NotConnected` once the socket is closed.
    ///
    /// # Cancel safety
    ///
    /// Nothing is sent when the future is dropped before it is done.
    pub async fn send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        let sent = match self.gate.socket() {
            Ok(socket) => self.gate.unless_closed(socket.send_to(datagram, to)).await,
            Err(_closed) => None,
        };
        self.outcome(sent).await
    }

    /// Sends one datagram to where the socket is [connected](Self::connect).
    ///
    /// # Errors
    ///
    /// As [`send_to`](Self::send_to).
    ///
    /// # Cancel safety
    ///
    /// As [`send_to`](Self::send_to).
    pub async fn send(&self, datagram: &[u8]) -> io::Result<usize> {
        let sent = match self.gate.socket() {
            Ok(socket) => self.gate.unless_closed(socket.send(datagram)).await,
            Err(_closed) => None,
        };
        self.outcome(sent).await
    }

    /// Connects it: only datagrams from there are received, and [`send`](Self::send) sends there. That holds
    /// for *all workers*, because the socket is theirs too; connect one that is bound
    /// [`exclusive`](crate::BindUdp::exclusive)ly.
    ///
    /// # Errors
    ///
    /// Those of `connect(2)`, and `NotConnected` once the socket is closed.
    ///
    /// # Cancel safety
    ///
    /// It never waits.
    pub async fn connect(&self, peer: SocketAddr) -> io::Result<()> {
        self.gate.socket()?.connect(peer).await
    }

    /// The address that it is bound to. With port 0 all workers got the same one. Known after the close too.
    ///
    /// # Errors
    ///
    /// Those of `getsockname(2)`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        match self.gate.socket() {
            // Connecting it may have changed the address.
            Ok(socket) => socket.local_addr(),
            Err(_closed) => self.local.tcp(),
        }
    }

    /// Where it is [connected](Self::connect) to.
    ///
    /// # Errors
    ///
    /// Those of `getpeername(2)`, and `NotConnected` once the socket is closed.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.gate.socket()?.peer_addr()
    }

    /// tokio's socket itself: for its options, such as multicast groups, for its descriptor (the `Arc`
    /// implements `AsFd`), and to answer what was received before the worker was told to leave. Its port is
    /// free only when the last of these is dropped as well.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the socket is closed.
    pub fn inner(&self) -> io::Result<Arc<tokio::net::UdpSocket>> {
        self.gate.socket()
    }

    /// std's socket, for other libraries. It is in non-blocking mode and must stay so: the mode is that of
    /// every worker. The worker's leaving does not close it any more, and the primary goes on counting this
    /// worker among those that have it.
    ///
    /// # Errors
    ///
    /// `NotConnected` once the socket is closed; EMFILE when no further descriptor may be opened.
    pub fn into_std(self) -> io::Result<std::net::UdpSocket> {
        let socket = self.gate.socket()?.as_fd().try_clone_to_owned()?;
        Ok(self.keep.give_away(socket).into())
    }

    /// Closes it: whoever waits to receive ends with an error. A second time does nothing.
    pub fn close(&self) {
        self.gate.close();
        self.keep.close();
    }

    /// Whether it is closed.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.gate.is_closed()
    }

    /// `None` stands for a socket that is closed.
    async fn outcome<T>(&self, done: Option<io::Result<T>>) -> io::Result<T> {
        match done {
            Some(outcome) => outcome,
            None => {
                self.keep.until_told().await;
                Err(closed())
            }
        }
    }
}
