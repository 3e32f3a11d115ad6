//! When the end of a connection is told: every row of the table in the page of `ends`.

#![allow(clippy::unwrap_used, reason = "a failure here is a failed test")]

use std::collections::HashSet;
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use portcrew_ipc::ends::{Cookie, cookie};
use portcrew_ipc::probe::{TcpState, figures};
use rustix::net::sockopt;

use crate::common::DEADLINE;
use crate::common::ends_world::{World, name, over, port};

/// A connection whose close is an orderly one.
fn orderly(world: &World) -> (TcpStream, TcpStream) {
    let (server, client) = world.connect();
    sockopt::set_socket_linger(&server, None).unwrap();
    (server, client)
}

/// Waits until the kernel has taken in what the other end did.
fn reached(socket: &impl AsFd, state: TcpState) {
    let hang = Instant::now() + DEADLINE;
    while figures(socket.as_fd()).unwrap().state != state {
        assert!(Instant::now() < hang, "{:?}", figures(socket.as_fd()).unwrap());
        std::thread::yield_now();
    }
}

#[tokio::test]
async fn a_cookie_is_the_kernels_name_of_the_socket_and_not_of_the_descriptor() {
    let world = World::new();
    let (server, client) = world.connect();
    let kernels = sockopt::socket_cookie(&server).unwrap();
    assert_eq!(cookie(server.as_fd()).unwrap(), Cookie(kernels));
    assert_eq!(name(&server.try_clone().unwrap()), name(&server));
    assert_ne!(name(&client), name(&server));
    let (pipe, _other) = rustix::pipe::pipe().unwrap();
    let error = cookie(pipe.as_fd()).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ENOTSOCK));
}

#[tokio::test]
async fn a_holder_that_closes_first_is_told_while_the_client_is_there() {
    let mut world = World::new();
    // One of several: whose acknowledgement meets the very last instructions of the close is told later.
    let (servers, clients): (Vec<_>, Vec<_>) = (0..5).map(|_| orderly(&world)).unzip();
    let known: HashSet<_> = servers.iter().map(name).collect();
    drop(servers);
    let mut told = world.told(1).await;
    assert!(told.iter().all(|it| known.contains(it)));
    // What is left of it, in TIME_WAIT or before, is nobody's.
    assert_eq!(over([told[0]], &[port(&world.listener)]).await, [told[0]].into());
    // All of them when the clients have closed too, and none of them twice.
    drop(clients);
    told.extend(world.told(known.len() - told.len()).await);
    assert_eq!(told.into_iter().collect::<HashSet<_>>(), known);
    assert_eq!(world.told_so_far().await, []);
}

#[tokio::test]
async fn a_client_that_closes_first_is_told_when_the_holder_closes_too() {
    let mut world = World::new();
    let (server, client) = orderly(&world);
    let known = name(&server);
    drop(client);
    reached(&server, TcpState::CloseWait);
    assert_eq!(world.told_so_far().await, []);
    assert_eq!(over([known], &[port(&world.listener)]).await, HashSet::new());
    drop(server);
    assert_eq!(world.told(1).await, [known]);
}

#[tokio::test]
async fn a_reset_by_the_holder_is_told_at_once() {
    let mut world = World::new();
    let (server, _client) = world.connect();
    let known = name(&server);
    drop(server);
    assert_eq!(world.told(1).await, [known]);
}

#[tokio::test]
async fn a_close_with_unread_bytes_is_told_at_once() {
    let mut world = World::new();
    let (server, mut client) = orderly(&world);
    let known = name(&server);
    client.write_all(b"a request").unwrap();
    server.peek(&mut [0]).unwrap();
    drop(server);
    assert_eq!(world.told(1).await, [known]);
}

#[tokio::test]
async fn a_reset_by_the_client_is_told_when_the_holder_closes_but_a_survey_counts_it_as_over() {
    let mut world = World::new();
    let (server, client) = orderly(&world);
    let known = name(&server);
    sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
    drop(client);
    reached(&server, TcpState::Close);
    assert_eq!(world.told_so_far().await, []);
    assert_eq!(over([known], &[port(&world.listener)]).await, [known].into());
    drop(server);
    assert_eq!(world.told(1).await, [known]);
}

#[tokio::test]
async fn shutting_down_tells_nothing() {
    let mut world = World::new();
    let (server, client) = orderly(&world);
    let (known, ports) = (name(&server), [port(&world.listener)]);
    server.shutdown(Shutdown::Write).unwrap();
    reached(&server, TcpState::FinWait2);
    assert_eq!(world.told_so_far().await, []);
    assert_eq!(over([known], &ports).await, HashSet::new());
    // Both directions are closed now, and the socket is in no table; it is held nevertheless.
    drop(client);
    reached(&server, TcpState::Close);
    assert_eq!(world.told_so_far().await, []);
    drop(server);
    assert_eq!(world.told(1).await, [known]);
}

#[tokio::test]
async fn what_the_client_does_not_read_delays_the_end_but_a_survey_knows_that_nobody_holds_it() {
    let mut world = World::new();
    let (mut server, mut client) = orderly(&world);
    let (known, ports) = (name(&server), [port(&world.listener)]);
    server.set_nonblocking(true).unwrap();
    let mut written = 0;
    // Until the buffers of both ends are full: the kernel keeps bytes that it cannot send.
    let full = loop {
        match server.write(&[0; 1 << 16]) {
            Ok(n) => written += n,
            Err(error) => break error,
        }
    };
    assert_eq!(full.kind(), ErrorKind::WouldBlock);
    assert_eq!(over([known], &ports).await, HashSet::new());
    drop(server);
    assert_eq!(world.told_so_far().await, []);
    // Another test may just be starting a child, which has copies of all descriptors for a moment.
    let hang = Instant::now() + DEADLINE;
    while over([known], &ports).await.is_empty() {
        assert!(Instant::now() < hang, "it counts as held");
    }
    let mut read = Vec::new();
    client.read_to_end(&mut read).unwrap();
    assert_eq!(read.len(), written);
    drop(client);
    assert_eq!(world.told(1).await, [known]);
}

#[tokio::test]
async fn a_connection_that_nobody_accepted_is_told_under_a_name_that_nobody_knows() {
    let mut world = World::new();
    let client = TcpStream::connect(world.listener.local_addr().unwrap()).unwrap();
    let listening = name(&world.listener);
    let other = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    drop(std::mem::replace(&mut world.listener, other));
    // The one that waited, and the listener itself.
    let told = world.told(2).await;
    assert!(told.contains(&listening));
    drop(client);
}
