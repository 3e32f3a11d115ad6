//! A UDP socket in use, and its end.

use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket as Client};
use std::os::fd::{AsFd as _, OwnedFd};
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::Poll;
use std::thread;

use portcrew_core::{FromWorker, Reply, ToWorker};
use tokio::io::ReadBuf;

use super::primary::{Primary, reply};
use super::{settle, soon};
use crate::{BindUdp, UdpSocket, Worker, blocking};

/// As the primary binds it.
pub(super) fn bound() -> (OwnedFd, SocketAddr) {
    let socket = Client::bind(own_loopback()).unwrap();
    let at = socket.local_addr().unwrap();
    (socket.into(), at)
}

/// Each time another address, with any port: no other test takes a port there that was just freed.
pub(super) fn own_loopback() -> SocketAddr {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    let host = NEXT.fetch_add(1, Ordering::Relaxed);
    (Ipv4Addr::new(127, 0, 1, host), 0).into()
}

/// Nobody has the port any more.
pub(super) fn is_free(at: SocketAddr) -> bool {
    Client::bind(at).is_ok()
}

fn client() -> Client {
    Client::bind("127.0.0.1:0").unwrap()
}

/// A socket of the worker, from the primary.
async fn granted(primary: &mut Primary, worker: &Worker) -> (UdpSocket, SocketAddr) {
    let (socket, at) = bound();
    let grant = grant(primary, socket);
    let (socket, ()) = tokio::join!(soon(worker.bind_udp(at)), grant);
    (socket.unwrap(), at)
}

async fn grant(primary: &mut Primary, socket: OwnedFd) {
    let at = socket2::SockRef::from(&socket).local_addr().unwrap().as_socket().unwrap();
    let (ack, query) = primary.query().await;
    primary.say(&reply(ack, query.key(), Reply::Shared), Some(socket), 2).await;
    assert_eq!(primary.heard().await, FromWorker::Listening { query, port: at.port() });
}

fn kind<T>(outcome: io::Result<T>) -> Option<io::ErrorKind> {
    outcome.err().map(|error| error.kind())
}

const CLOSED: Option<io::ErrorKind> = Some(io::ErrorKind::NotConnected);

#[tokio::test]
async fn it_receives_and_answers_by_the_primarys_socket() {
    let (mut primary, worker) = Primary::new().await;
    let (socket, at) = granted(&mut primary, &worker).await;
    assert_eq!(socket.local_addr().unwrap(), at);
    let client = client();
    client.send_to(b"hello", at).unwrap();
    let mut buffer = [0; 16];
    let (length, from) = soon(socket.recv_from(&mut buffer)).await.unwrap();
    assert_eq!((&buffer[..length], from), (&b"hello"[..], client.local_addr().unwrap()));
    assert_eq!(soon(socket.send_to(b"you too", from)).await.unwrap(), 7);
    let (length, from) = client.recv_from(&mut buffer).unwrap();
    assert_eq!((&buffer[..length], from), (&b"you too"[..], at));
}

#[tokio::test]
async fn a_connected_one_hears_its_peer_alone() {
    let (_primary, worker) = Primary::new().await;
    let socket = worker.bind_udp(BindUdp::from("127.0.0.1:0").exclusive()).await.unwrap();
    let (peer, stranger) = (client(), client());
    soon(socket.connect(peer.local_addr().unwrap())).await.unwrap();
    assert_eq!(socket.peer_addr().unwrap(), peer.local_addr().unwrap());
    let at = socket.local_addr().unwrap();
    stranger.send_to(b"stranger", at).unwrap();
    peer.send_to(b"peer", at).unwrap();
    let mut buffer = [0; 16];
    assert_eq!(soon(socket.recv(&mut buffer)).await.unwrap(), 4);
    soon(socket.send(b"hi")).await.unwrap();
    assert_eq!(peer.recv(&mut buffer).unwrap(), 2);
    assert_eq!(kind(socket.try_recv(&mut buffer)), Some(io::ErrorKind::WouldBlock));
    assert_eq!(socket.try_send(b"more").unwrap(), 4);
}

