//! Registration with tokio's reactor: the one place where a descriptor of ours meets `AsyncFd`.
//!
//! Channel, lane and pidfd all wait for readiness through [`AsyncOwnedFd`], who only looks through [`Arrivals`], who
//! accepts through [`Listening`], and who only wants to know of the end through [`HangUp`]. All own their descriptor,
//! alone or with others, so the unsafe promise that tokio asks for (the number stays open and means the same thing) is
//! kept by their types.

mod arrivals;
mod hang_up;
mod listening;

use std::future::Future;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::pin::pin;
use std::task::{Context, Poll, ready};

use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio::runtime::Handle as RuntimeHandle;

pub use arrivals::Arrivals;
pub use hang_up::HangUp;
pub use listening::Listening;

/// An owned descriptor in non-blocking mode, registered for reading with the reactor of the current tokio runtime.
///
/// For writing it is registered only while somebody waits for room, by a duplicate of its own. The kernel
/// announces room each time the other end of a Unix socket has read something: a wake-up for every message,
/// and nearly always news for nobody.
///
/// The `poll_` methods remember one waker per direction, so all polls of one direction belong to one task.
#[derive(Debug)]
pub struct AsyncOwnedFd {
    inner: AsyncFd<OwnedFd>,
    /// Whoever waits for room waits here. Gone with the next write that does not block.
    room: Option<AsyncFd<OwnedFd>>,
}

impl AsyncOwnedFd {
    /// Sets `fd` non-blocking and registers it.
    ///
    /// # Errors
    /// No tokio runtime is current, or the kernel refuses (a regular file cannot be polled; no memory).
    ///
    /// # Panics
    /// The current runtime was built without its IO driver: a mistake in the program, as in tokio itself.
    pub fn new(fd: OwnedFd) -> io::Result<Self> {
        // Asked first, because tokio itself panics where there is no runtime.
        RuntimeHandle::try_current().map_err(io::Error::other)?;
        rustix::io::ioctl_fionbio(&fd, true)?;
        Ok(Self { inner: register(fd, Interest::READABLE)?, room: None })
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
        self.poll_read_all_io(cx, &mut read, |_| false)
    }

    /// As [`poll_read_io`](Self::poll_read_io). Where `is_all` sees from what was read that nothing is left, the next
    /// poll waits for news and does not ask the kernel again. (What came meanwhile is news: it was announced after.)
    ///
    /// # Errors
    /// As [`poll_read_io`](Self::poll_read_io).
    pub fn poll_read_all_io<R>(
        &self,
        cx: &mut Context<'_>,
        mut read: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
        is_all: impl Fn(&R) -> bool,
    ) -> Poll<io::Result<R>> {
        loop {
            let mut guard = ready!(self.inner.poll_read_ready(cx))?;
            if let Ok(result) = guard.try_io(|fd| read(fd.as_fd())) {
                if result.as_ref().is_ok_and(&is_all) {
                    guard.clear_ready();
                }
                return Poll::Ready(result);
            }
        }
    }

    /// Runs `write` until it does something else than block. Tries at once, without waiting for the reactor.
    ///
    /// One that blocks by a decision of its own must not do so after a hang-up: that readiness is never cleared.
    ///
    /// # Errors
    /// Those of `write`, other than `WouldBlock`; or those of [`poll_write_ready`](Self::poll_write_ready).
    pub fn poll_write_io<R>(
        &mut self,
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
    /// There is no descriptor or no memory to wait with: try again later. Or the runtime is shutting down.
    pub fn poll_write_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let room = match self.room.take() {
            Some(room) => room,
            // The kernel says at once how it stands, so nothing that came before is missed.
            None => register(self.inner.get_ref().try_clone()?, Interest::WRITABLE)?,
        };
        self.room.insert(room).poll_write_ready(cx).map_ok(drop)
    }

