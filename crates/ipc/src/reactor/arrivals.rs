//! News of a descriptor, for who leaves there what it has seen.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use rustix::io::Errno;
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle as RuntimeHandle;

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
    /// As [`AsyncOwnedFd::new`](super::AsyncOwnedFd::new).
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

    /// Waits for connections that come to a listening socket after the last time that this was ready, whatever of those
    /// before is still there.
    ///
    /// It remembers one waker: all polls belong to one task.
    ///
    /// # Errors
    /// `InvalidInput` (EINVAL), as accept(2) says it, once the socket was shut down: the reactor never takes that back,
    /// also where it listens again, so it is to be registered anew. Or the runtime is shutting down.
    pub fn poll_news(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut guard = ready!(self.inner.poll_read_ready(cx))?;
        if guard.ready().is_read_closed() {
            // This readiness is never cleared: who waited for the next would go round for ever.
            return Poll::Ready(Err(Errno::INVAL.into()));
        }
        // Before the caller looks: what arrives after this is a newer readiness, and may be seen by that look already.
        guard.clear_ready();
        Poll::Ready(Ok(()))
    }
}
