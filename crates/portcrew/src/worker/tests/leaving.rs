//! How a worker leaves.

use std::future::Future;
use std::pin::pin;

use portcrew_core::{FromWorker, ToWorker};
use portcrew_ipc::lane::Verdict;

use super::primary::{Primary, connected, loopback};
use super::{settle, soon};
use crate::Error;
use crate::worker::life::Life;

#[tokio::test]
async fn told_to_leave_it_gives_back_what_nobody_accepted_and_closes_when_finished() {
    let (mut primary, worker) = Primary::new().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let (listener, key) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    let listener = listener.unwrap();
    let (_client, accepted) = connected(&real);
    primary.offer(3, &[&accepted]);
    settle().await;
    let draining = worker.draining();
    assert!(!draining.is_resolved());
    primary.say(&ToWorker::Disconnect, None, 1).await;
    soon(draining.clone()).await;
    assert!(worker.is_leaving() && worker.is_connected());
    assert_eq!(primary.heard().await, FromWorker::Close { key });
    assert_eq!(primary.answers().await[0].verdict, Verdict::Refused);
    assert!(soon(listener.accept()).await.is_err());
    worker.finished();
    assert!(primary.incoming().await.is_none(), "the channel is still open");
    drop(primary);
    soon(worker.disconnected()).await;
    assert!(!worker.is_connected());
    assert!(soon(worker.recv()).await.is_none());
    assert!(matches!(worker.send(&1), Err(Error::Disconnected)));
    assert!(matches!(soon(worker.listen(at)).await, Err(Error::Disconnected)));
    soon(draining).await;
}

#[tokio::test]
async fn who_accepts_at_that_moment_goes_before_the_signal() {
    let (mut primary, worker) = Primary::new().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let (listener, _) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    let listener = listener.unwrap();
    let draining = worker.draining();
    let serving = tokio::spawn(async move {
        let mut served = 0;
        loop {
            tokio::select! {
                biased;
                () = draining.clone() => return served,
                accepted = listener.accept() => served += usize::from(accepted.is_ok()),
            }
        }
    });
    let (_client, accepted) = connected(&real);
    primary.offer(0, &[&accepted]);
    assert_eq!(primary.answers().await[0].verdict, Verdict::Accepted);
    primary.say(&ToWorker::Disconnect, None, 1).await;
    assert_eq!(soon(serving).await.unwrap(), 1);
}

#[tokio::test]
async fn a_loop_that_returns_on_errors_hears_the_signal_before_the_error() {
    // Often, because select! looks at its branches in a random order.
    for _ in 0..50 {
        let (mut primary, worker) = Primary::new().await;
        let at = "127.0.0.1:80".parse().unwrap();
        let (listener, _) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
        let listener = listener.unwrap();
        let serving = tokio::spawn(async move {
            loop {
                tokio::select! {
                    accepted = listener.accept() => accepted.map(drop)?,
                    () = worker.draining() => return std::io::Result::Ok(()),
                }
            }
        });
        settle().await;
        primary.say(&ToWorker::Disconnect, None, 1).await;
        soon(serving).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_signal_wins_also_when_it_comes_in_the_middle_of_a_pass() {
    let (mut primary, worker) = Primary::new().await;
    let at = "127.0.0.1:80".parse().unwrap();
    let (listener, _) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    let listener = listener.unwrap();
    worker.shared().life.advance(Life::Leaving);
    listener.close();
    primary.heard().await;
    let (mut accept, mut draining) = (pin!(listener.accept()), pin!(worker.draining()));
    let mut passes = 0;
    let heard = std::future::poll_fn(|cx| {
        passes += 1;
        if passes == 1 {
            assert!(draining.as_mut().poll(cx).is_pending());
            worker.shared().life.advance(Life::Draining);
        }
        assert!(accept.as_mut().poll(cx).is_pending(), "the error came first");
        draining.as_mut().poll(cx).map(|()| passes)
    });
    // As a task sees it that looks at the signal first in one pass and last in the next.
    soon(heard).await;
}

#[tokio::test]
async fn a_worker_that_has_just_accepted_is_told_after_its_listeners_are_closed() {
    let (mut primary, worker) = Primary::new().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let (listener, _) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    let listener = listener.unwrap();
    let (_client, accepted) = connected(&real);
    primary.offer(0, &[&accepted]);
    soon(listener.accept()).await.unwrap();
    primary.answers().await;
    primary.say(&ToWorker::Disconnect, None, 1).await;
    assert!(matches!(primary.heard().await, FromWorker::Close { .. }));
    assert!(worker.is_leaving() && listener.is_closed());
    soon(worker.draining()).await;
}

#[tokio::test]
async fn of_its_own_will_it_says_farewell_and_waits_to_be_heard() {
    let (mut primary, worker) = Primary::new().await;
    let answer = async {
        let FromWorker::ExitedAfterDisconnect { seq } = primary.heard().await else {
            panic!("no farewell")
        };
        assert!(worker.is_connected());
        primary.say(&ToWorker::FarewellHeard { ack: seq }, None, 1).await;
        assert!(primary.incoming().await.is_none());
        drop(primary);
    };
    tokio::join!(soon(worker.disconnect()), answer);
    assert!(!worker.is_connected());
}

#[tokio::test]
async fn dropping_the_last_handle_counts_as_finished_once_it_leaves() {
    let (mut primary, worker) = Primary::new().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let (listener, _) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    drop(worker);
    // The listener alone keeps it, and nobody asked it to leave.
    primary.tell("1").await;
    let (client, accepted) = connected(&real);
    primary.offer(0, &[&accepted]);
    let listener = listener.unwrap();
    assert_eq!(soon(listener.accept()).await.unwrap().1, client.local_addr().unwrap());
    primary.answers().await;
    primary.say(&ToWorker::Disconnect, None, 1).await;
    assert!(matches!(primary.heard().await, FromWorker::Close { .. }));
    drop(listener);
    assert!(primary.incoming().await.is_none());
}

#[tokio::test]
async fn what_was_sent_before_the_end_arrives_before_it() {
    let (mut primary, worker) = Primary::new().await;
    for n in 0..1000 {
        worker.send(&n).unwrap();
    }
    worker.finished();
    primary.say(&ToWorker::Disconnect, None, 1).await;
    for n in 0..1000 {
        assert_eq!(primary.user_message().await.0.json::<i32>().unwrap(), n);
    }
    assert!(primary.incoming().await.is_none());
}

#[tokio::test]
async fn a_primary_that_dies_ends_everything() {
    let (mut primary, worker) = Primary::new().await;
    let real = loopback();
    let at = real.local_addr().unwrap();
    let (listener, _) = tokio::join!(soon(worker.listen(at)), primary.grant(at));
    let listener = listener.unwrap();
    let (client, accepted) = connected(&real);
    primary.offer(0, &[&accepted]);
    settle().await;
    drop(primary);
    soon(worker.draining()).await;
    soon(worker.disconnected()).await;
    assert!(soon(worker.recv()).await.is_none());
    // Nobody else can have this one any more.
    assert_eq!(soon(listener.accept()).await.unwrap().1, client.local_addr().unwrap());
    assert!(soon(listener.accept()).await.is_err());
}

#[test]
fn a_runtime_that_ends_first_leaves_nobody_waiting() {
    let runtime = || tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let first = runtime();
    let (primary, worker) = first.block_on(Primary::new());
    drop(first);
    runtime().block_on(async {
        soon(worker.draining()).await;
        assert!(soon(worker.recv()).await.is_none());
        assert!(soon(worker.listen("127.0.0.1:80")).await.is_err());
    });
    drop(primary);
}
