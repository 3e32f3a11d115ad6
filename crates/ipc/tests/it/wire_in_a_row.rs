//! Connections of listeners that go in a row, on a real socket: each is a read of its own, with its descriptor.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::future::poll_fn;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::Poll;

use portcrew_ipc::channel::{Channel, ChannelSettings, Incoming, OutgoingHandle};
use portcrew_ipc::handle::HandleKind;
use portcrew_ipc::message::{ClusterBody, ClusterMessage, Inner, Packet, UserMessage};
use portcrew_ipc::socket;
use rustix::net::{Shutdown, shutdown};

use crate::common::wire::{channel_with, descriptor, identity, next, received, send, within};

const ACK: &str = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";

fn settings() -> ChannelSettings {
    ChannelSettings { handle_window: 16, ..ChannelSettings::default() }
}

fn newconn(number: u64, key: usize) -> Packet {
    let body = ClusterBody::NewConn { key: "k".repeat(key).into() };
    let inner = Inner::Cluster(ClusterMessage::new(number, body));
    Packet::Handle { kind: HandleKind::NetNative, inner }
}

/// Queues a connection and returns the identity of its descriptor.
fn queue(channel: &mut Channel, number: u64, key: usize) -> u64 {
    let fd: Arc<OwnedFd> = Arc::new(descriptor());
    let sent = identity(&*fd);
    let handle = OutgoingHandle { fd, token: number };
    channel.queue(&newconn(number, key), Some(handle)).unwrap();
    sent
}

/// The next read brings the line of that connection and nothing else.
fn assert_read(peer: &OwnedFd, number: u64, sent: u64) {
    let (line, fds) = received(peer);
    assert!(line.ends_with(&format!("\"seq\":{number}}}}}\n")), "{line}");
    assert_eq!(line.matches('\n').count(), 1, "{line}");
    assert_eq!(fds.iter().map(identity).collect::<Vec<_>>(), [sent]);
}

#[tokio::test]
async fn each_comes_alone_in_a_read_and_is_answered_in_its_turn() {
    let (mut channel, peer) = channel_with(settings());
    let sent: Vec<_> = (0..5).map(|number| queue(&mut channel, number, 10)).collect();
    assert!(channel.try_flush().unwrap());
    for (number, sent) in (0..).zip(sent) {
        assert_read(&peer, number, sent);
    }
    send(&peer, &ACK.repeat(5), None);
    for number in 0..5 {
        let Incoming::HandleAnswered { token, received: true } = next(&mut channel).await else {
            panic!("an answer")
        };
        assert_eq!(token, number);
    }
    assert!(channel.is_idle());
}

#[tokio::test]
async fn the_longest_that_goes_so_is_one_read_out_of_the_smallest_buffer() {
    let (ours, peer) = socket::pair_stream().unwrap();
    rustix::net::sockopt::set_socket_send_buffer_size(&ours, 1).unwrap();
    let mut channel = Channel::from_fd(ours, settings()).unwrap();
    let mut without_key = Vec::new();
    newconn(0, 0).encode(&mut without_key);
    let key = 2048 - without_key.len();
    for number in 0..4 {
        let sent = queue(&mut channel, number, key);
        let first = channel.try_flush().unwrap();
        assert!(first || number > 0, "there is room for one");
        assert_read(&peer, number, sent);
        within(poll_fn(|cx| channel.poll_flush(cx))).await.unwrap();
    }
}

#[tokio::test]
async fn a_message_between_two_is_read_before_the_second_is_written() {
    let (mut channel, peer) = channel_with(settings());
    let first = queue(&mut channel, 1, 10);
    channel.queue(&Packet::User(UserMessage::new("between").unwrap()), None).unwrap();
    let second = queue(&mut channel, 2, 10);
    assert!(!channel.try_flush().unwrap(), "it waits");
    assert_read(&peer, 1, first);
    assert!(!channel.try_flush().unwrap(), "it still waits");
    assert_eq!(received(&peer).0, "\"between\"\n");
    within(poll_fn(|cx| channel.poll_flush(cx))).await.unwrap();
    assert_read(&peer, 2, second);
}

#[tokio::test]
async fn a_peer_that_shuts_down_with_a_message_unread_is_not_waited_for() {
    let (mut channel, peer) = channel_with(settings());
    channel.queue(&Packet::User(UserMessage::new("unread").unwrap()), None).unwrap();
    queue(&mut channel, 1, 10);
    assert!(!channel.try_flush().unwrap(), "it waits");
    // Waits by the reactor too, so that the end is news to it.
    assert!(poll_fn(|cx| Poll::Ready(channel.poll_recv(cx))).await.is_pending());
    shutdown(&peer, Shutdown::Both).unwrap();
    let mut polls = 0;
    let end = poll_fn(|cx| {
        polls += 1;
        // Each that is too many would be one of an endless number.
        assert!(polls < 10, "it spins");
        channel.poll_recv(cx)
    });
    assert!(within(end).await.is_none());
    assert!(!channel.is_writable());
    assert_eq!(channel.take_unsent(), [1]);
}
