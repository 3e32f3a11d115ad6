//! The kernel's numbers for every row of the table in the page of `probe`, on real connections.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::{Duration, Instant};

use portcrew_ipc::probe::{Figures, Proof, TcpState, accept_queue, dropped, prove};
use rustix::net::{RecvFlags, recv, sockopt};

use crate::common::loopback::{pair, until};
use crate::common::skipped;

/// Waits until the kernel shows these numbers.
fn settled(socket: &impl AsFd, expected: Figures) {
    until(socket, |now| *now == expected);
}

fn expect(socket: &impl AsFd, state: TcpState, numbers: [u64; 4], proof: Proof) {
    let [received, inq, sent, notsent] = numbers;
    settled(socket, Figures { state, received, inq, sent, notsent });
    assert_eq!(prove(socket.as_fd()).unwrap(), proof);
}

const REQUEST: &[u8; 46] = b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Pad: 12\r\n\r\n";

#[test]
fn a_fresh_connection_is_untouched() {
    let (server, _client) = pair();
    expect(&server, TcpState::Established, [0, 0, 0, 0], Proof::Untouched);
}

#[test]
fn an_unread_request_is_untouched() {
    let (server, mut client) = pair();
    client.write_all(REQUEST).unwrap();
    expect(&server, TcpState::Established, [46, 46, 0, 0], Proof::Untouched);
}

#[test]
fn an_unread_request_and_the_clients_end_are_untouched() {
    let (server, mut client) = pair();
    client.write_all(REQUEST).unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    expect(&server, TcpState::CloseWait, [47, 46, 0, 0], Proof::Untouched);
}

#[test]
fn the_clients_end_alone_is_untouched() {
    let (server, client) = pair();
    client.shutdown(Shutdown::Write).unwrap();
    expect(&server, TcpState::CloseWait, [1, 0, 0, 0], Proof::Untouched);
}

#[test]
fn a_partial_read_is_touched() {
    let (mut server, mut client) = pair();
    client.write_all(b"hello world").unwrap();
    server.read_exact(&mut [0; 5]).unwrap();
    expect(&server, TcpState::Established, [11, 6, 0, 0], Proof::Touched);
}

#[test]
fn a_complete_read_and_the_clients_end_are_touched() {
    let (mut server, mut client) = pair();
    client.write_all(b"hello world").unwrap();
    client.shutdown(Shutdown::Write).unwrap();
    server.read_exact(&mut [0; 11]).unwrap();
    expect(&server, TcpState::CloseWait, [12, 0, 0, 0], Proof::Touched);
}

#[test]
fn a_look_without_taking_is_untouched() {
    let (server, mut client) = pair();
    client.write_all(b"hello world").unwrap();
    let mut buffer = [0; 64];
    assert_eq!(server.peek(&mut buffer).unwrap(), 11);
    expect(&server, TcpState::Established, [11, 11, 0, 0], Proof::Untouched);
}

#[test]
fn a_discard_by_truncation_counts_as_read() {
    let (server, mut client) = pair();
    client.write_all(b"hello world").unwrap();
    expect(&server, TcpState::Established, [11, 11, 0, 0], Proof::Untouched);
    let (_, discarded) = recv(&server, &mut [0_u8; 11], RecvFlags::TRUNC).unwrap();
    assert_eq!(discarded, 11);
    expect(&server, TcpState::Established, [11, 0, 0, 0], Proof::Touched);
}

#[test]
fn an_answer_is_touched() {
    let (mut server, mut client) = pair();
    server.write_all(b"hello world").unwrap();
    client.read_exact(&mut [0; 11]).unwrap();
    expect(&server, TcpState::Established, [0, 0, 11, 0], Proof::Touched);
}

#[test]
fn a_corked_answer_that_nobody_sees_yet_is_touched() {
    let (mut server, _client) = pair();
    sockopt::set_tcp_cork(&server, true).unwrap();
    server.write_all(b"HTTP/1.1 200 OK\r\n").unwrap();
    expect(&server, TcpState::Established, [0, 0, 0, 17], Proof::Touched);
}

#[test]
fn a_reset_means_that_the_peer_is_gone() {
    let (server, mut client) = pair();
    client.write_all(REQUEST).unwrap();
    expect(&server, TcpState::Established, [46, 46, 0, 0], Proof::Untouched);
    // A close with no time to linger is a reset.
    sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
    drop(client);
    until(&server, |now| now.state == TcpState::Close);
    assert_eq!(prove(server.as_fd()).unwrap(), Proof::PeerGone);
}

#[test]
fn our_own_half_close_is_touched() {
    let (server, _client) = pair();
    server.shutdown(Shutdown::Write).unwrap();
    assert_eq!(prove(server.as_fd()).unwrap(), Proof::Touched);
}

#[test]
fn data_in_the_syn_is_received_and_unread() {
    let allowed = std::fs::read_to_string("/proc/sys/net/ipv4/tcp_fastopen").unwrap_or_default();
    // Bit 0: clients may. Bit 1: servers may.
    if allowed.trim().parse::<u32>().is_ok_and(|allowed| allowed & 0b11 == 0b11) {
        fast_open();
        println!("{FAST_OPEN_DONE}");
    } else if !fast_open_elsewhere() {
        skipped(&format!("net.ipv4.tcp_fastopen is {} and cannot be changed", allowed.trim()));
    }
}

const FAST_OPEN_DONE: &str = "data went in the SYN";

