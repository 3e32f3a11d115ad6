//! Connections by the channel, as Node's primary sends them, and by the lane for Unix-domain sockets: the
//! answer comes before the user has the connection.

use std::os::unix::net::UnixStream;

use portcrew_core::FromWorker;
use portcrew_ipc::channel::Incoming;
use portcrew_ipc::lane::Verdict;
use portcrew_ipc::message::{ClusterBody, ClusterMessage, Inner, Key as WireKey, Packet};

use super::primary::{Primary, connected, loopback};
use super::{settle, soon};

#[tokio::test]
async fn by_the_channel_a_connection_is_answered_once_somebody_waits_for_it() {
    let (mut primary, worker) = Primary::without_lane().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let (listener, key) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    let listener = listener.unwrap();
    let (client, accepted) = connected(&real);
    let seq = primary.newconn(&key, &accepted).await;
    let ack = primary.incoming().await.unwrap();
    assert!(matches!(ack, Incoming::HandleAnswered { received: true, .. }), "{ack:?}");
    // Nobody accepts, so the worker has not taken it.
    worker.send("nothing before this").unwrap();
    assert!(matches!(primary.incoming().await.unwrap(), Incoming::User { .. }));
    let (accept, answer) = tokio::join!(soon(listener.accept()), primary.heard());
    assert_eq!(accept.unwrap().1, client.local_addr().unwrap());
    let ack = portcrew_core::Seq(seq);
    assert_eq!(answer, FromWorker::Answer { ack, accepted: true });
}

#[tokio::test]
async fn an_answered_connection_is_handed_out_while_messages_still_fill_the_channel() {
    /// Far more than the socket's buffers take.
    const MESSAGES: usize = 200;
    let (mut primary, worker) = Primary::without_lane().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let (listener, key) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    let listener = listener.unwrap();
    let accept = tokio::spawn(async move { soon(listener.accept()).await.map(|(_, peer)| peer) });
    let message = "m".repeat(100_000);
    for _ in 0..MESSAGES {
        worker.send(&message).unwrap();
    }
    settle().await;
    let (client, accepted) = connected(&real);
    primary.newconn(&key, &accepted).await;
    let mut read = 0;
    loop {
        match primary.incoming().await.unwrap() {
            Incoming::User { .. } => read += 1,
            Incoming::HandleAnswered { .. } => {}
            Incoming::Cluster { .. } => break,
            other => panic!("unexpected {other:?}"),
        }
    }
    assert!(read < MESSAGES / 2, "the answer came behind {read} messages");
    // Nobody reads the rest, so the channel stays full.
    assert_eq!(accept.await.unwrap().unwrap(), client.local_addr().unwrap());
}

#[tokio::test]
async fn a_connection_that_waits_unanswered_goes_back_with_the_listener() {
    let (mut primary, worker) = Primary::without_lane().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let (listener, key) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    let (_client, accepted) = connected(&real);
    let seq = primary.newconn(&key, &accepted).await;
    settle().await;
    drop(listener);
    assert!(matches!(primary.heard().await, FromWorker::Close { .. }));
    let ack = portcrew_core::Seq(seq);
    assert_eq!(primary.heard().await, FromWorker::Answer { ack, accepted: false });
}

#[tokio::test]
async fn a_lost_descriptor_is_acknowledged_and_not_accepted() {
    let (mut primary, worker) = Primary::without_lane().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let (listener, key) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    let _listener = listener.unwrap();
    // A handle message whose descriptor is missing arrives exactly like this.
    let body = ClusterBody::NewConn { key: WireKey::from(key.0.as_str()) };
    let inner = Inner::Cluster(ClusterMessage::new(77, body));
    let kind = portcrew_ipc::handle::HandleKind::NetNative;
    let mut line = Vec::new();
    Packet::Handle { kind, inner }.encode(&mut line);
    rustix::io::write(&primary.channel, &line).unwrap();
    let ack = portcrew_core::Seq(77);
    // The first answer of all is a spurious one by our own book-keeping: we queued no handle.
    let acknowledged = primary.incoming().await.unwrap();
    assert!(matches!(acknowledged, Incoming::Offence(_)), "{acknowledged:?}");
    assert_eq!(primary.heard().await, FromWorker::Answer { ack, accepted: false });
}

#[tokio::test]
async fn a_unix_connection_is_answered_before_it_is_handed_out_even_by_the_lane() {
    let (mut primary, worker) = Primary::new().await;
    let at = "127.0.0.1:1".parse().unwrap();
    let (listener, _key) =
        tokio::join!(soon(worker.listen_unix("some/where.sock")), primary.grant(at));
    let listener = listener.unwrap();
    let path = std::path::absolute("some/where.sock").unwrap();
    assert_eq!(listener.local_addr().unwrap().as_pathname(), Some(path.as_path()));
    let (_client, accepted) = UnixStream::pair().unwrap();
    primary.offer(5, &[&accepted]);
    settle().await;
    assert!(primary.answers_now().is_empty());
    let (_stream, _) = soon(listener.accept()).await.unwrap();
    let answers = primary.answers_now();
    assert_eq!((answers[0].seq, answers[0].verdict), (5, Verdict::Accepted));
}
