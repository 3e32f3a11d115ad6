//! Every kind of socket, and what is refused.

use super::*;
use crate::error::HandleError;
use rustix::net::{AddressFamily, SocketType};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};

fn handle(kind: HandleKind, fd: impl Into<OwnedFd>) -> Handle {
    Handle { kind, fd: fd.into() }
}

fn tcp() -> (TcpListener, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener, stream)
}

fn refusal(handle: Handle) -> String {
    handle.into_socket().unwrap_err().to_string()
}

#[test]
fn each_socket_of_std_survives_the_journey() {
    let dir = tempfile::tempdir().unwrap();
    let unix = UnixListener::bind(dir.path().join("x")).unwrap();
    let (listener, stream) = tcp();
    let round = |handle: Handle| handle.into_socket().unwrap();
    assert!(matches!(round(listener.into()), HandleSocket::TcpListener(_)));
    assert!(matches!(round(stream.into()), HandleSocket::TcpStream(_)));
    assert!(matches!(round(unix.into()), HandleSocket::UnixListener(_)));
    assert!(matches!(round(UnixStream::pair().unwrap().0.into()), HandleSocket::UnixStream(_)));
    let udp = Handle::from(UdpSocket::bind("[::1]:0").unwrap());
    assert_eq!(udp.kind, HandleKind::DgramSocket { dgram_type: DgramType::Udp6 });
    assert!(matches!(round(udp), HandleSocket::UdpSocket(_)));
}

#[test]
fn a_native_handle_is_whatever_stream_socket_it_is() {
    let (listener, stream) = tcp();
    let native = |fd: OwnedFd| handle(HandleKind::NetNative, fd).into_socket().unwrap();
    assert!(matches!(native(listener.into()), HandleSocket::TcpListener(_)));
    assert!(matches!(native(stream.into()), HandleSocket::TcpStream(_)));
}

#[test]
fn what_arrived_instead_is_named() {
    let (listener, stream) = tcp();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    let file = std::fs::File::open("/dev/null").unwrap();
    let socket = HandleKind::NetSocket { key: None };
    assert_eq!(
        refusal(handle(HandleKind::NetServer, stream)),
        "the peer sent a TCP socket that does not listen instead of a listening socket"
    );
    assert_eq!(
        refusal(handle(socket, listener)),
        "the peer sent a listening TCP socket instead of a connected socket"
    );
    assert_eq!(
        refusal(handle(HandleKind::NetNative, udp)),
        "the peer sent a UDP socket instead of a TCP or Unix stream socket"
    );
    assert_eq!(
        refusal(handle(HandleKind::DgramNative, file)),
        "the peer sent no socket instead of a UDP socket"
    );
    assert_eq!(
        refusal(handle(HandleKind::NetNative, UnixDatagram::unbound().unwrap())),
        "the peer sent a socket of another kind instead of a TCP or Unix stream socket"
    );
}

#[test]
fn a_descriptor_that_can_do_nothing_is_no_socket() {
    let flags = rustix::fs::OFlags::PATH | rustix::fs::OFlags::CLOEXEC;
    let path = rustix::fs::open("/dev/null", flags, rustix::fs::Mode::empty()).unwrap();
    let error = handle(HandleKind::NetNative, path).into_socket().unwrap_err();
    assert!(matches!(error, HandleError::Unexpected { .. }), "{error:?}");
}

#[test]
fn a_bound_socket_is_made_to_listen_and_a_connection_is_refused() {
    let bound = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], 0));
    rustix::net::bind(&bound, &address).unwrap();
    let listener = handle(HandleKind::NetNative, bound).into_listener(7).unwrap();
    let HandleSocket::TcpListener(listener) = listener else { panic!("{listener:?}") };
    TcpStream::connect(listener.local_addr().unwrap()).unwrap();

    let (_listener, stream) = tcp();
    let error = handle(HandleKind::NetNative, stream).into_listener(7).unwrap_err();
    assert!(matches!(error, HandleError::Unexpected { .. }), "{error:?}");
}
