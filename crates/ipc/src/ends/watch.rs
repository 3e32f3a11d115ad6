//! A socket that wakes for an error too.
//!
//! When messages are lost the kernel raises an error at the socket, and tells nothing more until a read has
//! taken the error and all that was left. Where the last message was read in the same moment, that error comes
//! alone: `EPOLLERR` without `EPOLLIN`, and tokio's polls for reading sleep through it. Nothing would ever be told
//! again. An epoll of our own has something to be read in both cases, and tokio watches that.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::task::{Context, Poll};

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};

use crate::reactor::AsyncOwnedFd;

/// A descriptor, and what wakes for it.
#[derive(Debug)]
pub(super) struct Watched {
    /// Ends before the descriptor that it watches.
    epoll: AsyncOwnedFd,
    fd: OwnedFd,
}

impl Watched {
    /// Registers `fd`, which is non-blocking, with the current runtime.
    ///
    /// # Errors
    /// No tokio runtime is current, or a limit of the system is reached.
    ///
    /// # Panics
    /// The current runtime was built without its IO driver.
    pub(super) fn new(fd: OwnedFd) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        // EPOLLERR is always reported. Nobody asks this epoll which descriptor it was: there is one.
        epoll::add(&epoll, &fd, EventData::new_u64(0), EventFlags::IN)?;
        Ok(Self { epoll: AsyncOwnedFd::new(epoll)?, fd })
    }

    /// Runs `read` once, now.
    ///
    /// # Errors
    /// Those of `read`; `WouldBlock` means that there is nothing, neither bytes nor an error.
    pub(super) fn try_read<R>(
        &self,
        mut read: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> io::Result<R> {
        self.epoll.try_read_io(|_| read(self.fd.as_fd()))
    }

    /// Waits for bytes or an error. May be ready too early, as in the reactor.
    pub(super) fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.epoll.poll_read_ready(cx)
    }
}

impl AsFd for Watched {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::poll_fn;
    use std::time::Duration;
    use tokio::time::timeout;

    #[tokio::test]
    async fn an_error_without_anything_to_be_read_wakes() {
        // The end that writes, when the one that reads is gone: EPOLLERR and nothing else.
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let writer = Watched::new(writer).unwrap();
        let waiting = tokio::spawn(async move { poll_fn(|cx| writer.poll_ready(cx)).await });
        tokio::task::yield_now().await;
        drop(reader);
        // No test depends on how long; it turns a hang into a failure.
        timeout(Duration::from_secs(30), waiting).await.expect("it wakes").unwrap().unwrap();
    }

    #[tokio::test]
    async fn bytes_wake_each_time_that_they_come_anew() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        rustix::io::ioctl_fionbio(&reader, true).unwrap();
        let reader = Watched::new(reader).unwrap();
        for _ in 0..3 {
            rustix::io::write(&writer, b"x").unwrap();
            poll_fn(|cx| reader.poll_ready(cx)).await.unwrap();
            let read = || reader.try_read(|fd| Ok(rustix::io::read(fd, &mut [0; 8])?));
            assert_eq!(read().unwrap(), 1);
            assert_eq!(read().unwrap_err().kind(), io::ErrorKind::WouldBlock);
        }
    }
}
