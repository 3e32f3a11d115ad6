//! Registration with tokio's reactor: the one place where a descriptor of ours meets `AsyncFd`.
//!
//! Channel, lane and pidfd all wait for readiness through [`AsyncOwnedFd`], who only looks through [`Arrivals`].
//! Both own their descriptor, alone or with others, so the unsafe promise that tokio asks for (the number stays
//! open and means the same thing) is kept by their types.

use std::future::Future;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle as RuntimeHandle;

/// An owned descriptor in non-blocking mode, registered with the reactor of the current tokio runtime.
///
/// The `poll_` methods remember one waker per direction, so all polls of one direction belong to one task.
#[derive(Debug)]
pub struct AsyncOwnedFd {
    inner: AsyncFd<OwnedFd>,
}

impl AsyncOwnedFd {
    /// Sets `fd` non-blocking and registers it for reading and writing.
    ///
    /// # Errors
    /// No tokio runtime is current, or the kernel refuses (a regular file cannot be polled; no memory).
    ///
    /// # Panics
    /// The current runtime was built without its IO driver: a mistake in the program, as in tokio itself.
    pub fn new(fd: OwnedFd) -> io::Result<Self> {
        Self::with_interest(fd, Interest::READABLE | Interest::WRITABLE)
    }

    /// As [`new`](Self::new), for a descriptor that is only ever waited on for reading, such as a pidfd.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    ///
    /// # Panics
    /// As [`new`](Self::new).
    pub fn new_readable(fd: OwnedFd) -> io::Result<Self> {
        Self::with_interest(fd, Interest::READABLE)
    }

    fn with_interest(fd: OwnedFd, interest: Interest) -> io::Result<Self> {
        // Asked first, because tokio itself panics where there is no runtime.
        RuntimeHandle::try_current().map_err(io::Error::other)?;
        rustix::io::ioctl_fionbio(&fd, true)?;
        // SAFETY: `OwnedFd` owns an open descriptor and answers `as_raw_fd` with the same number for its
        // whole life. It is stored inside the `AsyncFd`, which this type never hands out by `&mut`, so
        // nobody can replace or close it while it is registered.
        let inner = unsafe { AsyncFd::register_with_interest(fd, interest) }?;
        Ok(Self { inner })
    }

    /// Runs `read` whenever the descriptor may be readable, until it does something else than block.
    ///
    /// # Errors
    /// Those of `read`, other than `WouldBlock`; or the runtime is shutting down.
    pub fn poll_read_io<R>(
        &self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            let mut guard = ready!(self.inner.poll_read_ready(cx))?;
            if let Ok(result) = guard.try_io(|fd| read(fd.as_fd())) {
                return Poll::Ready(result);
            }
        }
    }

    /// Runs `write` until it does something else than block. Tries at once, without waiting for the reactor.
    ///
    /// # Errors
    /// Those of `write`, other than `WouldBlock`; or the runtime is shutting down.
    pub fn poll_write_io<R>(
        &self,
        cx: &mut Context<'_>,
        mut write: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        loop {
            match self.try_write_io(&mut write) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    ready!(self.poll_write_ready(cx))?;
                }
                result => return Poll::Ready(result),
            }
        }
    }

    /// Waits until the descriptor may be readable. May be ready too early: follow with a `try_` call, which
    /// puts the readiness right.
    ///
    /// # Errors
    /// The runtime is shutting down.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_read_ready(cx).map_ok(drop)
    }

    /// Waits until the descriptor may be writable. May be ready too early, as
    /// [`poll_read_ready`](Self::poll_read_ready).
    ///
    /// # Errors
    /// The runtime is shutting down.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.inner.poll_write_ready(cx).map_ok(drop)
    }

    /// Runs `read` once, now.
    ///
    /// # Errors
    /// Those of `read`; `WouldBlock` clears the readiness, so that the next poll waits for news.
    pub fn try_read_io<R>(
        &self,
        read: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> io::Result<R> {
        self.try_io(Interest::READABLE, read)
    }

    /// Runs `write` once, now.
    ///
    /// # Errors
    /// Those of `write`; `WouldBlock` clears the readiness, so that the next poll waits for news.
    pub fn try_write_io<R>(
        &self,
        write: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> io::Result<R> {
        self.try_io(Interest::WRITABLE, write)
    }

    /// Tokio skips the operation where it has not seen readiness yet, but the kernel may know better: the
    /// reactor has not run since. The operation must then happen *outside* tokio's call and must clear
    /// nothing, else it could wipe out a readiness that arrived in between and sleep for ever.
    fn try_io<R>(
        &self,
        interest: Interest,
        mut operation: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> io::Result<R> {
        let mut ran = false;
        let result = self.inner.try_io(interest, |fd| {
            ran = true;
            operation(fd.as_fd())
        });
        if ran { result } else { operation(self.as_fd()) }
    }

    /// Ends the registration and returns the descriptor, still in non-blocking mode.
    #[must_use]
    pub fn into_inner(self) -> OwnedFd {
        self.inner.into_inner()
    }
}

impl AsFd for AsyncOwnedFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inner.get_ref().as_fd()
    }
}

