//! Connections over loopback, and what the kernel has of them.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Instant;

use portcrew_ipc::probe::{Figures, figures};

use super::DEADLINE;

/// An accepted connection and its client.
pub(crate) fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    client.set_nodelay(true).unwrap();
    (listener.accept().unwrap().0, client)
}

/// Waits until the kernel's numbers are as they should be: loopback delivers a moment after the send returns.
pub(crate) fn until(socket: &impl AsFd, right: impl Fn(&Figures) -> bool) {
    let hang = Instant::now() + DEADLINE;
    loop {
        let now = figures(socket.as_fd()).unwrap();
        if right(&now) {
            return;
        }
        assert!(Instant::now() < hang, "{now:?}");
        std::thread::yield_now();
    }
}

/// Waits until so many bytes are there and unread.
pub(crate) fn arrived(socket: &impl AsFd, bytes: usize) {
    until(socket, |now| now.inq == bytes as u64);
}
