//! Connections by the lane.

use std::io::{Read, Write};
use std::net::TcpListener;

use portcrew_core::FromWorker;
use portcrew_ipc::lane::Verdict;

use super::primary::{Primary, connected, loopback};
use super::{settle, soon};
use crate::{Listener, Worker};

async fn listening() -> (Primary, Worker, Listener, TcpListener) {
    let (mut primary, worker) = Primary::new().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let (listener, _key) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    (primary, worker, listener.unwrap(), real)
}

#[tokio::test]
async fn a_batch_is_accepted_and_then_answered_in_one_packet() {
    let (mut primary, _worker, listener, real) = listening().await;
    assert_eq!(listener.local_addr().unwrap(), real.local_addr().unwrap());
    let (mut clients, accepted): (Vec<_>, Vec<_>) = (0..3).map(|_| connected(&real)).unzip();
    primary.offer(40, &accepted);
    for client in &mut clients {
        let (stream, peer) = soon(listener.accept()).await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        assert!(primary.answers_now().is_empty(), "answered before the turn was over");
        stream.into_std().unwrap().write_all(b"hi").unwrap();
    }
    drop(accepted);
    let answers = primary.answers().await;
    let expected = [40, 41, 42].map(|seq| (seq, Verdict::Accepted));
    assert_eq!(answers.iter().map(|it| (it.seq, it.verdict)).collect::<Vec<_>>(), expected);
    for mut client in clients {
        let mut text = String::new();
        client.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hi");
    }
}

#[tokio::test]
async fn what_nobody_accepts_is_not_answered_and_goes_back_when_the_listener_is_dropped() {
    let (mut primary, _worker, listener, real) = listening().await;
    let (_clients, accepted): (Vec<_>, Vec<_>) = (0..2).map(|_| connected(&real)).unzip();
    primary.offer(1, &accepted);
    drop(soon(listener.accept()).await.unwrap());
    assert_eq!(primary.answers().await.len(), 1);
    settle().await;
    assert!(primary.answers_now().is_empty());
    drop(listener);
    let answers = primary.answers().await;
    assert_eq!((answers[0].seq, answers[0].verdict), (2, Verdict::Refused));
}

#[tokio::test]
async fn after_the_close_an_offer_is_refused_and_accept_ends() {
    let (mut primary, _worker, listener, real) = listening().await;
    listener.close();
    assert!(matches!(primary.heard().await, FromWorker::Close { .. }));
    let error = soon(listener.accept()).await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::NotConnected);
    let (mut client, accepted) = connected(&real);
    primary.offer(9, &[&accepted]);
    assert_eq!(primary.answers().await[0].verdict, Verdict::Refused);
    // The worker closed its copy and nothing else: ours still works.
    (&accepted).write_all(b"later").unwrap();
    drop(accepted);
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    assert_eq!(text, "later");
}

#[tokio::test]
async fn a_cancelled_accept_loses_nothing() {
    let (mut primary, _worker, listener, real) = listening().await;
    for round in 0..20 {
        let mut waiting = Box::pin(listener.accept());
        assert!(futures_poll(&mut waiting).await.is_pending());
        let (client, accepted) = connected(&real);
        primary.offer(round, &[&accepted]);
        settle().await;
        drop(waiting);
        let (_stream, peer) = soon(listener.accept()).await.unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        assert_eq!(primary.answers().await[0].seq, round);
    }
}

#[tokio::test]
async fn many_tasks_may_accept_from_one_listener() {
    let (mut primary, _worker, listener, real) = listening().await;
    let listener = std::sync::Arc::new(listener);
    let tasks: Vec<_> = (0..4)
        .map(|_| {
            let listener = std::sync::Arc::clone(&listener);
            tokio::spawn(async move { soon(listener.accept()).await.map(|(_, peer)| peer) })
        })
        .collect();
    settle().await;
    let (clients, accepted): (Vec<_>, Vec<_>) = (0..4).map(|_| connected(&real)).unzip();
    primary.offer(0, &accepted);
    let mut peers = Vec::new();
    for task in tasks {
        peers.push(task.await.unwrap().unwrap());
    }
    peers.sort();
    let mut expected: Vec<_> = clients.iter().map(|it| it.local_addr().unwrap()).collect();
    expected.sort();
    assert_eq!(peers, expected);
}

#[tokio::test]
async fn a_client_that_has_gone_is_passed_over() {
    let (mut primary, _worker, listener, real) = listening().await;
    let (gone, first) = connected(&real);
    socket2::SockRef::from(&gone).set_linger(Some(std::time::Duration::ZERO)).unwrap();
    drop(gone);
    let (client, second) = connected(&real);
    primary.offer(0, &[&first, &second]);
    let (_stream, peer) = soon(listener.accept()).await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    assert_eq!(primary.answers().await.len(), 2);
}

async fn futures_poll<F: Future + Unpin>(future: &mut F) -> std::task::Poll<F::Output> {
    std::future::poll_fn(|cx| std::task::Poll::Ready(std::pin::Pin::new(&mut *future).poll(cx)))
        .await
}
