//! A client that blocks, with a deadline that only detects a hang.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;

use rustix::net::{Shutdown, shutdown};

use super::{HANG, World};

/// An address of this machine that only rows use which close a port and listen on it again: no client and no other
/// test takes the port in between.
pub(crate) const ASIDE: Ipv4Addr = Ipv4Addr::new(127, 0, 42, 1);

/// Stops listening. Closing alone may not: a process that another test starts at this moment has a copy until its
/// `exec`.
pub(crate) fn stop_listening(listener: &TcpListener) {
    shutdown(listener, Shutdown::Both).expect("it listens");
}

/// Connects to a port of this machine.
///
/// # Panics
/// When nobody listens there.
pub(crate) fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port));
    let stream = stream.unwrap_or_else(|error| panic!("connect to {port}: {error}"));
    stream.set_read_timeout(Some(HANG)).expect("not zero");
    stream
}

/// A listener of the proof's own, and its port: taken for everybody else.
pub(crate) fn taken_port() -> (TcpListener, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    (listener, port)
}

/// What the server at that address says to a client that says nothing.
///
/// # Panics
/// When nobody listens there.
pub(crate) fn said_by(address: impl Into<SocketAddr>) -> String {
    let address = address.into();
    let stream = TcpStream::connect(address);
    let stream = stream.unwrap_or_else(|error| panic!("connect to {address}: {error}"));
    stream.set_read_timeout(Some(HANG)).expect("not zero");
    read_all(stream)
}

/// Whether this machine has IPv6, for [`Proof::needs`](crate::row::Proof::needs).
pub(crate) fn has_ipv6(_: &World) -> Result<(), String> {
    match TcpListener::bind((Ipv6Addr::LOCALHOST, 0)) {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("no IPv6 here: {error}")),
    }
}

/// Connects to a path.
///
/// # Panics
/// When nobody listens there.
pub(crate) fn connect_unix(path: &Path) -> UnixStream {
    let stream = UnixStream::connect(path);
    let stream = stream.unwrap_or_else(|error| panic!("connect to {}: {error}", path.display()));
    stream.set_read_timeout(Some(HANG)).expect("not zero");
    stream
}

/// Everything until the end of the stream.
///
/// # Panics
/// When it does not end, or breaks.
pub(crate) fn read_all(mut stream: impl Read) -> String {
    let mut text = String::new();
    match stream.read_to_string(&mut text) {
        Ok(_) => text,
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => panic!("no end after {text:?}"),
        Err(error) => panic!("{error} after {text:?}"),
    }
}

/// The answer to a request of HTTP, which must be a success.
///
/// # Panics
/// When it is none.
pub(crate) fn http_get(mut stream: impl Read + Write) -> String {
    let request = "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    stream.write_all(request.as_bytes()).expect("the server is there");
    let answer = read_all(stream);
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    answer
}

/// What the server at that port says to a client that says nothing.
pub(crate) fn said_at(port: u16) -> String {
    read_all(connect(port))
}

/// Has an echo answer.
///
/// # Panics
/// When it does not.
pub(crate) fn still_answers(mut client: &TcpStream) {
    client.write_all(b"there?").expect("it reads");
    let mut answer = [0; 6];
    client.read_exact(&mut answer).expect("it answers");
    assert_eq!(&answer, b"there?");
}