/// Runs this test in a network namespace of its own, where it may be allowed. False when no
/// namespace can be had.
fn fast_open_elsewhere() -> bool {
    let script = "ip link set lo up && echo 3 > /proc/sys/net/ipv4/tcp_fastopen && echo there && \
                  exec \"$0\" --exact probe_table::data_in_the_syn_is_received_and_unread --nocapture";
    let test = std::env::current_exe().unwrap();
    let unshare = Command::new("unshare").args(["-rn", "sh", "-c", script]).arg(test).output();
    let Ok(output) = unshare else {
        return false;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let there = text.starts_with("there\n");
    assert!(!there || text.contains(FAST_OPEN_DONE), "{output:?}");
    there
}

fn fast_open() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    set_fast_open(&listener, libc::TCP_FASTOPEN, 16);
    // The first connection fetches the cookie, the second one sends data with it.
    for data_in_syn in [false, true] {
        let client = fast_client();
        set_fast_open(&client, libc::TCP_FASTOPEN_CONNECT, 1);
        let address = listener.local_addr().unwrap();
        rustix::net::connect(&client, &address).unwrap();
        let mut client = TcpStream::from(client);
        client.write_all(REQUEST).unwrap();
        let (server, _) = listener.accept().unwrap();
        assert_eq!(syn_carried_data(&client), data_in_syn);
        expect(&server, TcpState::Established, [46, 46, 0, 0], Proof::Untouched);
    }
}

fn fast_client() -> OwnedFd {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    socket_with(AddressFamily::INET, SocketType::STREAM, SocketFlags::CLOEXEC, None).unwrap()
}

/// Whether the kernel says that data in the SYN was taken (`TCPI_OPT_SYN_DATA`).
fn syn_carried_data(client: &TcpStream) -> bool {
    let mut head = [0_u8; 8];
    let mut length = head.len() as libc::socklen_t;
    // SAFETY: both pointers are writable through the call, and `length` says how long `head` is.
    let result = unsafe {
        libc::getsockopt(
            client.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            head.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
    head[5] & 32 != 0
}

fn set_fast_open(socket: &impl AsRawFd, option: libc::c_int, value: libc::c_int) {
    // SAFETY: `value` is an int that lives through the call, and its size is given.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            option,
            (&raw const value).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    assert_eq!(result, 0, "{}", std::io::Error::last_os_error());
}

#[test]
fn what_is_no_tcp_connection_has_no_proof() {
    let (unix, _peer) = UnixStream::pair().unwrap();
    assert_eq!(prove(unix.as_fd()).unwrap(), Proof::NotTcp);
    let udp = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    assert_eq!(prove(udp.as_fd()).unwrap(), Proof::NotTcp);
    let file = std::fs::File::open("/dev/null").unwrap();
    assert_eq!(prove(file.as_fd()).unwrap(), Proof::NotTcp);
}

#[test]
fn a_client_that_never_stops_sending_ends_in_an_answer_all_the_same() {
    let (server, client) = pair();
    client.set_nonblocking(true).unwrap();
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let sender = std::thread::spawn(move || {
        let mut client = client;
        while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
            // A full buffer refuses; the thread goes on trying.
            let _ = client.write(&[0; 100]);
        }
        client
    });
    for _ in 0..1000 {
        // Untouched whenever a quiet moment was found, never an error, never another verdict.
        let proof = prove(server.as_fd()).unwrap();
        assert!(matches!(proof, Proof::Untouched | Proof::Touched), "{proof:?}");
    }
    drop(stop);
    let _client = sender.join().unwrap();
    assert_eq!(prove(server.as_fd()).unwrap(), Proof::Untouched);
}

#[test]
fn the_accept_queue_shows_who_waits_and_how_many_may() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let again = rustix::net::listen(&listener, 7);
    again.unwrap();
    let address = listener.local_addr().unwrap();
    let clients: Vec<_> = (0..3).map(|_| TcpStream::connect(address).unwrap()).collect();
    let hang = Instant::now() + Duration::from_secs(10);
    while accept_queue(listener.as_fd()).unwrap().waiting != 3 {
        assert!(Instant::now() < hang, "{:?}", accept_queue(listener.as_fd()).unwrap());
        std::thread::yield_now();
    }
    assert_eq!(accept_queue(listener.as_fd()).unwrap().limit, 7);
    let error = accept_queue(clients[0].as_fd()).unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
    let (unix, _peer) = UnixStream::pair().unwrap();
    assert!(accept_queue(unix.as_fd()).is_err());
}

#[test]
fn what_finds_no_room_in_the_accept_queue_is_counted_at_its_own_listener() {
    let full = TcpListener::bind("127.0.0.1:0").unwrap();
    rustix::net::listen(&full, 1).unwrap();
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = full.local_addr().unwrap();
    // A queue takes one more than its backlog.
    let _clients: Vec<_> = (0..2).map(|_| TcpStream::connect(address).unwrap()).collect();
    assert_eq!((dropped(full.as_fd()).unwrap(), dropped(other.as_fd()).unwrap()), (0, 0));
    let late = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    late.set_nonblocking(true).unwrap();
    // Its SYN is dropped before this returns: over loopback it arrives at once.
    late.connect(&address.into()).unwrap_err();
    let hang = Instant::now() + Duration::from_secs(10);
    while dropped(full.as_fd()).unwrap() == 0 {
        assert!(Instant::now() < hang, "{:?}", accept_queue(full.as_fd()).unwrap());
        std::thread::yield_now();
    }
    assert_eq!(dropped(other.as_fd()).unwrap(), 0);
}
