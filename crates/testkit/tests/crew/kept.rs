//! A client that keeps its connection, from an address of its own choice, and knows which worker it has.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use rustix::net::{AddressFamily, SocketType, bind, connect, ipproto, socket};

use crate::support::HANG;

/// A connection that is open until this is dropped.
#[derive(Debug)]
pub(crate) struct Kept {
    stream: TcpStream,
    pub(crate) worker: u32,
}

impl Kept {
    /// Connects, and asks once.
    pub(crate) fn open(to: SocketAddr) -> Self {
        Self::from(Ipv4Addr::LOCALHOST, to)
    }

    /// The same from this address of the loopback network.
    pub(crate) fn from(source: Ipv4Addr, to: SocketAddr) -> Self {
        Self::start(dial(source, to), &request("/", ""))
    }

    /// The same with these first bytes: a whole request with what may stand before it.
    pub(crate) fn saying(to: SocketAddr, first: &str) -> Self {
        Self::start(dial(Ipv4Addr::LOCALHOST, to), first)
    }

    /// Takes a connection over, and asks.
    pub(crate) fn start(mut stream: TcpStream, first: &str) -> Self {
        stream.set_read_timeout(Some(HANG)).unwrap();
        stream.write_all(first.as_bytes()).unwrap();
        let worker = answered_by(&mut stream);
        Self { stream, worker }
    }

    /// Asks again, on the same connection.
    pub(crate) fn asks(&mut self) -> u32 {
        self.stream.write_all(request("/", "").as_bytes()).unwrap();
        answered_by(&mut self.stream)
    }
}

/// A connection from this address of the loopback network.
pub(crate) fn dial(source: Ipv4Addr, to: SocketAddr) -> TcpStream {
    let fd = socket(AddressFamily::INET, SocketType::STREAM, Some(ipproto::TCP)).unwrap();
    bind(&fd, &SocketAddr::from((source, 0))).unwrap();
    connect(&fd, &to).unwrap();
    fd.into()
}

/// A request for this target, with these further lines of its head.
pub(crate) fn request(target: &str, lines: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nhost: x\r\n{lines}\r\n")
}

/// How many of them each worker has.
pub(crate) fn share<'a>(clients: impl IntoIterator<Item = &'a Kept>) -> BTreeMap<u32, usize> {
    let mut share = BTreeMap::new();
    for client in clients {
        *share.entry(client.worker).or_default() += 1;
    }
    share
}

/// Reads a whole answer with a body of known length, which names its worker.
fn answered_by(stream: &mut TcpStream) -> u32 {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4096];
    loop {
        let read = stream.read(&mut chunk).unwrap();
        assert!(read > 0, "ended in the middle: {}", String::from_utf8_lossy(&bytes));
        bytes.extend_from_slice(&chunk[..read]);
        if let Some(worker) = whole(&String::from_utf8_lossy(&bytes)) {
            return worker;
        }
    }
}

/// The worker behind `worker ` in the body of a whole answer.
fn whole(text: &str) -> Option<u32> {
    let (head, body) = text.split_once("\r\n\r\n")?;
    let head = head.to_ascii_lowercase();
    let length: usize = head.split_once("content-length: ")?.1.lines().next()?.parse().unwrap();
    (body.len() >= length).then_some(())?;
    let name = body.split_once("worker ")?.1;
    name.split(|it: char| !it.is_ascii_digit()).next()?.parse().ok()
}
