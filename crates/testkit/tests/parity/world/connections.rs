//! Sockets of a proof's own, to be sent.

use std::net::{Ipv4Addr, TcpListener, TcpStream};

use super::connect;

/// A client, and the connection that a server on this machine accepted from it.
pub(crate) fn connected() -> (TcpStream, TcpStream) {
    let listener = listener();
    let client = connect(port_of(&listener));
    let (accepted, _) = listener.accept().expect("the client has connected");
    (client, accepted)
}

/// A server on a free port of this machine.
pub(crate) fn listener() -> TcpListener {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free")
}

/// Where it listens.
pub(crate) fn port_of(listener: &TcpListener) -> u16 {
    listener.local_addr().expect("it is bound").port()
}