/// Tells when bytes arrive at a descriptor that others hold too, for one who looks at bytes and leaves them there.
///
/// Readiness alone would not do for that: what was looked at goes on being readable. But the registration is
/// edge-triggered: the kernel reports each arrival, also at a socket that was readable before (epoll(7)). It
/// ends when this is dropped. The descriptor's mode is left as it is, since that belongs to all who have it
/// open.
#[derive(Debug)]
pub struct Arrivals {
    inner: AsyncFd<Arc<OwnedFd>>,
}

impl Arrivals {
    /// Registers `fd` for reading. What is readable now counts as an arrival.
    ///
    /// # Errors
    /// No tokio runtime is current, or it is shutting down; the kernel refuses (no memory, or the user's limit
    /// of registrations); the same descriptor is registered with this runtime already.
    ///
    /// # Panics
    /// As [`AsyncOwnedFd::new`].
    pub fn new(fd: Arc<OwnedFd>) -> io::Result<Self> {
        // Asked first, because tokio itself panics where there is no runtime.
        RuntimeHandle::try_current().map_err(io::Error::other)?;
        // SAFETY: an `Arc<OwnedFd>` answers `as_raw_fd` with the same number for its whole life, and nobody can
        // close that descriptor or take it out of the `Arc` while a clone of it lives. One is stored inside the
        // `AsyncFd`, which this type never hands out by `&mut`.
        let inner = unsafe { AsyncFd::register_with_interest(fd, Interest::READABLE) }?;
        Ok(Self { inner })
    }

    /// Runs `look` for what arrives until it has seen enough (`Some`). It is told whether the peer had ended
    /// before the look; then everything that will ever come is there, and it must be content with it.
    ///
    /// It remembers one waker: all polls belong to one task.
    ///
    /// # Errors
    /// Those of `look`; `UnexpectedEof` when it is not content after the end; or the runtime is shutting down.
    pub fn poll<R>(
        &self,
        cx: &mut Context<'_>,
        mut look: impl FnMut(BorrowedFd<'_>, bool) -> io::Result<Option<R>>,
    ) -> Poll<io::Result<R>> {
        loop {
            // Asked before the look: what arrives after this is a newer readiness, which the clearing below
            // leaves alone.
            let mut guard = ready!(self.inner.poll_read_ready(cx))?;
            let ended = guard.ready().is_read_closed();
            if let Some(seen) = look(self.inner.get_ref().as_fd(), ended)? {
                return Poll::Ready(Ok(seen));
            }
            if ended {
                // This readiness is never cleared: one more round would be the first of an endless number.
                return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into()));
            }
            guard.clear_ready();
        }
    }
}

/// Wakes the task again, but only after the runtime has asked the kernel what else is ready.
///
/// For a task that has had its share and is to leave the rest to others. Waking it directly would not do: a
/// task that is always ready is run 61 times before tokio looks at any socket.
pub fn wake_after_others(cx: &mut Context<'_>) {
    // Its first poll leaves the waker with the runtime; that is all it does.
    let polled = pin!(tokio::task::yield_now()).poll(cx);
    debug_assert!(polled.is_pending(), "a fresh yield is pending");
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;

    #[test]
    fn without_a_runtime_it_is_an_error_and_no_panic() {
        let (left, _right) = rustix::pipe::pipe().unwrap();
        assert!(AsyncOwnedFd::new(left).is_err());
    }

    #[tokio::test]
    async fn a_regular_file_cannot_be_registered() {
        let file = std::fs::File::open("/proc/self/exe").unwrap();
        assert!(AsyncOwnedFd::new(file.into()).is_err());
    }

    #[tokio::test]
    async fn a_try_reads_what_the_reactor_has_not_seen_yet() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let reader = AsyncOwnedFd::new_readable(reader).unwrap();
        rustix::io::write(&writer, b"x").unwrap();
        let mut byte = [0];
        let read = reader.try_read_io(|fd| Ok(rustix::io::read(fd, &mut byte)?));
        assert_eq!(read.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_reader_wakes_when_bytes_arrive() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let reader = AsyncOwnedFd::new_readable(reader).unwrap();
        let reading = tokio::spawn(async move {
            let mut byte = [0];
            poll_fn(|cx| reader.poll_read_io(cx, |fd| Ok(rustix::io::read(fd, &mut byte)?)))
                .await
                .unwrap();
            byte
        });
        tokio::task::yield_now().await;
        rustix::io::write(&writer, b"x").unwrap();
        assert_eq!(reading.await.unwrap(), *b"x");
    }
}
