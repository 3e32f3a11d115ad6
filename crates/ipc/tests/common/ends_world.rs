//! Connections with an `Ends` that is told of them, for the tests of `ends`.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::collections::HashSet;
use std::future::poll_fn;
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::time::Duration;

use portcrew_ipc::ends::{Cookie, Ends, News, Survey, cookie};
use rustix::net::sockopt;

use super::DEADLINE;

/// A listener, and what the kernel tells of its port.
pub(crate) struct World {
    pub(crate) listener: TcpListener,
    pub(crate) ends: Ends,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::at("127.0.0.1:0").unwrap()
    }

    pub(crate) fn at(address: &str) -> std::io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let ends = Ends::open().unwrap();
        ends.set_ports(&[port(&listener)]).unwrap();
        Ok(Self { listener, ends })
    }

    /// The accepted end of a new connection, and its client. Its last close is a reset, so that its end is told
    /// at once and nothing is left of it at either end, TIME_WAIT neither.
    pub(crate) fn connect(&self) -> (TcpStream, TcpStream) {
        connect(&self.listener)
    }

    /// Waits until this many ends were told, and returns them all.
    pub(crate) async fn told(&mut self, count: usize) -> Vec<Cookie> {
        let mut ended = Vec::new();
        while ended.len() < count {
            assert_eq!(news(&mut self.ends, &mut ended).await, News::Ended);
        }
        ended
    }

    /// Everything that was told up to now, and that is none of the connection's that is made and ended here to see
    /// that the kernel has said all that it had to say.
    pub(crate) async fn told_so_far(&mut self) -> Vec<Cookie> {
        let (server, client) = self.connect();
        let last = name(&server);
        drop(server);
        let mut ended = Vec::new();
        while !ended.contains(&last) {
            assert_eq!(news(&mut self.ends, &mut ended).await, News::Ended);
        }
        drop(client);
        ended.retain(|it| *it != last);
        ended
    }
}

pub(crate) fn connect(listener: &TcpListener) -> (TcpStream, TcpStream) {
    let mut address = listener.local_addr().unwrap();
    if address.ip().is_unspecified() {
        address.set_ip([127, 0, 0, 1].into());
    }
    let client = TcpStream::connect(address).unwrap();
    let server = listener.accept().unwrap().0;
    sockopt::set_socket_linger(&server, Some(Duration::ZERO)).unwrap();
    (server, client)
}

pub(crate) fn port(listener: &TcpListener) -> u16 {
    listener.local_addr().unwrap().port()
}

pub(crate) fn name(socket: &impl AsFd) -> Cookie {
    cookie(socket.as_fd()).unwrap()
}

pub(crate) async fn news(ends: &mut Ends, ended: &mut Vec<Cookie>) -> News {
    let news = poll_fn(|cx| ends.poll_next(cx, ended));
    tokio::time::timeout(DEADLINE, news).await.expect("the kernel tells").unwrap()
}

/// Which of these are over.
pub(crate) async fn over<const N: usize>(asked: [Cookie; N], ports: &[u16]) -> HashSet<Cookie> {
    let survey = Survey::start(asked.into(), ports).unwrap();
    tokio::time::timeout(DEADLINE, survey).await.expect("the kernel answers").unwrap()
}
