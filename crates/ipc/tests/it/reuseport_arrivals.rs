//! At which of many sockets something waits, on real traffic.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::future::poll_fn;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::Poll;

use portcrew_ipc::reuseport::FirstArrivals;
use rustix::net::{Shutdown, listen, shutdown};
use tokio::time::timeout;

use crate::common::DEADLINE;
use crate::reuseport_world::until_waiting;

/// A listening socket, for the watch and for whoever accepts.
fn listener() -> (Arc<OwnedFd>, TcpListener) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (Arc::new(listener.try_clone().unwrap().into()), listener)
}

fn client(of: &TcpListener) -> TcpStream {
    TcpStream::connect(of.local_addr().unwrap()).unwrap()
}

fn taken(arrivals: &FirstArrivals) -> Vec<u64> {
    let mut fired = Vec::new();
    arrivals.take(&mut fired).unwrap();
    fired.sort_unstable();
    fired
}

async fn fires(arrivals: &mut FirstArrivals) -> Vec<u64> {
    arrivals.wait().unwrap();
    let fired = poll_fn(|cx| arrivals.poll_fired(cx));
    timeout(DEADLINE, fired).await.expect("it wakes");
    taken(arrivals)
}

/// Whether it stays silent until the reactor has told of something else that came later.
async fn is_silent(arrivals: &mut FirstArrivals) -> bool {
    arrivals.wait().unwrap();
    let (other, later) = tokio::net::UnixStream::pair().unwrap();
    later.try_write(b"x").unwrap();
    timeout(DEADLINE, other.readable()).await.unwrap().unwrap();
    poll_fn(|cx| Poll::Ready(arrivals.poll_fired(cx).is_pending())).await
}

#[tokio::test]
async fn traffic_at_sockets_that_are_not_armed_wakes_nobody() {
    let mut arrivals = FirstArrivals::new().unwrap();
    let (socket, accepting) = listener();
    arrivals.add(7, socket).unwrap();
    assert!(is_silent(&mut arrivals).await);
    let _first = client(&accepting);
    assert_eq!(fires(&mut arrivals).await, [7]);
    for waiting in 2..10 {
        let _next = client(&accepting);
        until_waiting(&accepting, waiting);
        assert!(is_silent(&mut arrivals).await);
    }
    arrivals.rearm(7).unwrap();
    assert_eq!(fires(&mut arrivals).await, [7]);
}

#[tokio::test]
async fn more_sockets_than_one_call_tells_are_told_by_their_keys() {
    let mut arrivals = FirstArrivals::new().unwrap();
    let sockets: Vec<_> = (0..150).map(|_| listener()).collect();
    for (key, (socket, _)) in sockets.iter().enumerate() {
        arrivals.add(key as u64, Arc::clone(socket)).unwrap();
    }
    let _clients: Vec<_> = sockets.iter().map(|(_, accepting)| client(accepting)).collect();
    sockets.iter().for_each(|(_, accepting)| until_waiting(accepting, 1));
    assert_eq!(taken(&arrivals), (0..150).collect::<Vec<_>>());
    assert!(is_silent(&mut arrivals).await);
}

#[tokio::test]
async fn a_key_that_is_added_again_is_that_of_the_new_socket() {
    let mut arrivals = FirstArrivals::new().unwrap();
    let ((old, at_old), (new, at_new)) = (listener(), listener());
    arrivals.add(1, old).unwrap();
    arrivals.add(1, Arc::clone(&new)).unwrap();
    let _client = client(&at_old);
    until_waiting(&at_old, 1);
    assert!(taken(&arrivals).is_empty());
    let _client = client(&at_new);
    assert_eq!(fires(&mut arrivals).await, [1]);
    assert!(arrivals.add(2, new).is_err(), "it has a key");
}

/// Else whoever arms it again at once would turn round for ever.
#[tokio::test]
async fn a_socket_that_was_shut_down_is_not_told_until_it_listens_and_is_armed_again() {
    let mut arrivals = FirstArrivals::new().unwrap();
    let (socket, accepting) = listener();
    arrivals.add(1, socket).unwrap();
    shutdown(&accepting, Shutdown::Both).unwrap();
    assert!(fires(&mut arrivals).await.is_empty());
    assert!(is_silent(&mut arrivals).await);
    listen(&accepting, 8).unwrap();
    arrivals.rearm(1).unwrap();
    let _client = client(&accepting);
    assert_eq!(fires(&mut arrivals).await, [1]);
}
