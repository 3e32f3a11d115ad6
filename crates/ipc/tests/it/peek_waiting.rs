//! Waiting for a connection's first bytes on real sockets: every arrival is one look, and none is taken.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::future::poll_fn;
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::net::UnixStream;
use std::pin::pin;
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use portcrew_ipc::peek::{Key, KeyHash, Look, Peeker, Seen};
use portcrew_ipc::probe::{Proof, TcpState, prove};
use rustix::net::sockopt;
use tokio::sync::watch;
use tokio::task::yield_now;

use crate::common::DEADLINE;
use crate::common::loopback::{arrived, pair, until};

const LINE: &[u8] = b"PROXY TCP4 192.0.2.1 192.0.2.2 4711 80\r\n";
const HEAD: &[u8] = b"GET /socket.io/?sid=abc HTTP/1.1\r\nHost: x\r\n\r\n";

fn both() -> Arc<Look> {
    Arc::new(Look { proxy: true, key: Some(Key::query("sid").unwrap()), ..Look::default() })
}

fn source() -> Option<SocketAddr> {
    Some("192.0.2.1:4711".parse().unwrap())
}

fn all() -> Seen {
    Seen { source: source(), key: Some(KeyHash::of(b"abc")), route: None }
}

/// A peeker, its socket, and the client.
fn peeker() -> (Peeker, Arc<OwnedFd>, TcpStream) {
    let (server, client) = pair();
    let socket = Arc::new(OwnedFd::from(server));
    (Peeker::new(Arc::clone(&socket), both()), socket, client)
}

async fn settled(peeker: &mut Peeker) -> std::io::Result<Seen> {
    let mut buffer = Vec::new();
    poll_fn(|cx| peeker.poll(cx, &mut buffer)).await
}

/// The first poll, which finds nothing to tell.
async fn awaits(peeker: &mut Peeker) {
    let mut waiting = pin!(settled(peeker));
    poll_fn(|cx| {
        assert!(waiting.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
}

fn untouched(socket: &OwnedFd) {
    assert_eq!(prove(socket.as_fd()).unwrap(), Proof::Untouched);
}

/// Runs a test on a runtime and a thread of its own: a poll that never returns is a failure and no hang.
fn bounded<F: Future<Output = ()>>(test: impl FnOnce() -> F + Send + 'static) {
    let (done, finished) = mpsc::channel();
    let thread = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
        runtime.block_on(test());
        // Nobody listens any more once the deadline is over.
        let _ = done.send(());
    });
    let outcome = finished.recv_timeout(DEADLINE);
    assert_ne!(outcome, Err(mpsc::RecvTimeoutError::Timeout), "it spins or sleeps for ever");
    thread.join().unwrap();
}

#[test]
fn what_is_there_at_once_is_told_without_a_runtime() {
    let (mut peeker, socket, mut client) = peeker();
    client.write_all(&[LINE, HEAD].concat()).unwrap();
    arrived(&socket, LINE.len() + HEAD.len());
    let mut cx = Context::from_waker(Waker::noop());
    let Poll::Ready(seen) = peeker.poll(&mut cx, &mut Vec::new()) else { panic!("it waits") };
    assert_eq!(seen.unwrap(), all());
    untouched(&socket);
}

#[test]
fn without_a_runtime_a_wait_is_an_error_and_no_panic() {
    let (mut peeker, socket, mut client) = peeker();
    client.write_all(LINE).unwrap();
    arrived(&socket, LINE.len());
    let mut cx = Context::from_waker(Waker::noop());
    assert!(matches!(peeker.poll(&mut cx, &mut Vec::new()), Poll::Ready(Err(_))));
    assert_eq!(peeker.so_far(), Seen { source: source(), key: None, route: None });
}

type Waiting = tokio::task::JoinHandle<std::io::Result<Seen>>;

/// Lets a task wait, and counts how often it is polled.
fn counted(mut peeker: Peeker) -> (Waiting, watch::Receiver<usize>) {
    let (count, polls) = watch::channel(0);
    let mut buffer = Vec::new();
    let poll = move |cx: &mut Context<'_>| {
        count.send_modify(|polls| *polls += 1);
        peeker.poll(cx, &mut buffer)
    };
    (tokio::spawn(poll_fn(poll)), polls)
}

/// Waits until it was polled so often, and sees that it is not polled more while the reactor goes round: what was
/// looked at is readable all the while.
async fn polled(polls: &mut watch::Receiver<usize>, times: usize) {
    polls.wait_for(|polls| *polls >= times).await.unwrap();
    for _ in 0..3 {
        yield_now().await;
    }
    assert_eq!(*polls.borrow(), times);
}

#[test]
fn each_byte_that_arrives_alone_is_one_look_and_none_is_more() {
    bounded(|| async {
        let (peeker, socket, mut client) = peeker();
        let (waiting, mut polls) = counted(peeker);
        polled(&mut polls, 1).await;
        let bytes = [LINE, HEAD].concat();
        let needed = bytes.len() - b"Host: x\r\n\r\n".len();
        for sent in 1..=needed {
            client.write_all(&bytes[sent - 1..sent]).unwrap();
            polled(&mut polls, sent + 1).await;
            untouched(&socket);
        }
        assert_eq!(waiting.await.unwrap().unwrap(), all());
    });
}

#[test]
fn bytes_that_came_before_the_wait_are_reported_once() {
    bounded(|| async {
        let (peeker, socket, mut client) = peeker();
        client.write_all(LINE).unwrap();
        arrived(&socket, LINE.len());
        let (waiting, mut polls) = counted(peeker);
        // Once by the task's start, once by the new registration.
        polled(&mut polls, 2).await;
        client.write_all(HEAD).unwrap();
        polled(&mut polls, 3).await;
        assert_eq!(waiting.await.unwrap().unwrap(), all());
    });
}

