//! Messages and requests, of a worker and of the child of a plain fork.

use std::io::{Read, Write};
use std::time::Duration;

use portcrew_ipc::channel::{Channel, ChannelSettings, Incoming};
use portcrew_ipc::socket::{self, pair_stream};

use super::primary::{Primary, connected, loopback};
use super::soon;
use crate::worker::shared::Ends;
use crate::{Error, Handle, Parent, Received, Worker, WorkerId};

#[tokio::test]
async fn messages_go_both_ways_in_order() {
    let (mut primary, worker) = Primary::new().await;
    for n in 0..3000 {
        worker.send(&n).unwrap();
    }
    for n in 0..3000 {
        assert_eq!(primary.user_message().await.0.json::<i32>().unwrap(), n);
    }
    primary.tell(r#"{"a":1}"#).await;
    let Some(Received::Message { message, handle: None, .. }) = soon(worker.recv()).await else {
        panic!("no message")
    };
    assert_eq!(message.as_str(), r#"{"a":1}"#);
}

#[tokio::test]
async fn a_request_is_answered_or_meets_its_deadline() {
    let (mut primary, worker) = Primary::new().await;
    let answer = async {
        let (question, _) = primary.user_message().await;
        let id = question.json::<serde_json::Value>().unwrap()["id"].clone();
        primary.tell(&format!(r#"{{"portcrew":"reply","id":{id},"body":42}}"#)).await;
    };
    let ask = worker.request::<_, u32>("what?", Duration::from_secs(20));
    let (answered, ()) = tokio::join!(soon(ask), answer);
    assert_eq!(answered.unwrap(), 42);
    let unanswered = worker.request::<_, u32>("what?", Duration::ZERO);
    assert!(matches!(soon(unanswered).await, Err(Error::Deadline)));
}

#[tokio::test]
async fn the_primarys_request_is_answered() {
    let (mut primary, worker) = Primary::new().await;
    primary.tell(r#"{"portcrew":"request","id":5,"body":[1,2]}"#).await;
    let Some(Received::Request(request)) = soon(worker.recv()).await else { panic!("no request") };
    let sum = request.json::<Vec<u32>>().unwrap().iter().sum::<u32>();
    request.reply(&sum).unwrap();
    let (reply, _) = primary.user_message().await;
    assert_eq!(reply.as_str(), r#"{"portcrew":"reply","id":5,"body":3}"#);
}

#[tokio::test]
async fn a_socket_travels_with_a_message_and_what_follows_waits_for_it() {
    let (mut primary, worker) = Primary::new().await;
    let (mut client, accepted) = connected(&loopback());
    worker.send_with("take this", Handle::TcpStream(accepted)).unwrap();
    worker.send("after").unwrap();
    let (message, handle) = primary.user_message().await;
    assert_eq!(message.as_str(), r#""take this""#);
    let Ok(Handle::TcpStream(mut stream)) = handle.unwrap().into_socket() else {
        panic!("no stream")
    };
    stream.write_all(b"yes").unwrap();
    drop(stream);
    assert_eq!(primary.user_message().await.0.as_str(), r#""after""#);
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    assert_eq!(text, "yes");
}

#[tokio::test]
async fn a_connection_that_the_primary_does_not_get_is_sent_four_times_and_reported() {
    let (ours, channel) = pair_stream().unwrap();
    let worker = Worker::from_ends(WorkerId(1), Ends { channel, lane: None, grace: None });
    let (mut client, accepted) = connected(&loopback());
    worker.send_with("take this", Handle::TcpStream(accepted)).unwrap();
    worker.send("after").unwrap();
    let (mut buffer, mut came) = (vec![0; 4096], 0);
    let refuse_until_after = async {
        loop {
            tokio::task::yield_now().await;
            let Ok(received) = socket::recv(&ours, &mut buffer) else { continue };
            if !received.fds.is_empty() {
                came += 1;
                socket::send(&ours, b"{\"cmd\":\"NODE_HANDLE_NACK\"}\n", &[]).unwrap();
            }
            if buffer[..received.n].ends_with(b"\"after\"\n") {
                break;
            }
        }
    };
    soon(refuse_until_after).await;
    assert_eq!(came, 4);
    let lost = soon(worker.recv()).await;
    let Some(Received::Error(Error::HandleLost { handle, tries: 4 })) = lost else {
        panic!("{lost:?}")
    };
    assert!(handle.contains(&client.local_addr().unwrap().to_string()), "{handle}");
    assert_eq!(client.read(&mut [0]).unwrap(), 0);
}

#[tokio::test]
async fn more_than_the_limit_is_refused_and_a_message_beyond_any_line_too() {
    let (ours, theirs) = pair_stream().unwrap();
    let parent = Parent::from_fd(theirs);
    let huge = "x".repeat(portcrew_ipc::frame::FRAME_BYTES);
    assert!(matches!(parent.send(&huge), Err(Error::Io { .. })));
    let refused = (0..=crate::OUTGOING_LIMIT).find_map(|n| parent.send(&n).err());
    assert!(matches!(refused, Some(Error::QueueFull)));
    drop(ours);
}

#[tokio::test]
async fn the_longest_message_arrives_also_right_behind_a_short_one() {
    let (mut primary, worker) = Primary::new().await;
    // Each fits the channel, both together do not.
    let short = "s".repeat(4096);
    let long = "l".repeat(portcrew_ipc::frame::FRAME_BYTES - 2048);
    for text in [&short, &long, &short] {
        worker.send(text).unwrap();
    }
    for text in [&short, &long, &short] {
        let arrived = primary.user_message().await.0.json::<String>().unwrap();
        assert!(arrived == *text, "{} bytes in place of {}", arrived.len(), text.len());
    }
}

#[tokio::test]
async fn messages_that_nobody_reads_are_dropped_counted_and_told() {
    let (mut primary, worker) = Primary::new().await;
    let total = crate::EVENTS_LIMIT + 10;
    for n in 0..total {
        let text = portcrew_ipc::message::UserMessage::new(&n).unwrap();
        primary.channel.queue(&text.into(), None).unwrap();
        if n % 1000 == 0 {
            soon(std::future::poll_fn(|cx| primary.channel.poll_flush(cx))).await.unwrap();
        }
    }
    soon(std::future::poll_fn(|cx| primary.channel.poll_flush(cx))).await.unwrap();
    // Answered in order behind all of them, so all have arrived when it is.
    primary.say(&portcrew_core::ToWorker::Disconnect, None, 1).await;
    soon(worker.draining()).await;
    for n in 0..crate::EVENTS_LIMIT {
        let Some(Received::Message { message, .. }) = soon(worker.recv()).await else {
            panic!("no message {n}")
        };
        assert_eq!(message.json::<usize>().unwrap(), n);
    }
    let lagged = soon(worker.recv()).await;
    assert!(matches!(lagged, Some(Received::Lagged { dropped: 10 })), "{lagged:?}");
}

#[tokio::test]
async fn the_child_of_a_plain_fork_talks_to_its_parent() {
    let (ours, theirs) = pair_stream().unwrap();
    let mut channel = Channel::from_fd(ours, ChannelSettings::default()).unwrap();
    let parent = Parent::from_fd(theirs);
    parent.send("hello").unwrap();
    let Some(Ok(Incoming::User { message, .. })) = soon(channel.recv()).await else {
        panic!("no message")
    };
    assert_eq!(message.as_str(), r#""hello""#);
    let hi = portcrew_ipc::message::UserMessage::new("hi").unwrap();
    soon(channel.send(&hi.into(), None)).await.unwrap();
    assert!(matches!(soon(parent.recv()).await, Some(Received::Message { .. })));
    parent.send("last").unwrap();
    let end = async {
        assert!(matches!(soon(channel.recv()).await, Some(Ok(Incoming::User { .. }))));
        assert!(soon(channel.recv()).await.is_none());
        drop(channel);
    };
    tokio::join!(soon(parent.disconnect()), end);
    assert!(!parent.is_connected());
    assert!(soon(parent.recv()).await.is_none());
}

#[tokio::test]
async fn dropping_the_parent_closes_its_channel() {
    let (ours, theirs) = pair_stream().unwrap();
    let mut channel = Channel::from_fd(ours, ChannelSettings::default()).unwrap();
    let parent = Parent::from_fd(theirs);
    parent.send(&1).unwrap();
    drop(parent);
    assert!(matches!(soon(channel.recv()).await, Some(Ok(Incoming::User { .. }))));
    assert!(soon(channel.recv()).await.is_none());
}
