//! What a flooding, deaf or babbling peer can do to a channel: not much.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::os::fd::OwnedFd;

use portcrew_ipc::channel::{ChannelSettings, Incoming, Offence};
use portcrew_ipc::error::{ChannelError, QueueError};
use portcrew_ipc::message::{Packet, UserMessage};
use portcrew_ipc::socket;

use crate::common::wire::{channel, channel_with, next, one_turn, send, within};

#[tokio::test]
async fn a_line_above_the_limit_ends_the_channel() {
    let settings = ChannelSettings { frame_bytes: 1000, ..ChannelSettings::default() };
    let (mut channel, peer) = channel_with(settings);
    send(&peer, "\"before\"\n", None);
    send(&peer, &"x".repeat(1001), None);
    assert!(matches!(next(&mut channel).await, Incoming::User { .. }));
    let end = within(channel.recv()).await;
    assert!(matches!(end, Some(Err(ChannelError::FrameTooLong { limit: 1000 }))), "{end:?}");
    assert!(within(channel.recv()).await.is_none());
}

#[tokio::test]
async fn a_line_that_is_no_message_does_not_end_the_channel() {
    let (mut channel, peer) = channel();
    send(&peer, "not JSON\n", None);
    socket::send(&peer, b"\xff\xfe\0\n", &[]).unwrap();
    send(&peer, "{\"cmd\":\"NODE_CLUSTER\",\"act\":\"queryServer\",\"port\":\"80\"}\n", None);
    send(&peer, "\"fine\"\n", None);
    for _ in 0..3 {
        let incoming = next(&mut channel).await;
        assert!(matches!(incoming, Incoming::Offence(Offence::BadLine(_))), "{incoming:?}");
    }
    assert!(matches!(next(&mut channel).await, Incoming::User { .. }));
}

#[tokio::test]
async fn a_flood_of_messages_is_taken_in_turns() {
    let settings = ChannelSettings { read_budget_messages: 10, ..ChannelSettings::default() };
    let (mut channel, peer) = channel_with(settings);
    send(&peer, &"1\n".repeat(25), None);
    let mut turns = Vec::new();
    for _ in 0..3 {
        let (given, woken) = one_turn(&mut channel).await;
        turns.push((given.len(), woken));
    }
    assert_eq!(turns, [(10, true), (10, true), (5, false)]);
}

#[tokio::test]
async fn a_flood_of_bytes_is_taken_in_turns() {
    let settings = ChannelSettings { read_budget_bytes: 40_000, ..ChannelSettings::default() };
    let (mut channel, peer) = channel_with(settings);
    let line = format!("\"{}\"\n", "x".repeat(19_997));
    send(&peer, &line.repeat(5), None);
    let (given, woken) = one_turn(&mut channel).await;
    assert!(woken && given.len() < 5, "{} of 5 lines in one turn", given.len());
}

/// Sends until the socket is full and returns how many lines went.
fn send_until_full(peer: &OwnedFd, line: &str) -> usize {
    (0..).take_while(|_| socket::send(peer, line.as_bytes(), &[]).is_ok()).count()
}

#[tokio::test]
async fn a_peer_that_does_not_read_its_answers_is_not_read_any_more() {
    let (mut channel, peer) = channel();
    // Each is answered with a NACK and not delivered.
    let line = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Native\",\"msg\":1}\n";
    let mut sent = 0;
    loop {
        let went = send_until_full(&peer, line);
        sent += went;
        assert!(sent < 1_000_000, "the peer is read for ever");
        // Several polls, so that the reactor and the turns have their chance.
        let mut idle_polls = 0;
        while idle_polls < 20 {
            tokio::select! {
                biased;
                incoming = channel.recv() => panic!("{incoming:?}"),
                () = tokio::task::yield_now() => idle_polls += 1,
            }
        }
        if went == 0 {
            break;
        }
    }
    assert!(!channel.is_idle(), "answers wait for the peer");
}

#[tokio::test]
async fn messages_to_a_deaf_peer_are_refused_beyond_the_limit() {
    let settings = ChannelSettings { outbox_bytes: 100_000, ..ChannelSettings::default() };
    let (mut channel, _peer) = channel_with(settings);
    let message = Packet::User(UserMessage::new(&"x".repeat(9_990)).unwrap());
    let mut taken = 0;
    let refused = loop {
        match channel.queue(&message, None) {
            Ok(()) => taken += 1,
            Err(error) => break error,
        }
        channel.try_flush().unwrap();
        assert!(taken < 10_000, "the outbox has no limit");
    };
    assert_eq!(refused, QueueError::FullOfBytes { limit: 100_000 });
}