#[tokio::test]
async fn a_receive_that_is_dropped_loses_nothing() {
    let (mut primary, worker) = Primary::new().await;
    let (socket, at) = granted(&mut primary, &worker).await;
    let client = client();
    let mut buffer = [0; 16];
    for round in 0..20_u8 {
        {
            let mut dropped = std::pin::pin!(socket.recv_from(&mut buffer));
            let polled = poll_fn(|cx| Poll::Ready(dropped.as_mut().poll(cx).is_pending())).await;
            assert!(polled, "nothing was sent yet");
            client.send_to(&[round], at).unwrap();
        }
        soon(socket.recv_from(&mut buffer)).await.unwrap();
        assert_eq!(buffer[0], round);
    }
}

#[tokio::test]
async fn told_to_leave_every_receive_ends_after_the_signal_and_the_port_is_free() {
    for bound_here in [false, true] {
        let (mut primary, worker) = Primary::new().await;
        let socket = if bound_here {
            worker.bind_udp(BindUdp::from(own_loopback()).exclusive()).await.unwrap()
        } else {
            granted(&mut primary, &worker).await.0
        };
        let at = socket.local_addr().unwrap();
        let socket = std::sync::Arc::new(socket);
        let waits = || {
            let (socket, draining) = (std::sync::Arc::clone(&socket), worker.draining());
            tokio::spawn(async move {
                let received = socket.recv_from(&mut [0; 16]).await;
                (kind(received), draining.is_resolved())
            })
        };
        let waiting = [waits(), waits()];
        settle().await;
        primary.say(&ToWorker::Disconnect, None, 1).await;
        for one in waiting {
            assert_eq!(soon(one).await.unwrap(), (CLOSED, true));
        }
        assert!(is_free(at), "the socket is still open, bound here: {bound_here}");
        assert!(socket.is_closed());
        assert_eq!(kind(soon(socket.send_to(b"late", at)).await), CLOSED);
        assert_eq!(kind(socket.inner()), CLOSED);
        // Where it was is known for ever.
        assert_eq!(socket.local_addr().unwrap(), at);
    }
}