#[test]
fn bytes_that_come_between_the_look_and_the_wait_are_seen() {
    bounded(|| async {
        let (mut peeker, socket, mut client) = peeker();
        awaits(&mut peeker).await;
        client.write_all(&[LINE, HEAD].concat()).unwrap();
        arrived(&socket, LINE.len() + HEAD.len());
        assert_eq!(settled(&mut peeker).await.unwrap(), all());
    });
}

#[test]
fn whoever_gets_the_connection_reads_every_byte() {
    bounded(|| async {
        let (mut peeker, socket, mut client) = peeker();
        awaits(&mut peeker).await;
        client.write_all(&[LINE, HEAD].concat()).unwrap();
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(settled(&mut peeker).await.unwrap(), all());
        untouched(&socket);
        let mut worker = TcpStream::from(socket.try_clone().unwrap());
        drop((peeker, socket));
        // A socket in blocking mode is still in it.
        let mut read = Vec::new();
        worker.read_to_end(&mut read).unwrap();
        assert_eq!(read, [LINE, HEAD].concat());
    });
}

#[test]
fn a_client_that_ends_in_the_middle_is_not_waited_for() {
    bounded(|| async {
        for before in [true, false] {
            let (mut peeker, socket, mut client) = peeker();
            if !before {
                awaits(&mut peeker).await;
            }
            client.write_all(&[LINE, &HEAD[..10]].concat()).unwrap();
            client.shutdown(Shutdown::Write).unwrap();
            until(&socket, |now| now.state == TcpState::CloseWait);
            let seen = settled(&mut peeker).await.unwrap();
            assert_eq!(seen, Seen { source: source(), key: None, route: None });
            untouched(&socket);
        }
    });
}

#[test]
fn a_client_that_ends_without_a_byte_has_shown_nothing() {
    bounded(|| async {
        let (mut peeker, socket, client) = peeker();
        awaits(&mut peeker).await;
        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(settled(&mut peeker).await.unwrap(), Seen::default());
        untouched(&socket);
    });
}

/// A close with no time to linger is a reset.
fn reset(client: TcpStream, socket: &OwnedFd) {
    sockopt::set_socket_linger(&client, Some(Duration::ZERO)).unwrap();
    drop(client);
    until(&socket, |now| now.state == TcpState::Close);
}

#[test]
fn a_reset_is_an_error_that_says_so() {
    bounded(|| async {
        for before in [true, false] {
            let (mut peeker, socket, client) = peeker();
            if !before {
                awaits(&mut peeker).await;
            }
            reset(client, &socket);
            let error = settled(&mut peeker).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
            assert_eq!(prove(socket.as_fd()).unwrap(), Proof::PeerGone);
        }
    });
}

#[test]
fn a_reset_behind_a_part_of_the_head_ends_the_wait() {
    bounded(|| async {
        let (mut peeker, socket, mut client) = peeker();
        awaits(&mut peeker).await;
        client.write_all(LINE).unwrap();
        arrived(&socket, LINE.len());
        reset(client, &socket);
        let seen = settled(&mut peeker).await.unwrap();
        assert_eq!(seen, Seen { source: source(), key: None, route: None });
        assert_eq!(prove(socket.as_fd()).unwrap(), Proof::PeerGone);
    });
}

#[test]
fn a_head_beyond_the_limit_ends_the_wait() {
    bounded(|| async {
        let (mut peeker, socket, mut client) = peeker();
        awaits(&mut peeker).await;
        let endless = [LINE, b"GET /?sid=", &[b'a'; 70_000]].concat();
        client.write_all(&endless).unwrap();
        assert_eq!(
            settled(&mut peeker).await.unwrap(),
            Seen { source: source(), key: None, route: None }
        );
        untouched(&socket);
    });
}

#[test]
fn a_unix_domain_connection_is_looked_at_alike() {
    bounded(|| async {
        let (server, mut client) = UnixStream::pair().unwrap();
        let mut peeker = Peeker::new(Arc::new(server.into()), both());
        awaits(&mut peeker).await;
        client.write_all(LINE).unwrap();
        awaits(&mut peeker).await;
        client.write_all(HEAD).unwrap();
        assert_eq!(settled(&mut peeker).await.unwrap(), all());

        let (server, mut client) = UnixStream::pair().unwrap();
        let mut peeker = Peeker::new(Arc::new(server.into()), both());
        awaits(&mut peeker).await;
        client.write_all(LINE).unwrap();
        drop(client);
        let seen = settled(&mut peeker).await.unwrap();
        assert_eq!(seen, Seen { source: source(), key: None, route: None });
    });
}

#[test]
fn one_buffer_serves_many() {
    bounded(|| async {
        let mut waiting: Vec<_> = (0..20).map(|_| peeker()).collect();
        for (peeker, socket, client) in &mut waiting {
            client.write_all(LINE).unwrap();
            arrived(socket, LINE.len());
            awaits(peeker).await;
        }
        for (_, _, client) in &mut waiting {
            client.write_all(HEAD).unwrap();
        }
        let mut buffer = Vec::new();
        for (peeker, _, _) in &mut waiting {
            let seen = poll_fn(|cx| peeker.poll(cx, &mut buffer)).await;
            assert_eq!(seen.unwrap(), all());
        }
        assert_eq!(buffer.len(), both().room());
    });
}
