//! A farewell of the driver's own comes behind everything that the user has sent before.

use std::future::poll_fn;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::task::{Context, Poll};

use portcrew_ipc::channel::Channel;
use portcrew_ipc::message::Packet;
use portcrew_ipc::socket::pair_stream;

use super::soon;
use crate::link::{Bell, Mailbox, Talk, farewell_settings};
use crate::{Message, OUTGOING_BYTES, OUTGOING_LIMIT};

fn message(text: &str) -> Message {
    Message::new(text).unwrap()
}

/// Sends `texts` as a user, then a farewell, and returns the lines as the other end reads them, by their length.
async fn said_before_the_farewell(texts: Vec<Message>) -> Vec<usize> {
    let (ours, theirs) = pair_stream().unwrap();
    let theirs = UnixStream::from(theirs);
    theirs.set_nonblocking(false).unwrap();
    let reader = std::thread::spawn(move || {
        BufReader::new(theirs).lines().map(|line| line.unwrap().len()).collect()
    });
    let mailbox = Mailbox::new(Arc::new(Bell::default()));
    let channel = Channel::from_fd(ours, farewell_settings()).unwrap();
    let mut talk = Talk::new(channel, Arc::clone(&mailbox));
    for text in texts {
        mailbox.send(text, None).unwrap();
    }
    talk.queue_all_posts();
    talk.queue(&Packet::User(message("farewell")), None).unwrap();
    let close = |cx: &mut Context<'_>| match talk.poll_close(cx) {
        true => Poll::Ready(()),
        false => Poll::Pending,
    };
    soon(poll_fn(close)).await;
    drop(talk);
    reader.join().unwrap()
}

#[tokio::test]
async fn as_many_messages_as_may_wait_go_before_it() {
    let lines = said_before_the_farewell(vec![message("m"); OUTGOING_LIMIT]).await;
    assert_eq!(lines.len(), OUTGOING_LIMIT + 1);
    assert_eq!(lines.last(), Some(&"\"farewell\"".len()));
}

#[tokio::test]
async fn as_many_bytes_as_may_wait_go_before_it() {
    const EACH: usize = OUTGOING_BYTES / 32;
    let text = "x".repeat(EACH - 128);
    let lines = said_before_the_farewell(vec![message(&text); 32]).await;
    assert_eq!(lines.len(), 33);
    assert_eq!(lines.last(), Some(&"\"farewell\"".len()));
}
