//! Using a UDP socket without waiting, and from hand-written futures.

use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;

use super::UdpSocket;
use super::gate::Direction;

/// Without waiting: `WouldBlock` where the others wait, and `NotConnected` once the socket is closed.
impl UdpSocket {
    /// [`recv_from`](Self::recv_from) without waiting.
    ///
    /// # Errors
    ///
    /// As there, and `WouldBlock`.
    pub fn try_recv_from(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.gate.socket()?.try_recv_from(buffer)
    }

    /// [`recv`](Self::recv) without waiting.
    ///
    /// # Errors
    ///
    /// As there, and `WouldBlock`.
    pub fn try_recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.gate.socket()?.try_recv(buffer)
    }

    /// [`send_to`](Self::send_to) without waiting.
    ///
    /// # Errors
    ///
    /// As there, and `WouldBlock`.
    pub fn try_send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<usize> {
        self.gate.socket()?.try_send_to(datagram, to)
    }

    /// [`send`](Self::send) without waiting.
    ///
    /// # Errors
    ///
    /// As there, and `WouldBlock`.
    pub fn try_send(&self, datagram: &[u8]) -> io::Result<usize> {
        self.gate.socket()?.try_send(datagram)
    }
}

/// One caller at a time for receiving, and one for sending: only the last one is woken. After the close all
/// give `NotConnected`.
impl UdpSocket {
    /// As [`recv_from`](Self::recv_from).
    pub fn poll_recv_from(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        self.gate.poll(Direction::Receive, cx, |socket, cx| socket.poll_recv_from(cx, buffer))
    }

    /// As [`recv`](Self::recv).
    pub fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.gate.poll(Direction::Receive, cx, |socket, cx| socket.poll_recv(cx, buffer))
    }

    /// As [`send_to`](Self::send_to).
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        datagram: &[u8],
        to: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.gate.poll(Direction::Send, cx, |socket, cx| socket.poll_send_to(cx, datagram, to))
    }

    /// As [`send`](Self::send).
    pub fn poll_send(&self, cx: &mut Context<'_>, datagram: &[u8]) -> Poll<io::Result<usize>> {
        self.gate.poll(Direction::Send, cx, |socket, cx| socket.poll_send(cx, datagram))
    }
}
