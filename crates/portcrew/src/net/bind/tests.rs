//! Each kind of socket as the kernel sees it.

use std::net::{TcpListener, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _};
use std::os::unix::net::UnixListener;

use portcrew_ipc::probe::accept_queue;

use super::*;

fn query(address: Address) -> Query {
    Query { address, index: 0, backlog: None, data: None }
}

fn tcp(host: &str, port: u16, ipv6_only: bool) -> Query {
    let family = if host.contains(':') { Family::V6 } else { Family::V4 };
    query(Address::Tcp { host: Some(host.into()), port, family, ipv6_only })
}

fn port(bound: &Bound) -> u16 {
    bound.to.sockname.as_ref().unwrap().port
}

/// Whether this machine has IPv6. Says so where it has not.
fn has_ipv6() -> bool {
    let has = TcpListener::bind("[::1]:0").is_ok();
    if !has {
        use std::io::Write as _;
        let _ = writeln!(io::stderr(), "skipped: this machine has no IPv6");
    }
    has
}

#[test]
fn a_descriptor_is_what_the_system_says_that_it_is() {
    let fd = |fd: i32| query(Address::Fd { fd });
    let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
    let bound = bind(&fd(tcp.as_raw_fd())).unwrap();
    assert_eq!(bound.to.kind, SocketKind::Tcp);
    assert_eq!(port(&bound), tcp.local_addr().unwrap().port());
    let directory = tempfile::tempdir().unwrap();
    let unix = UnixListener::bind(directory.path().join("s")).unwrap();
    let bound = bind(&fd(unix.as_raw_fd())).unwrap();
    assert_eq!(bound.to, BoundTo { kind: SocketKind::Stream, sockname: None });
    drop(bound);
    assert!(directory.path().join("s").exists(), "its file is not ours");
}

#[test]
fn what_is_no_stream_socket_is_einval_as_node_says() {
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    let (pair, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    for fd in [1_000_000, file.as_raw_fd(), udp.as_raw_fd(), pair.as_raw_fd()] {
        let refused = bind(&query(Address::Fd { fd })).unwrap_err();
        assert_eq!(refused.source.raw_os_error(), Some(22), "{refused:?}");
    }
}

#[test]
fn the_backlog_is_the_one_that_was_asked_for_and_else_node_s() {
    for (asked, limit) in [(Some(7), 7), (None, 511)] {
        let mut query = tcp("127.0.0.1", 0, false);
        query.backlog = asked;
        let bound = bind(&query).unwrap();
        assert_eq!(accept_queue(bound.socket.as_fd()).unwrap().limit, limit);
    }
}

#[test]
fn two_sockets_share_a_port_when_both_say_so_and_not_otherwise() {
    let first = bind_reusing(&tcp("127.0.0.1", 0, false), Reuse::Port).unwrap();
    let again = tcp("127.0.0.1", port(&first), false);
    bind_reusing(&again, Reuse::Port).unwrap();
    let refused = bind(&again).unwrap_err();
    assert_eq!(refused.source.kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn ipv6_only_leaves_the_port_to_ipv4_and_otherwise_both_are_served() {
    if !has_ipv6() {
        return;
    }
    // At this address no client has a port, unlike at 127.0.0.1.
    let ipv4 = |bound: &Bound| bind(&tcp("127.77.77.77", port(bound), false));
    let only = bind(&tcp("::", 0, true)).unwrap();
    ipv4(&only).unwrap();
    let both = bind(&tcp("::", 0, false)).unwrap();
    TcpStream::connect(("127.0.0.1", port(&both))).unwrap();
    TcpStream::connect(("::1", port(&both))).unwrap();
    assert_eq!(ipv4(&both).unwrap_err().source.kind(), io::ErrorKind::AddrInUse);
}

#[test]
fn the_zone_of_an_address_is_told_with_it() {
    let address = "[fe80::1%1]:80".parse().unwrap();
    let expected = SockName { address: "fe80::1%lo".into(), family: Family::V6, port: 80 };
    assert_eq!(sockname(address), expected);
}
