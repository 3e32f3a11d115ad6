//! Connections that were sent under a key are counted as long as somebody holds them.

use std::future::{Future, poll_fn};
use std::os::fd::OwnedFd;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use portcrew_ipc::socket;

use super::{HANG, connected, end_and_socket, ends, message, soon};
use crate::{CONNECTION_KEY_BYTES, Error, Handle};

const KEY: &str = "4:127.0.0.1:0";

async fn is_pending<F: Future>(mut future: Pin<&mut F>) -> bool {
    poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx).is_pending())).await
}

#[tokio::test]
async fn the_count_follows_the_guards() {
    let (near, far) = ends();
    assert_eq!(soon(near.connections(KEY, HANG)).await.unwrap(), 0);
    let mut guards = Vec::new();
    for number in 1..=3 {
        near.send_counted(&number, connected().1, KEY).unwrap();
        let (text, handle, counted) = message(&far).await;
        assert_eq!(text.json::<usize>().unwrap(), number);
        assert!(matches!(handle, Some(Handle::TcpStream(_))));
        let counted = counted.unwrap();
        assert_eq!(counted.key(), KEY);
        guards.push(counted);
        assert_eq!(soon(near.connections(KEY, HANG)).await.unwrap(), number);
    }
    assert_eq!(soon(near.connections("another", HANG)).await.unwrap(), 0);
    while guards.pop().is_some() {
        assert_eq!(soon(near.connections(KEY, HANG)).await.unwrap(), guards.len());
    }
}

#[tokio::test]
async fn a_connection_that_nobody_has_read_yet_counts() {
    let (near, far) = ends();
    far.start().unwrap();
    near.send_counted("unread", connected().1, KEY).unwrap();
    // Asked after it was sent, so it is counted.
    assert_eq!(soon(near.connections(KEY, HANG)).await.unwrap(), 1);
    drop(message(&far).await);
    assert_eq!(soon(near.connections(KEY, HANG)).await.unwrap(), 0);
}

#[tokio::test]
async fn a_connection_without_a_key_is_not_counted() {
    let (near, far) = ends();
    near.send_with("free", connected().1).unwrap();
    let (_, handle, counted) = message(&far).await;
    assert!(handle.is_some() && counted.is_none());
}

#[tokio::test]
async fn whoever_waits_for_the_last_to_close_is_told_when_it_does() {
    let (near, far) = ends();
    soon(near.all_closed(KEY)).await.unwrap();
    near.send_counted(&1, connected().1, KEY).unwrap();
    near.send_counted(&2, connected().1, KEY).unwrap();
    let (_, _, first) = message(&far).await;
    let (_, _, second) = message(&far).await;
    let mut closed = pin!(near.all_closed(KEY));
    assert!(is_pending(closed.as_mut()).await);
    drop(first);
    // An answer that comes behind anything about the first.
    assert_eq!(soon(near.connections(KEY, HANG)).await.unwrap(), 1);
    assert!(is_pending(closed.as_mut()).await);
    drop(second);
    soon(closed).await.unwrap();
    assert_eq!(soon(near.connections(KEY, HANG)).await.unwrap(), 0);
}

#[tokio::test]
async fn both_ends_count_at_the_same_time_under_the_same_key() {
    let (near, far) = ends();
    near.send_counted("a", connected().1, KEY).unwrap();
    far.send_counted("b", connected().1, KEY).unwrap();
    far.send_counted("c", connected().1, KEY).unwrap();
    let _kept = (message(&far).await, message(&near).await, message(&near).await);
    assert_eq!(soon(near.connections(KEY, HANG)).await.unwrap(), 1);
    assert_eq!(soon(far.connections(KEY, HANG)).await.unwrap(), 2);
}

