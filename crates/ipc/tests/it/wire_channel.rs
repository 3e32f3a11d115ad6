//! What travels over a channel, in which order, and how it ends.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::future::poll_fn;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use portcrew_ipc::channel::{Channel, Drained, Incoming, Offence, OutgoingHandle};
use portcrew_ipc::error::{ChannelError, QueueError};
use portcrew_ipc::handle::HandleKind;
use portcrew_ipc::message::{Inner, Packet, UserMessage};

use crate::common::wire::{channel, channels, descriptor, identity, next, received, send, within};

const ACK: &str = "{\"cmd\":\"NODE_HANDLE_ACK\"}\n";
const NACK: &str = "{\"cmd\":\"NODE_HANDLE_NACK\"}\n";

fn user(value: &str) -> Packet {
    Packet::User(UserMessage::new(value).unwrap())
}

fn with_handle(value: &str, fd: OwnedFd, token: u64) -> (Packet, Option<OutgoingHandle>) {
    let inner = Inner::User(UserMessage::new(value).unwrap());
    let packet = Packet::Handle { kind: HandleKind::NetSocket { key: None }, inner };
    (packet, Some(OutgoingHandle { fd: Arc::new(fd), token }))
}

fn queue_handle(channel: &mut Channel, value: &str, token: u64) {
    let (packet, handle) = with_handle(value, descriptor(), token);
    channel.queue(&packet, handle).unwrap();
}

fn text(incoming: &Incoming) -> String {
    let Incoming::User { message, .. } = incoming else { panic!("{incoming:?}") };
    message.json().unwrap()
}

#[tokio::test]
async fn messages_arrive_in_the_order_in_which_they_were_queued() {
    let (mut left, mut right) = channels();
    for number in 0..1000 {
        left.queue(&user(&number.to_string()), None).unwrap();
    }
    let sending = async { within(left.send(&user("end"), None)).await.unwrap() };
    let receiving = async {
        for number in 0..1000 {
            assert_eq!(text(&next(&mut right).await), number.to_string());
        }
    };
    tokio::join!(sending, receiving);
}

