//! Accepting.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::{AsyncFd, AsyncFdReadyGuard};
use tokio::runtime::Handle as RuntimeHandle;

use super::register;
use crate::probe;

/// A listening socket in non-blocking mode, which others may have open too, for any number of waiting tasks.
///
/// Unlike tokio's own it notices that somebody has shut the socket down, which is done to all who have it open.
/// When it listens again it is to be registered anew: the reactor never takes a hang-up back.
#[derive(Debug)]
pub struct Listening {
    inner: AsyncFd<OwnedFd>,
    /// How many waited when the kernel was asked last, without those that were accepted since. Others may have taken
    /// some, and any task may have just changed it: it is believed as far as it saves a call in vain.
    waiting: AtomicU32,
}

impl Listening {
    /// Registers `fd`, which is in non-blocking mode.
    ///
    /// # Errors
    /// As [`AsyncOwnedFd::new`](super::AsyncOwnedFd::new).
    ///
    /// # Panics
    /// As [`AsyncOwnedFd::new`](super::AsyncOwnedFd::new).
    pub fn new(fd: OwnedFd) -> io::Result<Self> {
        RuntimeHandle::try_current().map_err(io::Error::other)?;
        Ok(Self { inner: register(fd, Interest::READABLE)?, waiting: AtomicU32::new(0) })
    }

    /// Runs `accept` when a connection may be there, until it does something else than block.
    ///
    /// # Errors
    /// Those of `accept`; `InvalidInput` (EINVAL), as accept(2) says it, once the socket was shut down; or the
    /// runtime is shutting down.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn accept<R>(
        &self,
        mut accept: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> io::Result<R> {
        loop {
            // Under a flood of connections other tasks have their turn too.
            tokio::task::consume_budget().await;
            let guard = self.inner.readable().await?;
            if let Some(result) = self.take(guard, &mut accept) {
                return result;
            }
        }
    }

    /// As [`accept`](Self::accept), for one task at a time: only the last one is woken.
    ///
    /// # Errors
    /// As [`accept`](Self::accept).
    pub fn poll_accept<R>(
        &self,
        cx: &mut Context<'_>,
        mut accept: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let guard = ready!(self.inner.poll_read_ready(cx))?;
            if let Some(result) = self.take(guard, &mut accept) {
                return Poll::Ready(result);
            }
        }
    }

    /// What `accept` brings; `None` where nothing waits: then the next readiness is newer than this one.
    ///
    /// An accept(2) that finds nothing costs as much as one that does: the kernel makes the new socket first. So it is
    /// asked how many wait, once for all of them, and once more to know that there are no others.
    fn take<R>(
        &self,
        mut guard: AsyncFdReadyGuard<'_, OwnedFd>,
        accept: &mut impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> Option<io::Result<R>> {
        if guard.ready().is_read_closed() {
            return Some(Err(Errno::INVAL.into()));
        }
        let socket = self.inner.get_ref().as_fd();
        if self.waiting.load(Ordering::Relaxed) == 0 {
            // A socket that cannot tell is tried until there are no others.
            let waiting = probe::waiting(socket).unwrap_or(u32::MAX);
            self.waiting.store(waiting, Ordering::Relaxed);
            if waiting == 0 {
                guard.clear_ready();
                return None;
            }
        }
        match accept(socket) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.waiting.store(0, Ordering::Relaxed);
                guard.clear_ready();
                None
            }
            accepted => {
                if accepted.is_ok() {
                    let less_one = |waiting: u32| waiting.checked_sub(1);
                    let order = Ordering::Relaxed;
                    let _ = self.waiting.fetch_update(order, order, less_one);
                }
                Some(accepted)
            }
        }
    }
}

impl AsFd for Listening {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.get_ref().as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::future::poll_fn;
    use std::net::{TcpListener, TcpStream};
    use std::os::unix::net::{UnixListener, UnixStream};
    use std::sync::Arc;
    use std::time::Duration;