#[tokio::test]
async fn a_deadline_ends_the_question_and_its_answer_reaches_nobody_else() {
    let (near, peer) = end_and_socket();
    near.send_counted("take", connected().1, KEY).unwrap();
    near.start().unwrap();
    let mut buffer = vec![0; 4096];
    let mut read = async || loop {
        tokio::task::yield_now().await;
        if let Ok(received) = socket::recv(&peer, &mut buffer) {
            break String::from_utf8_lossy(&buffer[..received.n]).into_owned();
        }
    };
    read().await;
    say(&peer, r#"{"cmd":"NODE_HANDLE_ACK"}"#);
    let late = near.connections(KEY, Duration::from_millis(1));
    assert!(matches!(soon(late).await, Err(Error::Deadline)));
    read().await;
    let mut second = pin!(near.connections(KEY, HANG));
    assert!(is_pending(second.as_mut()).await);
    read().await;
    for count in [7, 8] {
        say(&peer, &format!(r#"{{"cmd":"NODE_SOCKET_COUNT","key":"{KEY}","count":{count}}}"#));
    }
    assert_eq!(soon(second).await.unwrap(), 8);
}

#[tokio::test]
async fn a_connection_that_arrives_before_word_that_the_others_are_closed_is_still_asked_about() {
    let (near, peer) = end_and_socket();
    let mut buffer = vec![0; 4096];
    let mut read = async || loop {
        tokio::task::yield_now().await;
        if let Ok(received) = socket::recv(&peer, &mut buffer) {
            break String::from_utf8_lossy(&buffer[..received.n]).into_owned();
        }
    };
    near.send_counted("first", connected().1, KEY).unwrap();
    soon(read()).await;
    say(&peer, r#"{"cmd":"NODE_HANDLE_ACK"}"#);
    let mut closed = pin!(near.all_closed(KEY));
    assert!(is_pending(closed.as_mut()).await);
    assert!(soon(read()).await.contains("NODE_SOCKET_NOTIFY_CLOSE"));
    near.send_counted("second", connected().1, KEY).unwrap();
    soon(read()).await;
    // Acknowledgements pass whatever else waits, so this is the order in which portcrew's own ends answer.
    say(&peer, r#"{"cmd":"NODE_HANDLE_ACK"}"#);
    say(&peer, &format!(r#"{{"cmd":"NODE_SOCKET_ALL_CLOSED","key":"{KEY}"}}"#));
    soon(closed).await.unwrap();
    let mut count = pin!(near.connections(KEY, HANG));
    assert!(is_pending(count.as_mut()).await, "it is open there, and was not asked about");
    soon(read()).await;
    say(&peer, &format!(r#"{{"cmd":"NODE_SOCKET_COUNT","key":"{KEY}","count":1}}"#));
    assert_eq!(soon(count).await.unwrap(), 1);
}

fn say(peer: &OwnedFd, line: &str) {
    let line = format!("{line}\n");
    assert_eq!(socket::send(peer, line.as_bytes(), &[]).unwrap(), line.len());
}

#[tokio::test]
async fn the_end_of_the_channel_ends_every_wait() {
    let (near, far) = ends();
    near.send_counted("take", connected().1, KEY).unwrap();
    let (_, _, counted) = message(&far).await;
    let wait = async {
        let closed = near.all_closed(KEY);
        tokio::join!(soon(closed), async {
            tokio::task::yield_now().await;
            drop(far);
        })
    };
    assert!(matches!(wait.await.0, Err(Error::Disconnected)));
    assert!(matches!(soon(near.connections(KEY, HANG)).await, Err(Error::Disconnected)));
    // Its channel is gone; it does no harm.
    drop(counted);
}

#[tokio::test]
async fn what_cannot_be_counted_is_refused_to_the_caller() {
    let (near, _far) = ends();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(matches!(near.send_counted(&1, listener, KEY), Err(Error::Io { .. })));
    let long = "k".repeat(CONNECTION_KEY_BYTES + 1);
    assert!(matches!(near.send_counted(&1, connected().1, &long), Err(Error::Io { .. })));
}

#[tokio::test]
async fn a_key_that_is_too_long_to_keep_is_not_counted_and_its_connection_arrives() {
    let (near, peer) = end_and_socket();
    let key = "k".repeat(5000);
    let line = format!(r#"{{"cmd":"NODE_HANDLE","type":"net.Socket","msg":"take","key":"{key}"}}"#);
    let (_client, accepted) = connected();
    let line = format!("{line}\n");
    let fd = [std::os::fd::AsFd::as_fd(&accepted)];
    assert_eq!(socket::send(&peer, line.as_bytes(), &fd).unwrap(), line.len());
    let (_, handle, counted) = message(&near).await;
    assert!(handle.is_some() && counted.is_none(), "{counted:?}");
}