#[tokio::test]
async fn a_large_message_and_its_handle_arrive_together_in_both_directions_at_once() {
    let (mut left, mut right) = channels();
    let large = "x".repeat(800_004);
    let exchange = async |channel: &mut Channel, token: u64| {
        let fd = descriptor();
        let sent = identity(&fd);
        let (packet, handle) = with_handle(&large, fd, token);
        channel.queue(&packet, handle).unwrap();
        let (mut answered, mut arrived) = (None, None);
        while answered.is_none() || arrived.is_none() {
            match next(channel).await {
                Incoming::HandleAnswered { token, received } => answered = Some((token, received)),
                Incoming::User { message, handle: Some(handle) } => {
                    assert_eq!(message.json::<String>().unwrap(), large);
                    arrived = Some(identity(handle.fd));
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(answered, Some((token, true)));
        // The last answer may still have to go out.
        poll_fn(|cx| channel.poll_flush(cx)).await.unwrap();
        (sent, arrived.unwrap())
    };
    let (of_left, of_right) = tokio::join!(exchange(&mut left, 7), exchange(&mut right, 8));
    assert_eq!((of_left.0, of_left.1), (of_right.1, of_right.0));
}

#[tokio::test]
async fn the_ack_is_out_before_the_message_is_delivered() {
    let (mut channel, peer) = channel();
    let line = "{\"cmd\":\"NODE_HANDLE\",\"type\":\"net.Socket\",\"msg\":\"take\"}\n";
    send(&peer, line, Some(&descriptor()));
    let incoming = next(&mut channel).await;
    assert_eq!(text(&incoming), "take");
    assert_eq!(received(&peer).0, ACK);
}

#[tokio::test]
async fn the_next_handle_goes_only_after_the_answer_to_the_last() {
    let (mut channel, peer) = channel();
    queue_handle(&mut channel, "first", 7);
    queue_handle(&mut channel, "second", 8);
    channel.queue(&user("behind"), None).unwrap();
    assert!(channel.try_flush().unwrap());
    let (line, fds) = received(&peer);
    assert!(line.contains("first") && line.ends_with('\n') && fds.len() == 1, "{line}");
    assert_eq!(received(&peer).0, "");
    assert_eq!(channel.in_flight(), Some(7));

    send(&peer, ACK, None);
    let Incoming::HandleAnswered { token: 7, received: true } = next(&mut channel).await else {
        panic!("the answer to 7")
    };
    assert!(channel.try_flush().unwrap());
    assert!(received(&peer).0.contains("second"));
    assert_eq!(received(&peer).0, "");
    send(&peer, ACK, None);
    let Incoming::HandleAnswered { token: 8, received: true } = next(&mut channel).await else {
        panic!("the answer to 8")
    };
    assert!(channel.try_flush().unwrap());
    assert_eq!(received(&peer).0, "\"behind\"\n");
    assert!(channel.is_idle());
}

#[tokio::test]
async fn a_connection_that_does_not_arrive_is_sent_three_times_more_and_then_given_up() {
    for losses in [1, 3, 4] {
        let (mut channel, peer) = channel();
        let fd = descriptor();
        let sent = identity(&fd);
        let (packet, handle) = with_handle("take", fd, 7);
        channel.queue(&packet, handle).unwrap();
        channel.queue(&user("behind"), None).unwrap();
        assert!(channel.try_flush().unwrap());
        let (line, fds) = received(&peer);
        assert_eq!(identity(&fds[0]), sent);
        for _ in 1..losses {
            send(&peer, NACK, None);
            assert!(matches!(channel.try_recv().unwrap(), Drained::Empty));
            assert!(channel.try_flush().unwrap());
            let (again, fds) = received(&peer);
            assert_eq!((again, identity(&fds[0])), (line.clone(), sent));
        }
        send(&peer, NACK, None);
        if losses < 4 {
            assert!(matches!(channel.try_recv().unwrap(), Drained::Empty));
            assert!(channel.try_flush().unwrap());
            assert_eq!(identity(&received(&peer).1[0]), sent);
            send(&peer, ACK, None);
        }
        let Incoming::HandleAnswered { token: 7, received: arrived } = next(&mut channel).await
        else {
            panic!("the answer")
        };
        assert_eq!(arrived, losses < 4);
        assert!(channel.try_flush().unwrap());
        assert_eq!(received(&peer).0, "\"behind\"\n");
    }
}

#[tokio::test]
async fn an_answer_to_nothing_is_told_and_harms_nothing() {
    let (mut channel, peer) = channel();
    send(&peer, ACK, None);
    send(&peer, "\"on\"\n", None);
    let Incoming::Offence(Offence::SpuriousAnswer) = next(&mut channel).await else {
        panic!("an offence")
    };
    assert_eq!(text(&next(&mut channel).await), "on");
}

#[tokio::test]
async fn at_the_end_everything_complete_is_delivered_and_then_none() {
    let (mut channel, peer) = channel();
    send(&peer, "\"last\"\n\"cut o", None);
    drop(peer);
    assert_eq!(text(&next(&mut channel).await), "last");
    assert!(within(channel.recv()).await.is_none());
    assert!(within(channel.recv()).await.is_none());
}

#[tokio::test]
async fn a_peer_that_left_bytes_of_ours_unread_ended_like_any_other() {
    let (mut channel, peer) = channel();
    within(channel.send(&user("never read"), None)).await.unwrap();
    send(&peer, "\"last\"\n", None);
    drop(peer);
    assert_eq!(text(&next(&mut channel).await), "last");
    assert!(within(channel.recv()).await.is_none());
}

#[tokio::test]
async fn a_gone_peer_takes_no_message_and_its_last_words_count() {
    let (mut channel, peer) = channel();
    queue_handle(&mut channel, "sent", 7);
    channel.try_flush().unwrap();
    queue_handle(&mut channel, "unsent", 8);
    queue_handle(&mut channel, "unsent", 9);
    received(&peer);
    send(&peer, ACK, None);
    send(&peer, "\"last\"\n", None);
    drop(peer);

    let Drained::Incoming(Incoming::HandleAnswered { token: 7, received: true }) =
        channel.try_recv().unwrap()
    else {
        panic!("the answer to 7")
    };
    assert!(matches!(channel.try_flush(), Err(ChannelError::PeerGone)));
    assert_eq!(channel.queue(&user("late"), None), Err(QueueError::Closed));
    let Drained::Incoming(last) = channel.try_recv().unwrap() else { panic!("the last words") };
    assert_eq!(text(&last), "last");
    assert!(matches!(channel.try_recv().unwrap(), Drained::Ended));
    assert_eq!(channel.take_unsent(), [8, 9]);
}

#[tokio::test]
async fn a_drain_does_not_wait_for_a_process_that_holds_the_other_end() {
    let (mut channel, peer) = channel();
    send(&peer, "\"last\"\n", None);
    let Drained::Incoming(_) = channel.try_recv().unwrap() else { panic!("the last words") };
    assert!(matches!(channel.try_recv().unwrap(), Drained::Empty));
}

#[tokio::test]
async fn after_a_shutdown_the_peer_sees_the_end_and_can_still_speak() {
    let (mut left, mut right) = channels();
    left.shutdown().unwrap();
    assert!(within(right.recv()).await.is_none());
    within(right.send(&user("bye"), None)).await.unwrap();
    drop(right);
    assert_eq!(text(&next(&mut left).await), "bye");
    assert!(within(left.recv()).await.is_none());
    assert_eq!(left.queue(&user("late"), None), Err(QueueError::Closed));
}

#[tokio::test]
async fn a_cancelled_receive_loses_nothing() {
    let (mut channel, peer) = channel();
    let (mut got, mut cancelled) = (Vec::new(), 0);
    for number in 0..100 {
        send(&peer, &format!("\"{number}"), None);
        // The line is not complete, so whichever branch runs first, this receive is dropped half-way.
        tokio::select! {
            incoming = channel.recv() => got.push(text(&incoming.unwrap().unwrap())),
            () = tokio::task::yield_now() => cancelled += 1,
        }
        send(&peer, "\"\n", None);
    }
    while got.len() < 100 {
        got.push(text(&next(&mut channel).await));
    }
    assert!(cancelled > 0, "no receive was cancelled");
    assert_eq!(got, (0..100).map(|number| number.to_string()).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_descriptor_waits_until_its_peer_has_read_what_stands_before_it() {
    let (mut ours, theirs) = channel();
    ours.queue(&user("before"), None).unwrap();
    queue_handle(&mut ours, "with", 1);
    assert!(!ours.try_flush().unwrap(), "the descriptor waits");
    let flushing = async { within(poll_fn(|cx| ours.poll_flush(cx))).await.unwrap() };
    let reading = async {
        let (text, fds) = received(&theirs);
        assert_eq!((text.as_str(), fds.len()), ("\"before\"\n", 0));
    };
    tokio::join!(flushing, reading);
    let (text, fds) = received(&theirs);
    assert!(text.starts_with("{\"cmd\":\"NODE_HANDLE\"") && fds.len() == 1, "{text} {fds:?}");
}

#[tokio::test]
async fn waiting_for_the_peers_read_never_hangs_however_the_two_ends_are_scheduled() {
    const MANY: u64 = 2_000;
    let (mut ours, theirs) = channel();
    let peer = std::thread::spawn(move || {
        rustix::io::ioctl_fionbio(&theirs, false).unwrap();
        let mut came = 0;
        while came < MANY {
            let (text, fds) = received(&theirs);
            if !fds.is_empty() {
                // A read that is under way when the line before is freed may take both at once.
                assert!(text.contains("{\"cmd\":\"NODE_HANDLE\"") && fds.len() == 1, "{text}");
                came += 1;
                send(&theirs, ACK, None);
            }
        }
    });
    for token in 0..MANY {
        ours.queue(&user("before"), None).unwrap();
        queue_handle(&mut ours, "with", token);
        let answer = next(&mut ours).await;
        assert!(matches!(answer, Incoming::HandleAnswered { received: true, .. }), "{answer:?}");
    }
    peer.join().unwrap();
}