    use super::super::HangUp;
    use super::*;

    /// Only detects one.
    const HANG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_listening_socket_that_is_shut_down_says_so_and_connections_wake_only_who_accepts() {
        use rustix::net::{Shutdown, shutdown};
        let shared = TcpListener::bind("127.0.0.1:0").unwrap();
        shared.set_nonblocking(true).unwrap();
        let listening = Listening::new(shared.try_clone().unwrap().into()).unwrap();
        let hang_up = HangUp::watch(shared.as_fd()).unwrap();
        let accept = |fd: BorrowedFd<'_>| Ok(rustix::net::accept(fd)?);
        let _client = TcpStream::connect(shared.local_addr().unwrap()).unwrap();
        listening.accept(accept).await.unwrap();
        poll_fn(|cx| {
            assert!(hang_up.poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
        shutdown(&shared, Shutdown::Both).unwrap();
        poll_fn(|cx| hang_up.poll(cx)).await.unwrap();
        let error = listening.accept(accept).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }

    /// Accepts all that waits. How many there were, and how many calls it took.
    fn accept_all(listening: &Listening) -> (u32, u32) {
        let (mut accepted, calls) = (0, Cell::new(0));
        let cx = &mut Context::from_waker(std::task::Waker::noop());
        let accept = |fd: BorrowedFd<'_>| {
            calls.set(calls.get() + 1);
            Ok(rustix::net::accept(fd)?)
        };
        while let Poll::Ready(connection) = listening.poll_accept(cx, accept) {
            drop(connection.unwrap());
            accepted += 1;
        }
        (accepted, calls.get())
    }

    #[tokio::test]
    async fn no_call_is_made_in_vain_and_none_is_missed() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let another = socket.try_clone().unwrap();
        let listening = Listening::new(socket.into()).unwrap();
        for count in [3, 1, 2] {
            // Over loopback who is connected is in the queue.
            let _clients: Vec<_> = (0..count).map(|_| TcpStream::connect(address)).collect();
            drop(listening.inner.readable().await.unwrap());
            assert_eq!(accept_all(&listening), (count, count));
        }
        // What another process takes is not there: the call in vain says so.
        let _clients = [0; 3].map(|_| TcpStream::connect(address).unwrap());
        drop(listening.inner.readable().await.unwrap());
        let accept = |fd: BorrowedFd<'_>| Ok(rustix::net::accept(fd)?);
        listening.accept(accept).await.unwrap();
        drop(another.accept().unwrap());
        drop(another.accept().unwrap());
        assert_eq!(accept_all(&listening), (0, 1));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn each_of_many_tasks_has_its_own() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let address = socket.local_addr().unwrap();
        let listening = Arc::new(Listening::new(socket.into()).unwrap());
        let accept = |fd: BorrowedFd<'_>| Ok(rustix::net::accept(fd)?);
        let tasks: Vec<_> = (0..64)
            .map(|_| {
                let listening = Arc::clone(&listening);
                tokio::spawn(async move { listening.accept(accept).await.map(drop) })
            })
            .collect();
        let _clients = [0; 64].map(|_| TcpStream::connect(address).unwrap());
        for task in tasks {
            tokio::time::timeout(HANG, task).await.expect("it has one").unwrap().unwrap();
        }
    }

    #[tokio::test]
    async fn a_socket_that_cannot_tell_is_tried() {
        let place = tempfile::tempdir().unwrap();
        let path = place.path().join("s");
        let socket = UnixListener::bind(&path).unwrap();
        socket.set_nonblocking(true).unwrap();
        let listening = Listening::new(socket.into()).unwrap();
        for count in [2, 1] {
            let _clients: Vec<_> = (0..count).map(|_| UnixStream::connect(&path)).collect();
            drop(listening.inner.readable().await.unwrap());
            assert_eq!(accept_all(&listening), (count, count + 1));
        }
    }
}