    /// Runs `read` once, now.
    ///
    /// # Errors
    /// Those of `read`; `WouldBlock` clears the readiness, so that the next poll waits for news.
    pub fn try_read_io<R>(
        &self,
        read: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> io::Result<R> {
        try_io(&self.inner, Interest::READABLE, read)
    }

    /// Runs `write` once, now.
    ///
    /// # Errors
    /// Those of `write`; `WouldBlock` clears the readiness, so that the next poll waits for news.
    pub fn try_write_io<R>(
        &mut self,
        mut write: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
    ) -> io::Result<R> {
        let Some(room) = &self.room else {
            return write(self.as_fd());
        };
        let result = try_io(room, Interest::WRITABLE, write);
        if !result.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::WouldBlock) {
            self.room = None;
        }
        result
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

fn register(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    // SAFETY: `OwnedFd` owns an open descriptor and answers `as_raw_fd` with the same number for its whole
    // life. It is stored inside the `AsyncFd`, which the types of this module and of its children never hand out
    // by `&mut`, so nobody can replace or close it while it is registered.
    let registered = unsafe { AsyncFd::register_with_interest(fd, interest) };
    Ok(registered?)
}

/// Tokio skips the operation where it has not seen readiness yet, but the kernel may know better: the
/// reactor has not run since. The operation must then happen *outside* tokio's call and must clear
/// nothing, else it could wipe out a readiness that arrived in between and sleep for ever.
fn try_io<R>(
    registered: &AsyncFd<OwnedFd>,
    interest: Interest,
    mut operation: impl FnMut(BorrowedFd<'_>) -> io::Result<R>,
) -> io::Result<R> {
    let mut ran = false;
    let result = registered.try_io(interest, |fd| {
        ran = true;
        operation(fd.as_fd())
    });
    if ran { result } else { operation(registered.get_ref().as_fd()) }
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
        let reader = AsyncOwnedFd::new(reader).unwrap();
        rustix::io::write(&writer, b"x").unwrap();
        let mut byte = [0];
        let read = reader.try_read_io(|fd| Ok(rustix::io::read(fd, &mut byte)?));
        assert_eq!(read.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_reader_wakes_when_bytes_arrive() {
        let (reader, writer) = rustix::pipe::pipe().unwrap();
        let reader = AsyncOwnedFd::new(reader).unwrap();
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

    /// How many descriptors for what `fd` is are watched for room by this process. (Tokio itself has each of its epolls
    /// open more than once.)
    #[cfg(target_os = "linux")]
    fn watched_for_room(fd: impl AsFd) -> usize {
        const EPOLLOUT: u32 = 4;
        let link = |number: &str| std::fs::read_link(format!("/proc/self/fd/{number}")).ok();
        let own = link(&std::os::fd::AsRawFd::as_raw_fd(&fd.as_fd()).to_string()).unwrap();
        let mut watched = std::collections::BTreeSet::new();
        for info in std::fs::read_dir("/proc/self/fdinfo").unwrap() {
            // One may be closed by another test meanwhile.
            let text = std::fs::read_to_string(info.unwrap().path()).unwrap_or_default();
            for line in text.lines() {
                let words: Vec<_> = line.split_ascii_whitespace().collect();
                let ["tfd:", number, "events:", events, ..] = words[..] else { continue };
                let events = u32::from_str_radix(events, 16).unwrap();
                if events & EPOLLOUT != 0 && link(number).is_some_and(|it| it == own) {
                    watched.insert(number.to_owned());
                }
            }
        }
        watched.len()
    }

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn room_is_watched_for_only_while_somebody_waits_for_it() {
        let (near, far) = crate::socket::pair_stream().unwrap();
        let mut near = AsyncOwnedFd::new(near).unwrap();
        let write = |fd: BorrowedFd<'_>| crate::socket::send(fd, &[0; 4096], &[]);
        while near.try_write_io(write).is_ok() {}
        assert_eq!(watched_for_room(&near), 0);
        poll_fn(|cx| {
            assert!(near.poll_write_io(cx, write).is_pending());
            Poll::Ready(())
        })
        .await;
        assert_eq!(watched_for_room(&near), 1);
        while crate::socket::recv(&far, &mut [0; 4096]).is_ok() {}
        poll_fn(|cx| near.poll_write_io(cx, write)).await.unwrap();
        assert_eq!(watched_for_room(&near), 0);
    }
}
