//! A client that blocks, with a deadline that only detects a hang.

use std::io::{self, Read, Write as _};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use super::HANG;

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
