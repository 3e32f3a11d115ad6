//! What epoll has of a connection whose first bytes are awaited: it is gone before anybody else gets the connection.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a failure here is a failed test")]

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake};

use portcrew_ipc::peek::{Key, Look, Peeker};
use portcrew_ipc::probe::{Proof, prove};
use portcrew_ipc::socket;
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use tokio::task::yield_now;

use crate::common::loopback::{arrived, pair};

const HEAD: &[u8] = b"GET /?sid=abc HTTP/1.1\r\n\r\n";

fn peeker() -> (Peeker, Arc<OwnedFd>, TcpStream) {
    let (server, client) = pair();
    let socket = Arc::new(OwnedFd::from(server));
    let look = Look { key: Some(Key::query("sid").unwrap()), ..Look::default() };
    (Peeker::new(Arc::clone(&socket), Arc::new(look)), socket, client)
}

/// Counts how often a task would have been woken.
#[derive(Debug, Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn poll(peeker: &mut Peeker, woken: &Arc<Woken>) -> Poll<std::io::Result<()>> {
    let waker = Arc::clone(woken).into();
    peeker.poll(&mut Context::from_waker(&waker), &mut Vec::new()).map_ok(drop)
}

/// Whether any epoll of this process has the connection in it, by whatever descriptor (proc(5), fdinfo).
fn is_watched(connection: &impl AsFd) -> bool {
    let inode = rustix::fs::fstat(connection).unwrap().st_ino;
    let word = format!(" ino:{inode:x} ");
    let entries = fs::read_dir("/proc/self/fdinfo").unwrap();
    // A descriptor that another thread has closed meanwhile is none.
    let infos = entries.filter_map(|entry| fs::read_to_string(entry.ok()?.path()).ok());
    infos.flat_map(|info| info.lines().map(str::to_owned).collect::<Vec<_>>()).any(|line| {
        let line = format!("{line} ");
        line.starts_with("tfd:") && line.contains(&word)
    })
}

#[tokio::test]
async fn a_settled_look_has_left_epoll_before_it_is_told() {
    let (mut peeker, socket, mut client) = peeker();
    let woken = Arc::default();
    assert!(poll(&mut peeker, &woken).is_pending());
    assert!(is_watched(&socket));
    client.write_all(HEAD).unwrap();
    while poll(&mut peeker, &woken).is_pending() {
        yield_now().await;
    }
    assert!(!is_watched(&socket));
}

#[tokio::test]
async fn what_is_there_at_once_is_never_registered() {
    let (mut peeker, socket, mut client) = peeker();
    client.write_all(HEAD).unwrap();
    arrived(&socket, HEAD.len());
    assert!(poll(&mut peeker, &Arc::default()).is_ready());
    assert!(!is_watched(&socket));
}

#[tokio::test]
async fn a_second_wait_for_the_same_connection_is_refused() {
    let (mut first, socket, _client) = peeker();
    let look = Look { key: Some(Key::query("sid").unwrap()), ..Look::default() };
    let mut second = Peeker::new(Arc::clone(&socket), Arc::new(look));
    let woken = Arc::default();
    assert!(poll(&mut first, &woken).is_pending());
    assert!(matches!(poll(&mut second, &woken), Poll::Ready(Err(_))));
    drop(second);
    assert!(is_watched(&socket), "the refused one took the first one's registration with it");
}

#[tokio::test]
async fn a_connection_given_away_at_a_deadline_wakes_nobody_here() {
    let (mut peeker, socket, mut client) = peeker();
    client.write_all(&HEAD[..5]).unwrap();
    arrived(&socket, 5);
    let woken = Arc::default();
    assert!(poll(&mut peeker, &woken).is_pending());
    drop(peeker);
    assert!(!is_watched(&socket));

    let (primary, worker) = socket::pair_stream().unwrap();
    socket::send(&primary, b"!", &[socket.as_fd()]).unwrap();
    drop(socket);
    let given = socket::recv(&worker, &mut [0]).unwrap().fds.remove(0);
    assert!(!is_watched(&given));
    client.write_all(&HEAD[5..]).unwrap();
    arrived(&given, HEAD.len());
    for _ in 0..10 {
        yield_now().await;
    }
    assert_eq!(woken.0.load(Ordering::Relaxed), 0);
    assert_eq!(prove(given.as_fd()).unwrap(), Proof::Untouched);
    let mut read = vec![0; HEAD.len()];
    TcpStream::from(given).read_exact(&mut read).unwrap();
    assert_eq!(read, HEAD);
}

/// Why it must be removed, shown without the code under test.
#[test]
fn epoll_goes_on_with_a_closed_descriptor_while_somebody_has_the_connection_open() {
    let (server, mut client) = pair();
    let watching = epoll::create(CreateFlags::CLOEXEC).unwrap();
    let edges = EventFlags::IN | EventFlags::ET;
    epoll::add(&watching, &server, EventData::new_u64(7), edges).unwrap();
    let elsewhere = server.try_clone().unwrap();
    drop(server);
    assert!(is_watched(&elsewhere));
    client.write_all(HEAD).unwrap();
    arrived(&elsewhere, HEAD.len());
    let mut events = Vec::with_capacity(1);
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    epoll::wait(&watching, spare_capacity(&mut events), Some(&now)).unwrap();
    assert_eq!(events.len(), 1);
}
