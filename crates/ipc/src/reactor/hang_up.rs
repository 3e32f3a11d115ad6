//! The end of a listening socket that others have open too.

use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::task::{Context, Poll, ready};

#[cfg(target_os = "linux")]
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle as RuntimeHandle;

use super::register;

/// Tells when a listening socket that others have open too was shut down by one of them. Connections that come to it
/// wake nobody here (on Linux).
#[derive(Debug)]
pub struct HangUp {
    inner: AsyncFd<OwnedFd>,
}

impl HangUp {
    /// Registers it. A hang-up that is there already is told.
    ///
    /// # Errors
    /// There is no descriptor or no memory for it; no tokio runtime is current.
    ///
    /// # Panics
    /// As [`AsyncOwnedFd::new`](super::AsyncOwnedFd::new).
    pub fn watch(fd: BorrowedFd<'_>) -> io::Result<Self> {
        RuntimeHandle::try_current().map_err(io::Error::other)?;
        Ok(Self { inner: register(hang_up_only(fd)?, Interest::READABLE)? })
    }

    /// Ready once it was shut down, and from then on.
    ///
    /// # Errors
    /// The runtime is shutting down.
    pub fn poll(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            let mut guard = ready!(self.inner.poll_read_ready(cx))?;
            if cfg!(target_os = "linux") || guard.ready().is_read_closed() {
                return Poll::Ready(Ok(()));
            }
            guard.clear_ready();
        }
    }
}

/// A descriptor that can be read once there is a hang-up.
///
/// An epoll of its own that asks for nothing: the kernel reports a hang-up all the same. The reactor always asks for
/// something, and whatever that is: the kernel wakes it with every connection, to find that it was not meant (a listening
/// socket announces a connection as every kind of input, priority included).
#[cfg(target_os = "linux")]
fn hang_up_only(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let epoll = epoll::create(CreateFlags::CLOEXEC)?;
    epoll::add(&epoll, fd, EventData::new_u64(0), EventFlags::empty())?;
    Ok(epoll)
}

#[cfg(not(target_os = "linux"))]
fn hang_up_only(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    fd.try_clone_to_owned()
}
