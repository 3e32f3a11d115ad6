//! The policy `shared`: the worker gets the socket.

use std::future::poll_fn;
use std::io::{self, Read as _};
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, OwnedFd};
use std::time::Duration;

use portcrew_core::{FromWorker, Query, Reply, ToWorker};
use portcrew_ipc::lane::{Answer, Verdict};
use rustix::net::{Shutdown, shutdown};
use socket2::{Domain, Socket, Type};

use super::primary::{Primary, connected, loopback, reply};
use super::{settle, soon};
use crate::net::bind;
use crate::{Listener, Worker};

/// Bound and not listening, as Node passes it.
fn bound() -> (OwnedFd, SocketAddr) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let at = socket.local_addr().unwrap().as_socket().unwrap();
    (socket.into(), at)
}

/// Listens, the primary answering with `socket` to the query for `at`.
async fn ask(
    primary: &mut Primary,
    worker: &Worker,
    at: SocketAddr,
    socket: OwnedFd,
    crew: u32,
) -> (crate::Result<Listener>, Query, FromWorker) {
    let answer = async {
        let (ack, query) = primary.query().await;
        let granted = reply(ack, query.key(), Reply::Shared);
        primary.say(&granted, Some(socket), crew).await;
        (query, primary.heard().await)
    };
    let (listener, (query, said)) = tokio::join!(soon(worker.listen(at)), answer);
    (listener, query, said)
}

#[tokio::test]
async fn it_listens_and_accepts_whether_few_wait_or_many() {
    for crew in [1, 4, 5, 100] {
        let (mut primary, worker) = Primary::new().await;
        let (socket, at) = bound();
        let (listener, query, said) = ask(&mut primary, &worker, at, socket, crew).await;
        let listener = listener.unwrap();
        assert_eq!(said, FromWorker::Listening { query, port: at.port() });
        assert_eq!(listener.local_addr().unwrap(), at);
        for _ in 0..20 {
            let client = TcpStream::connect(at).unwrap();
            let (_stream, peer) = soon(listener.accept()).await.unwrap();
            assert_eq!(peer, client.local_addr().unwrap(), "a crew of {crew}");
        }
        primary.say(&ToWorker::Disconnect, None, crew).await;
        assert!(soon(listener.accept()).await.is_err());
        assert!(TcpStream::connect(at).is_err(), "a crew of {crew}: the socket is still open");
    }
}

#[tokio::test]
async fn after_another_worker_has_shut_the_socket_down_it_accepts_once_it_listens_again() {
    for (crew, polls) in [(1, false), (1, true), (5, false)] {
        let (mut primary, worker) = Primary::new().await;
        let (socket, at) = bound();
        // As the primary's do, for the sake of connections that have ended.
        socket2::SockRef::from(&socket).set_reuse_address(true).unwrap();
        let others = socket.try_clone().unwrap();
        let (listener, ..) = ask(&mut primary, &worker, at, socket, crew).await;
        let listener = listener.unwrap();
        for _ in 0..3 {
            let accepted = async {
                if polls {
                    soon(poll_fn(|cx| listener.poll_accept(cx))).await
                } else {
                    soon(listener.accept()).await
                }
            };
            let shut_and_back = async {
                settle().await;
                shutdown(&others, Shutdown::Both).unwrap();
                // It has seen that, and waits.
                settle().await;
                assert!(bind::listen_again(others.as_fd(), at, None).unwrap());
                TcpStream::connect(at).unwrap()
            };
            let (accepted, client) = tokio::join!(accepted, shut_and_back);
            assert_eq!(accepted.unwrap().1, client.local_addr().unwrap(), "a crew of {crew}");
        }
        // Nothing is left of it: who waits now is not asked again and again.
        let waits = tokio::time::timeout(Duration::from_millis(1), listener.accept()).await;
        assert!(waits.is_err(), "{waits:?}");
    }
}

