//! The proof's side of UDP: a client that says little, and addresses that no other proof has.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::atomic::{AtomicU8, Ordering};

use portcrew_testkit::process::{eventually, proc_fs};

use super::HANG;

/// A UDP socket of the proof.
pub(crate) struct Datagrams(UdpSocket);

impl Datagrams {
    pub(crate) fn new() -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// # Panics
    /// When the port is not free.
    pub(crate) fn at(address: SocketAddr) -> Self {
        let socket = UdpSocket::bind(address);
        let socket = socket.unwrap_or_else(|error| panic!("bind {address}: {error}"));
        socket.set_read_timeout(Some(HANG)).expect("not zero");
        Self(socket)
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.0.local_addr().expect("it is bound")
    }

    /// The socket itself.
    pub(crate) const fn inner(&self) -> &UdpSocket {
        &self.0
    }

    /// Sends one datagram.
    pub(crate) fn send(&self, to: SocketAddr) {
        self.0.send_to(b"there?", to).unwrap_or_else(|error| panic!("to {to}: {error}"));
    }

    /// The next datagram, and who sent it.
    ///
    /// # Panics
    /// When none comes.
    pub(crate) fn next(&self) -> (String, SocketAddr) {
        let mut text = [0; 256];
        let (length, from) = self.0.recv_from(&mut text).expect("a datagram comes");
        (String::from_utf8_lossy(&text[..length]).into_owned(), from)
    }

    /// What is answered there.
    pub(crate) fn ask(&self, at: SocketAddr) -> String {
        self.send(at);
        self.next().0
    }
}

/// An address of this proof alone: what is free there stays so.
pub(crate) fn own_loopback() -> Ipv4Addr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    Ipv4Addr::new(127, 0, 3, NEXT.fetch_add(1, Ordering::Relaxed))
}

/// A UDP port that was free a moment ago.
pub(crate) fn free_udp(host: Ipv4Addr) -> SocketAddr {
    Datagrams::at((host, 0).into()).address()
}

/// Waits until every process has closed its socket there.
pub(crate) fn until_free(at: SocketAddr) {
    eventually("the UDP port is free", HANG, || UdpSocket::bind(at).ok().map(drop));
}

/// How many UDP sockets over IPv4 the process has.
pub(crate) fn udp_sockets(pid: u32) -> usize {
    let table = std::fs::read_to_string("/proc/net/udp").expect("the kernel tells");
    let inodes = table.lines().skip(1).filter_map(|it| it.split_ascii_whitespace().nth(9));
    let inodes = inodes.map(|it| format!("socket:[{it}]")).collect::<Vec<_>>();
    let fds = proc_fs::fds(pid).unwrap_or_else(|error| panic!("process {pid}: {error}"));
    fds.iter().filter(|(_, is)| inodes.contains(is)).count()
}
