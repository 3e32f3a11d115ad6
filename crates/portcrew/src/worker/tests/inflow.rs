//! Who wants a connection, as it is told to the thread of a shared listener and to the driver.

use std::future::Future;
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::task::{Context, Poll, Wake, Waker};

use portcrew_core::ConnId;

use super::{HANG, soon};
use crate::link::Bell;
use crate::net::exclusive::{ExclusiveAccept, Taker};
use crate::worker::{Inflow, Tells};

/// Tells what the inflow answers to the question about demand.
struct Asked {
    inflow: Arc<Inflow>,
    answers: Sender<bool>,
}

impl Taker for Asked {
    fn is_in_demand(&self) -> bool {
        let answer = self.inflow.is_in_demand();
        let _ = self.answers.send(answer);
        answer
    }

    fn take(&self, connection: OwnedFd) {
        self.inflow.deliver(connection, None);
    }
}

/// A shared listener's inflow, its thread asleep and without demand.
fn shared() -> (Arc<Inflow>, TcpListener, Receiver<bool>, ExclusiveAccept) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let socket = listener.try_clone().unwrap().into();
    let inflow = Inflow::new(Arc::new(Bell::default()));
    let (answers, asked) = channel();
    let taker = Asked { inflow: Arc::clone(&inflow), answers };
    let thread = ExclusiveAccept::start(Arc::new(socket), Arc::new(taker)).unwrap();
    inflow.watched_by(thread.watch());
    assert!(!asked.recv_timeout(HANG).unwrap());
    (inflow, listener, asked, thread)
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test]
async fn whoever_still_waits_when_another_is_served_gets_the_next_connection() {
    let (inflow, listener, asked, _thread) = shared();
    let at = listener.local_addr().unwrap();
    let (mut first, mut second) = (pin!(inflow.next(Tells::No)), pin!(inflow.next(Tells::No)));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), [true, true]);
    let _one = TcpStream::connect(at).unwrap();
    // The thread has delivered it, and one is there for one who waits: it sleeps without the listener.
    assert!(!asked.recv_timeout(HANG).unwrap());
    assert!(poll_once(first.as_mut()).is_ready());
    assert!(asked.try_recv().unwrap(), "the other one still waits");
    let _two = TcpStream::connect(at).unwrap();
    assert!(soon(second).await.is_some());
}

#[test]
fn who_is_served_without_having_been_woken_is_no_demand_any_more() {
    let (inflow, _listener, asked, _thread) = shared();
    let (mut first, mut second) = (pin!(inflow.next(Tells::No)), pin!(inflow.next(Tells::No)));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    inflow.deliver(std::fs::File::open("/dev/null").unwrap().into(), None);
    assert_eq!(asked.try_iter().collect::<Vec<_>>(), [true, true]);
    // The wake was the first one's; it comes too late and waits again.
    assert!(poll_once(second.as_mut()).is_ready());
    assert!(!inflow.is_in_demand());
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(inflow.is_in_demand());
}

#[test]
fn a_cancelled_accept_leaves_the_connection_to_other_processes() {
    let (inflow, listener, asked, _thread) = shared();
    let mut waiting = Box::pin(inflow.next(Tells::No));
    assert!(poll_once(waiting.as_mut()).is_pending());
    assert!(asked.try_recv().unwrap());
    drop(waiting);
    assert!(!asked.try_recv().unwrap(), "nobody waits any more");
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    // The thread is not waiting for it, so this may.
    listener.set_nonblocking(false).unwrap();
    let (_stream, peer) = listener.accept().unwrap();
    assert_eq!(peer, client.local_addr().unwrap());
}

#[test]
fn the_driver_hears_of_whoever_still_waits_when_another_is_served() {
    let bell = Arc::new(Bell::default());
    let inflow = Inflow::new(Arc::clone(&bell));
    let wanted = || {
        let mut wanted = Vec::new();
        inflow.collect(&mut Vec::new(), &mut wanted);
        wanted.into_iter().map(|(conn, _)| conn).collect::<Vec<_>>()
    };
    let socket = || std::fs::File::open("/dev/null").unwrap().into();
    let (mut first, mut second) = (pin!(inflow.next(Tells::No)), pin!(inflow.next(Tells::No)));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(second.as_mut()).is_pending());
    inflow.hold(socket(), ConnId(1));
    assert_eq!(wanted(), [ConnId(1)]);
    inflow.release(ConnId(1));
    // The next one comes before the first task runs, and the driver finds nothing to do and sleeps.
    inflow.hold(socket(), ConnId(2));
    let driver = Arc::new(Rung::default());
    bell.hang(&Waker::from(Arc::clone(&driver)));
    assert_eq!(wanted(), []);
    assert!(poll_once(first.as_mut()).is_ready());
    assert!(driver.0.load(Ordering::Acquire), "the driver sleeps on");
    assert_eq!(wanted(), [ConnId(2)]);
    inflow.release(ConnId(2));
    assert!(poll_once(second.as_mut()).is_ready());
}

#[derive(Default)]
struct Rung(AtomicBool);

impl Wake for Rung {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Release);
    }
}
