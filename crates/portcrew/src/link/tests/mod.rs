//! Two ends of a channel without a cluster, and one end against a peer that is played by hand.

mod closing;
mod counting;
mod crowd;
mod farewell;
mod lost;
mod unread;

use std::future::Future;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Duration;

use portcrew_ipc::socket::pair_stream;

use crate::{Counted, Handle, Message, Parent, Received};

/// Only to tell a hang from a slow machine.
const HANG: Duration = Duration::from_secs(20);

/// Waits, but not for ever.
async fn soon<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(HANG, future).await.expect("it hangs")
}

/// Both ends.
fn ends() -> (Parent, Parent) {
    let (left, right) = pair_stream().unwrap();
    (Parent::from_fd(left), Parent::from_fd(right))
}

/// One end, and the bare socket of the other.
fn end_and_socket() -> (Parent, OwnedFd) {
    let (ours, theirs) = pair_stream().unwrap();
    (Parent::from_fd(ours), theirs)
}

/// A client, and the connection that a server accepted from it.
fn connected() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (accepted, _) = listener.accept().unwrap();
    (client, accepted)
}

/// The next message, which must be one.
async fn message(end: &Parent) -> (Message, Option<Handle>, Option<Counted>) {
    match soon(end.recv()).await {
        Some(Received::Message { message, handle, counted }) => (message, handle, counted),
        other => panic!("no message: {other:?}"),
    }
}