#[tokio::test]
async fn a_socket_that_stays_shut_down_is_an_error_in_the_end() {
    let (mut primary, worker) = Primary::new().await;
    let (socket, at) = bound();
    let others = socket.try_clone().unwrap();
    let (listener, ..) = ask(&mut primary, &worker, at, socket, 1).await;
    let listener = listener.unwrap();
    shutdown(&others, Shutdown::Both).unwrap();
    for _ in 0..2 {
        let error = soon(listener.accept()).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}

#[tokio::test]
async fn a_unix_socket_that_was_shut_down_is_an_error_at_once_and_then_closed() {
    for polls in [false, true] {
        shut_down_for_good(polls).await;
    }
}

async fn shut_down_for_good(polls: bool) {
    let (mut primary, worker) = Primary::new().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("socket");
    let others = std::os::unix::net::UnixListener::bind(&path).unwrap();
    let socket = others.try_clone().unwrap();
    let answer = async {
        let (ack, query) = primary.query().await;
        primary.say(&reply(ack, query.key(), Reply::Shared), Some(socket.into()), 1).await;
        primary.heard().await
    };
    let (listener, _) = tokio::join!(soon(worker.listen_unix(&path)), answer);
    let listener = listener.unwrap();
    shutdown(&others, Shutdown::Both).unwrap();
    for expected in [io::ErrorKind::InvalidInput, io::ErrorKind::NotConnected] {
        let error = if polls {
            soon(poll_fn(|cx| listener.poll_accept(cx))).await.unwrap_err()
        } else {
            soon(listener.accept()).await.unwrap_err()
        };
        assert_eq!(error.kind(), expected);
    }
}

#[tokio::test]
async fn who_waits_for_a_socket_that_was_shut_down_still_hears_that_it_is_closed() {
    for polls in [false, true] {
        let (mut primary, worker) = Primary::new().await;
        let (socket, at) = bound();
        let others = socket.try_clone().unwrap();
        let (listener, ..) = ask(&mut primary, &worker, at, socket, 1).await;
        let listener = listener.unwrap();
        shutdown(&others, Shutdown::Both).unwrap();
        let accepted = async {
            if polls {
                poll_fn(|cx| listener.poll_accept(cx)).await.unwrap_err()
            } else {
                listener.accept().await.unwrap_err()
            }
        };
        let close = async {
            settle().await;
            listener.close();
        };
        let (error, ()) = tokio::join!(soon(accepted), close);
        // And not that it was shut down, which would come after two seconds.
        assert_eq!(error.kind(), io::ErrorKind::NotConnected, "polls: {polls}");
    }
}

#[tokio::test]
async fn another_port_than_asked_for_means_that_it_was_taken() {
    let (mut primary, worker) = Primary::new().await;
    let (socket, at) = bound();
    let other = SocketAddr::new(at.ip(), at.port() ^ 1);
    let (listener, query, said) = ask(&mut primary, &worker, other, socket, 1).await;
    assert_eq!(io::Error::from(listener.unwrap_err()).kind(), io::ErrorKind::AddrInUse);
    assert_eq!(said, FromWorker::Close { key: query.key() });
}

#[tokio::test]
async fn a_socket_that_comes_for_a_listener_that_was_given_up_is_not_kept() {
    let (mut primary, worker) = Primary::new().await;
    let (socket, at) = bound();
    socket2::SockRef::from(&socket).listen(1).unwrap();
    let given_up = tokio::time::timeout(Duration::ZERO, worker.listen(at)).await;
    assert!(given_up.is_err(), "nobody has answered");
    let (ack, query) = primary.query().await;
    primary.say(&reply(ack, query.key(), Reply::Shared), Some(socket), 1).await;
    assert_eq!(primary.heard().await, FromWorker::Close { key: query.key() });
    // Not at once: a child that another test is just starting has a copy of it until it runs its program.
    let closed = async {
        while TcpStream::connect(at).is_ok() {
            tokio::task::yield_now().await;
        }
    };
    soon(closed).await;
}

#[tokio::test]
async fn a_socket_that_cannot_listen_is_an_error_of_that_call() {
    let (mut primary, worker) = Primary::new().await;
    // Another one listens there already, which shows only when this one is to listen too.
    let reusing = || Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    let (first, second) = (reusing(), reusing());
    for socket in [&first, &second] {
        socket.set_reuse_address(true).unwrap();
    }
    first.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let at = first.local_addr().unwrap().as_socket().unwrap();
    second.bind(&at.into()).unwrap();
    first.listen(1).unwrap();
    let (listener, ..) = ask(&mut primary, &worker, at, second.into(), 1).await;
    let crate::Error::Listen(error) = listener.unwrap_err() else { panic!("another error") };
    assert_eq!((error.code(), error.syscall()), ("EADDRINUSE", "listen"));
}

#[tokio::test]
async fn a_shared_socket_takes_hand_overs_too() {
    let (mut primary, worker) = Primary::without_lane().await;
    let (socket, at) = bound();
    let (listener, query, _) = ask(&mut primary, &worker, at, socket, 1).await;
    let listener = listener.unwrap();
    let (client, accepted) = connected(&loopback());
    primary.newconn(&query.key(), &accepted).await;
    let (handed, answer) = tokio::join!(soon(listener.accept()), primary.heard());
    assert_eq!(handed.unwrap().1, client.local_addr().unwrap());
    assert!(matches!(answer, FromWorker::Answer { accepted: true, .. }));
    let own = TcpStream::connect(at).unwrap();
    assert_eq!(soon(listener.accept()).await.unwrap().1, own.local_addr().unwrap());
}

#[tokio::test]
async fn its_socket_can_be_had_and_outlives_the_leaving() {
    for crew in [1, 8] {
        let (mut primary, worker) = Primary::new().await;
        let (socket, at) = bound();
        let (listener, ..) = ask(&mut primary, &worker, at, socket, crew).await;
        let socket = listener.unwrap().into_std().unwrap();
        primary.say(&ToWorker::Disconnect, None, crew).await;
        assert!(matches!(primary.heard().await, FromWorker::Close { .. }));
        let _client = TcpStream::connect(at).unwrap();
        socket.set_nonblocking(false).unwrap();
        socket.accept().unwrap();
    }
}

/// What is offered before its user takes the socket, and after. With few and with a thread that accepts.
#[tokio::test]
async fn what_is_handed_over_by_the_lane_goes_back_when_its_socket_was_given_away() {
    for crew in [1, 8] {
        let (mut primary, worker) = Primary::new().await;
        let (socket, at) = bound();
        let (listener, ..) = ask(&mut primary, &worker, at, socket, crew).await;
        let real = loopback();
        let (_first, accepted) = connected(&real);
        primary.offer(1, &[accepted]);
        settle().await;
        assert!(primary.answers_now().is_empty(), "a crew of {crew}: nobody has taken it");
        let _socket = listener.unwrap().into_std().unwrap();
        let refused = |seq| vec![Answer { seq, verdict: Verdict::Refused }];
        assert_eq!(primary.answers().await, refused(1), "a crew of {crew}");
        let (_second, accepted) = connected(&real);
        primary.offer(2, &[accepted]);
        assert_eq!(primary.answers().await, refused(2), "a crew of {crew}");
    }
}

#[tokio::test]
async fn what_is_handed_over_by_the_channel_goes_back_when_its_socket_was_given_away() {
    let (mut primary, worker) = Primary::without_lane().await;
    let (socket, at) = bound();
    let (listener, query, _) = ask(&mut primary, &worker, at, socket, 1).await;
    let real = loopback();
    let (_first, accepted) = connected(&real);
    primary.newconn(&query.key(), &accepted).await;
    settle().await;
    let _socket = listener.unwrap().into_std().unwrap();
    assert!(matches!(primary.heard().await, FromWorker::Answer { accepted: false, .. }));
    let (mut second, accepted) = connected(&real);
    primary.newconn(&query.key(), &accepted).await;
    assert!(matches!(primary.heard().await, FromWorker::Answer { accepted: false, .. }));
    // The worker has no copy of it any more.
    drop(accepted);
    assert_eq!(second.read(&mut [0]).unwrap(), 0);
}