#[tokio::test]
async fn a_loop_that_returns_on_errors_hears_the_signal_before_the_error() {
    // Often, because select! looks at its branches in a random order.
    for _ in 0..50 {
        let (mut primary, worker) = Primary::new().await;
        let (socket, _) = granted(&mut primary, &worker).await;
        let serving = tokio::spawn(async move {
            let mut buffer = [0; 16];
            loop {
                tokio::select! {
                    received = socket.recv_from(&mut buffer) => drop(received?),
                    () = worker.draining() => return io::Result::Ok(()),
                }
            }
        });
        settle().await;
        primary.say(&ToWorker::Disconnect, None, 1).await;
        soon(serving).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn dropping_or_closing_it_frees_the_port_before_the_primary_hears_of_it() {
    for dropped in [true, false] {
        let (mut primary, worker) = Primary::new().await;
        let (socket, at) = granted(&mut primary, &worker).await;
        let kept = if dropped {
            drop(socket);
            None
        } else {
            socket.close();
            socket.close();
            Some(socket)
        };
        assert!(is_free(at), "it is still open, dropped: {dropped}");
        assert!(matches!(primary.heard().await, FromWorker::Close { .. }));
        drop(kept);
    }
}

#[tokio::test]
async fn tokios_socket_answers_beyond_the_leaving() {
    let (mut primary, worker) = Primary::new().await;
    let (socket, at) = granted(&mut primary, &worker).await;
    let client = client();
    client.send_to(b"?", at).unwrap();
    let (_, from) = soon(socket.recv_from(&mut [0; 16])).await.unwrap();
    let answering = socket.inner().unwrap();
    primary.say(&ToWorker::Disconnect, None, 1).await;
    soon(worker.draining()).await;
    assert!(socket.is_closed() && !is_free(at));
    answering.send_to(b"!", from).await.unwrap();
    assert_eq!(client.recv(&mut [0; 16]).unwrap(), 1);
    drop(answering);
    assert!(is_free(at));
}

#[tokio::test]
async fn a_hand_written_future_receives_and_answers() {
    let (mut primary, worker) = Primary::new().await;
    let (socket, at) = granted(&mut primary, &worker).await;
    let client = client();
    let mut buffer = [0; 16];
    let mut read = ReadBuf::new(&mut buffer);
    let mut receiving = std::pin::pin!(poll_fn(|cx| socket.poll_recv_from(cx, &mut read)));
    let pending = poll_fn(|cx| Poll::Ready(receiving.as_mut().poll(cx).is_pending())).await;
    assert!(pending, "nothing was sent yet");
    client.send_to(b"polled", at).unwrap();
    let from = soon(receiving).await.unwrap();
    assert_eq!((read.filled(), from), (&b"polled"[..], client.local_addr().unwrap()));
    assert_eq!(soon(poll_fn(|cx| socket.poll_send_to(cx, b"yes", from))).await.unwrap(), 3);
    assert_eq!(client.recv(&mut [0; 16]).unwrap(), 3);
    socket.close();
    let ended = soon(poll_fn(|cx| socket.poll_recv(cx, &mut ReadBuf::new(&mut [0; 4])))).await;
    assert_eq!(kind(ended), CLOSED);
}

#[tokio::test]
async fn an_adopted_socket_serves_and_can_be_had_back() {
    let (mut primary, worker) = Primary::new().await;
    let own = Client::bind(own_loopback()).unwrap();
    let at = own.local_addr().unwrap();
    let socket = worker.udp_handle(own).unwrap();
    client().send_to(b"x", at).unwrap();
    soon(socket.recv_from(&mut [0; 4])).await.unwrap();
    assert!(socket2::SockRef::from(&socket.inner().unwrap().as_fd()).nonblocking().unwrap());
    let back = socket.into_std().unwrap();
    primary.say(&ToWorker::Disconnect, None, 1).await;
    soon(worker.draining()).await;
    client().send_to(b"y", at).unwrap();
    back.set_nonblocking(false).unwrap();
    assert_eq!(back.recv(&mut [0; 4]).unwrap(), 1);
    drop(back);
    assert!(is_free(at));
}

#[test]
fn a_socket_cannot_be_adopted_outside_a_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (_primary, worker) = runtime.block_on(Primary::new());
    assert!(matches!(worker.udp_handle(client()), Err(crate::Error::Io { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn threads_receive_and_their_loops_end_with_the_drain() {
    let (mut primary, worker) = Primary::with_worker(true);
    let (socket, at) = bound();
    let serving = thread::spawn(move || {
        let worker = blocking::Worker::new(worker).unwrap();
        let socket = worker.bind_udp(at).unwrap();
        thread::scope(|scope| {
            let serve = || {
                let mut buffer = [0; 16];
                let mut served = 0;
                while let Ok((length, from)) = socket.recv_from(&mut buffer) {
                    socket.send_to(&buffer[..length], from).unwrap();
                    served += 1;
                }
                served
            };
            let threads = [scope.spawn(serve), scope.spawn(serve)];
            let served: usize = threads.map(|it| it.join().unwrap()).into_iter().sum();
            worker.disconnect();
            served
        })
    });
    primary.online().await;
    grant(&mut primary, socket).await;
    let client = client();
    client.set_read_timeout(Some(super::HANG)).unwrap();
    for round in 0..30_u8 {
        client.send_to(&[round], at).unwrap();
        let mut answer = [0];
        client.recv(&mut answer).unwrap();
        assert_eq!(answer, [round]);
    }
    primary.say(&ToWorker::Disconnect, None, 1).await;
    while primary.incoming().await.is_some() {}
    drop(primary);
    let served = soon(tokio::task::spawn_blocking(|| serving.join().unwrap())).await.unwrap();
    assert_eq!(served, 30);
}

#[test]
fn it_goes_between_threads() {
    fn shared<T: Send + Sync>() {}
    fn sent<T: Send>(_: T) {}
    shared::<UdpSocket>();
    shared::<blocking::UdpSocket>();
    // Only compiled.
    let _ = |worker: &Worker, socket: &UdpSocket, to| {
        sent(worker.bind_udp(0));
        sent(socket.recv_from(&mut []));
        sent(socket.send_to(&[], to));
    };
}
