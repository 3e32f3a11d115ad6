//! A non-blocking connection to the target, TCP or Unix.

use std::io;
use std::time::Duration;

use rustix::net::{RecvFlags, Shutdown, recv, shutdown};
use tokio::net::{TcpStream, UnixStream};

use super::target::Target;

/// What an unused connection shows.
#[derive(Debug)]
pub(super) enum Idle {
    Quiet,
    /// Closed or reset by the server.
    Ended,
    /// Bytes that nobody asked for.
    Unasked,
}

#[derive(Debug)]
pub(super) enum Stream {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Stream {
    /// # Cancel safety
    /// A connection that is not complete is given up.
    pub(super) async fn connect(target: &Target) -> io::Result<Self> {
        match target {
            Target::Tcp(address) => TcpStream::connect(address).await.map(Self::Tcp),
            Target::Unix(path) => loop {
                match UnixStream::connect(path).await {
                    // A full backlog of a Unix socket has no event that would tell of room in it.
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                    result => return result.map(Self::Unix),
                }
            },
        }
    }

    /// Writes some bytes. Cancel safe: nothing is written when the future is dropped.
    pub(super) async fn write_some(&self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            // The first try mostly succeeds: a request is small and the socket's buffer empty.
            let written = match self {
                Self::Tcp(stream) => stream.try_write(bytes),
                Self::Unix(stream) => stream.try_write(bytes),
            };
            match written {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => match self {
                    Self::Tcp(stream) => stream.writable().await?,
                    Self::Unix(stream) => stream.writable().await?,
                },
                result => return result,
            }
        }
    }

    /// Reads some bytes; zero is the end. Cancel safe: nothing is read when the future is dropped.
    pub(super) async fn read_some(&self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self {
                Self::Tcp(stream) => stream.readable().await?,
                Self::Unix(stream) => stream.readable().await?,
            }
            let read = match self {
                Self::Tcp(stream) => stream.try_read(buffer),
                Self::Unix(stream) => stream.try_read(buffer),
            };
            match read {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                result => return result,
            }
        }
    }

    /// Asks the kernel, not the runtime: a close that arrived a moment ago must be seen before a request is written.
    pub(super) fn idle(&self) -> Idle {
        let mut byte = [0_u8; 1];
        let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
        let peeked = match self {
            Self::Tcp(stream) => recv(stream, &mut byte, flags),
            Self::Unix(stream) => recv(stream, &mut byte, flags),
        };
        match peeked {
            Ok((_, 0)) => Idle::Ended,
            Ok(_) => Idle::Unasked,
            Err(error) if error == rustix::io::Errno::AGAIN => Idle::Quiet,
            Err(_) => Idle::Ended,
        }
    }

    /// Closes this direction: the server reads the end behind the request. A failure means that the connection has ended,
    /// which the read finds out.
    pub(super) fn end_of_requests(&self) {
        let _ = match self {
            Self::Tcp(stream) => shutdown(stream, Shutdown::Write),
            Self::Unix(stream) => shutdown(stream, Shutdown::Write),
        };
    }

    /// Closes by a reset. A failure to arrange that leaves an ordinary close.
    pub(super) fn reset(self) {
        if let Self::Tcp(stream) = &self {
            let _ = stream.set_zero_linger();
        }
    }
}
