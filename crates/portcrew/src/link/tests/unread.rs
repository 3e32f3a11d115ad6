//! What nobody reads does not pile up.

use std::io::Read as _;

use super::{connected, ends, soon};
use crate::link::Arrivals;
use crate::{EVENTS_BYTES, Message, Received};

#[tokio::test]
async fn what_is_for_a_user_who_has_gone_is_closed_at_once() {
    let (near, far) = ends();
    far.start().unwrap();
    let (mut before, accepted) = connected();
    near.send_with("before", accepted).unwrap();
    // Answered behind it, so it has arrived, and nobody has taken it.
    near.send_counted("k", connected().1, "k").unwrap();
    assert_eq!(soon(near.connections("k", super::HANG)).await.unwrap(), 1);
    drop(far);
    soon(async {
        before.set_nonblocking(true).unwrap();
        while before.read(&mut [0]).is_err() {
            tokio::task::yield_now().await;
        }
    })
    .await;
    assert!(near.is_connected(), "the other end waits for this one to close the channel too");
}

#[tokio::test]
async fn messages_that_nobody_reads_are_bounded_in_bytes_and_their_loss_is_told() {
    let arrivals = Arrivals::default();
    let message = Message::new(&"x".repeat(1024 * 1024)).unwrap();
    let sent = EVENTS_BYTES / message.as_str().len() + 5;
    for _ in 0..sent {
        let message = message.clone();
        arrivals.deliver(Received::Message { message, handle: None, counted: None });
    }
    arrivals.close();
    let (mut bytes, mut told) = (0, 0);
    while let Some(received) = soon(arrivals.next()).await {
        match received {
            Received::Message { message, .. } => bytes += message.as_str().len(),
            Received::Lagged { dropped } => told += dropped,
            other => panic!("{other:?}"),
        }
    }
    assert!(bytes <= EVENTS_BYTES && told == 5, "{bytes} bytes, {told} dropped");
}
