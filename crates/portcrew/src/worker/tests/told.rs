//! Connections whose end the primary is told.

use std::future::Future;
use std::net::{TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::task::{Context, Poll, Waker};

use portcrew_core::{FromWorker, Key, ToWorker};
use portcrew_ipc::channel::Incoming;
use portcrew_ipc::lane::{Answer, Ended, Verdict};

use super::primary::{Primary, connected, loopback};
use super::{settle, soon};
use crate::{Listener, UnixListener, Worker, blocking};

/// A worker that listens by TCP.
async fn tcp(mut primary: Primary, worker: &Worker) -> (Primary, Listener, TcpListener, Key) {
    let real = loopback();
    let at = real.local_addr().unwrap();
    let (listener, key) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    (primary, listener.unwrap(), real, key)
}

/// The same, and connections offered to it under the numbers from 1.
async fn offered_tcp(count: usize) -> (Primary, Worker, Listener, Vec<TcpStream>) {
    let (primary, worker) = Primary::new().await;
    let (mut primary, listener, real, _) = tcp(primary, &worker).await;
    let (clients, accepted): (Vec<_>, Vec<_>) = (0..count).map(|_| connected(&real)).unzip();
    primary.offer(1, &accepted);
    (primary, worker, listener, clients)
}

/// A worker that listens on a path.
async fn unix() -> (Primary, Worker, UnixListener) {
    let (mut primary, worker) = Primary::new().await;
    let at = "127.0.0.1:1".parse().unwrap();
    let (listener, _) = tokio::join!(soon(worker.listen_unix("s")), primary.grant(at));
    (primary, worker, listener.unwrap())
}

const fn answer(seq: u64, verdict: Verdict) -> Answer {
    Answer { seq, verdict }
}

const fn kept(seq: u64) -> Answer {
    answer(seq, Verdict::Kept)
}

/// A connection on a path, offered under that number.
fn offered(primary: &mut Primary, seq: u64) -> UnixStream {
    let (client, accepted) = UnixStream::pair().unwrap();
    primary.offer(seq, &[&accepted]);
    client
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// The same, promised to somebody who then does not wait for it any more.
async fn promised(primary: &mut Primary, listener: &UnixListener, seq: u64) -> UnixStream {
    let mut waiting = pin!(listener.accept_told());
    assert!(poll_once(waiting.as_mut()).is_pending());
    let client = offered(primary, seq);
    assert_eq!(primary.answers().await, [kept(seq)]);
    settle().await;
    client
}

#[tokio::test]
async fn the_end_of_each_is_told_when_its_guard_goes_whoever_has_it() {
    let (primary, _worker, listener, _clients) = offered_tcp(3).await;
    let mut taken = Vec::new();
    for _ in 0..3 {
        taken.push(soon(listener.accept_told()).await.unwrap());
    }
    assert_eq!(primary.answers().await, [kept(1), kept(2), kept(3)]);
    let (stream, _, open) = taken.remove(1);
    // The stream is not what counts.
    drop(stream);
    settle().await;
    assert_eq!(primary.said_now(), (vec![], vec![]));
    std::thread::spawn(move || drop(open)).join().unwrap();
    assert_eq!(primary.said().await, (vec![], vec![Ended { seq: 2 }]));
    drop(taken);
    let both = vec![Ended { seq: 1 }, Ended { seq: 3 }];
    assert_eq!(primary.said().await, (vec![], both), "in one packet");
}

#[tokio::test]
async fn one_that_is_taken_plainly_is_answered_plainly_beside_others_that_are_told() {
    let (primary, _worker, listener, _clients) = offered_tcp(2).await;
    let plain = soon(listener.accept()).await.unwrap();
    let told = soon(listener.accept_told()).await.unwrap();
    assert_eq!(primary.answers().await, [answer(1, Verdict::Accepted), kept(2)]);
    drop(plain);
    settle().await;
    assert_eq!(primary.said_now(), (vec![], vec![]));
    drop(told);
    assert_eq!(primary.said().await, (vec![], vec![Ended { seq: 2 }]));
}

#[tokio::test]
async fn one_that_ends_in_the_turn_in_which_it_was_taken_is_answered_first() {
    let (primary, worker) = Primary::new().await;
    let (mut primary, listener, real, _) = tcp(primary, &worker).await;
    for seq in 0..20 {
        let (_client, accepted) = connected(&real);
        primary.offer(seq, &[&accepted]);
        drop(soon(listener.accept_told()).await.unwrap());
        assert_eq!(told(&primary).await, (kept(seq), Ended { seq }));
    }
}

#[tokio::test]
async fn on_a_path_the_promise_is_in_the_answer_that_comes_first() {
    let (mut primary, _worker, listener) = unix().await;
    let _client = offered(&mut primary, 5);
    settle().await;
    assert!(primary.answers_now().is_empty());
    let (_stream, _, open) = soon(listener.accept_told()).await.unwrap();
    assert_eq!(primary.answers_now(), [kept(5)]);
    drop(open);
    assert_eq!(primary.said().await, (vec![], vec![Ended { seq: 5 }]));
}

#[tokio::test]
async fn on_a_path_who_ever_takes_plainly_has_all_later_ones_answered_plainly() {
    let (mut primary, _worker, listener) = unix().await;
    let _first = offered(&mut primary, 1);
    drop(soon(listener.accept()).await.unwrap());
    assert_eq!(primary.answers_now(), [answer(1, Verdict::Accepted)]);
    let _second = offered(&mut primary, 2);
    drop(soon(listener.accept_told()).await.unwrap());
    settle().await;
    assert_eq!(primary.said_now(), (vec![answer(2, Verdict::Accepted)], vec![]));
}

#[tokio::test]
async fn on_a_path_one_that_was_promised_and_goes_to_a_plain_accept_counts_as_ended_at_once() {
    let (mut primary, _worker, listener) = unix().await;
    let _client = promised(&mut primary, &listener, 1).await;
    let _stream = soon(listener.accept()).await.unwrap();
    assert_eq!(primary.said().await, (vec![], vec![Ended { seq: 1 }]));
}

#[tokio::test]
async fn a_cancelled_accept_leaves_the_connection_and_its_promise_to_the_next() {
    let (mut primary, _worker, listener) = unix().await;
    for seq in 0..20 {
        let _client = promised(&mut primary, &listener, seq).await;
        settle().await;
        assert_eq!(primary.said_now(), (vec![], vec![]), "it is somewhere");
        drop(soon(listener.accept_told()).await.unwrap());
        assert_eq!(primary.said().await, (vec![], vec![Ended { seq }]));
    }
}

#[tokio::test]
async fn one_that_was_promised_and_that_nobody_takes_ends_with_the_listener() {
    let (mut primary, _worker, listener) = unix().await;
    let _client = promised(&mut primary, &listener, 1).await;
    drop(listener);
    assert!(matches!(primary.heard().await, FromWorker::Close { .. }));
    assert_eq!(primary.said().await, (vec![], vec![Ended { seq: 1 }]));
}

#[tokio::test]
async fn a_guard_outlives_the_listener_and_the_channel_and_the_worker() {
    let (mut primary, worker, listener, _clients) = offered_tcp(3).await;
    let mut opens = Vec::new();
    for _ in 0..3 {
        opens.push(soon(listener.accept_told()).await.unwrap().2);
    }
    assert_eq!(primary.answers().await.len(), 3);
    drop(listener);
    assert!(matches!(primary.heard().await, FromWorker::Close { .. }));
    drop(opens.remove(0));
    assert_eq!(primary.said().await, (vec![], vec![Ended { seq: 1 }]));
    let gone = worker.disconnected();
    primary.say(&ToWorker::Disconnect, None, 1).await;
    worker.finished();
    while primary.incoming().await.is_some() {}
    drop(primary);
    soon(gone).await;
    drop(opens.remove(0));
    assert_eq!(worker.shared().endings.take(), [], "nobody would ever ask for it");
    drop(worker);
    drop(opens);
}

#[tokio::test]
async fn on_nodes_channel_nothing_is_promised_and_nothing_told() {
    let (primary, worker) = Primary::without_lane().await;
    let (mut primary, listener, real, key) = tcp(primary, &worker).await;
    let (_client, accepted) = connected(&real);
    let seq = primary.newconn(&key, &accepted).await;
    let (taken, answer) = tokio::join!(soon(listener.accept_told()), primary.heard());
    assert_eq!(answer, FromWorker::Answer { ack: portcrew_core::Seq(seq), accepted: true });
    drop(taken.unwrap());
    worker.send("nothing before this").unwrap();
    assert!(matches!(primary.incoming().await.unwrap(), Incoming::User { .. }));
}

#[tokio::test]
async fn a_listener_of_the_workers_own_has_nothing_to_tell() {
    let (primary, worker) = Primary::new().await;
    let own = loopback();
    let at = own.local_addr().unwrap();
    let listener = worker.listen_handle(own).unwrap();
    let mut accepting = pin!(listener.accept_told());
    assert!(poll_once(accepting.as_mut()).is_pending());
    let client = TcpStream::connect(at).unwrap();
    let (_stream, peer, open) = soon(accepting).await.unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
    drop(open);
    settle().await;
    assert_eq!(primary.said_now(), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_tell_too() {
    let (mut primary, worker) = Primary::with_worker(true);
    let real = loopback();
    let at = real.local_addr().unwrap();
    let serving = tokio::task::spawn_blocking(move || {
        let worker = blocking::Worker::new(worker).unwrap();
        let listener = worker.listen(at).unwrap();
        drop(listener.accept_told().unwrap());
        drop(listener);
        let listener = worker.listen_unix("s").unwrap();
        drop(listener.accept_told().unwrap());
        worker.disconnect();
    });
    primary.online().await;
    primary.grant(at).await;
    let (_client, accepted) = connected(&real);
    primary.offer(1, &[&accepted]);
    assert_eq!(told(&primary).await, (kept(1), Ended { seq: 1 }));
    assert!(matches!(primary.heard().await, FromWorker::Close { .. }));
    primary.grant(at).await;
    let _client = offered(&mut primary, 2);
    assert_eq!(told(&primary).await, (kept(2), Ended { seq: 2 }));
    drop(primary);
    soon(serving).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_is_told_however_quickly_it_follows() {
    const CONNECTIONS: u64 = 20_000;
    let (mut primary, worker) = Primary::with_worker(true);
    let real = loopback();
    let at = real.local_addr().unwrap();
    let serving = tokio::task::spawn_blocking(move || {
        let worker = blocking::Worker::new(worker).unwrap();
        let listener = worker.listen(at).unwrap();
        let serve = || while listener.accept_told().is_ok() {};
        std::thread::scope(|scope| {
            scope.spawn(serve);
            scope.spawn(serve);
        });
    });
    primary.online().await;
    primary.grant(at).await;
    let (_client, accepted) = connected(&real);
    let (mut offered, mut answers, mut ended) = (0, 0, Vec::new());
    while ended.len() < CONNECTIONS as usize {
        while offered < CONNECTIONS && offered - answers < 16 {
            primary.offer(offered, &[&accepted]);
            offered += 1;
        }
        let said = primary.said().await;
        answers += said.0.len() as u64;
        ended.extend(said.1.into_iter().map(|it| it.seq));
    }
    ended.sort_unstable();
    assert!(ended.into_iter().eq(0..CONNECTIONS));
    drop(primary);
    soon(serving).await.unwrap();
}

/// One answer and one end, in one packet or in two.
async fn told(primary: &Primary) -> (Answer, Ended) {
    let (mut answers, mut ended) = (Vec::new(), Vec::new());
    while ended.is_empty() {
        let said = primary.said().await;
        answers.extend(said.0);
        ended.extend(said.1);
    }
    (answers.remove(0), ended.remove(0))
}
