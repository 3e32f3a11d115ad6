//! Who waits at which of many listening sockets, told once for each until it is asked for again.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll};

use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;

use crate::reactor::AsyncOwnedFd;

/// So many are asked for in one system call.
const BATCH: usize = 64;

/// Tells at which of the sockets that others accept from something waits: the first time, and then nothing until that
/// one is armed again. Under any traffic nobody is woken more often than sockets are armed, and without traffic never.
///
/// It is an epoll descriptor with a one-shot registration for each socket, which the reactor of tokio watches like any
/// other. The sockets' mode is left as it is, since that belongs to all who have them open.
#[derive(Debug)]
pub struct FirstArrivals {
    epoll: AsyncOwnedFd,
    /// Held open, for a registration would outlive the number of a socket that others have open too.
    sockets: BTreeMap<u64, Arc<OwnedFd>>,
}

impl FirstArrivals {
    /// Watches nothing yet.
    ///
    /// # Errors
    /// No tokio runtime is current, or a limit of the system is reached.
    ///
    /// # Panics
    /// As [`AsyncOwnedFd::new`].
    pub fn new() -> io::Result<Self> {
        let epoll = AsyncOwnedFd::new(epoll::create(CreateFlags::CLOEXEC)?)?;
        Ok(Self { epoll, sockets: BTreeMap::new() })
    }

    /// Watches a socket, armed, in place of the one that had this key. One at which something waits fires at once.
    ///
    /// # Errors
    /// The kernel refuses (no memory, or the user's limit of registrations); the socket is watched by another key
    /// already. Then nothing is watched by this key.
    pub fn add(&mut self, key: u64, socket: Arc<OwnedFd>) -> io::Result<()> {
        self.remove(key);
        epoll::add(&self.epoll, &socket, EventData::new_u64(key), ONCE)?;
        self.sockets.insert(key, socket);
        Ok(())
    }

    /// Arms a socket again. If something waits at it now it fires at once. Nothing for a key that is not there.
    ///
    /// # Errors
    /// The kernel has no memory.
    pub fn rearm(&self, key: u64) -> io::Result<()> {
        let Some(socket) = self.sockets.get(&key) else { return Ok(()) };
        Ok(epoll::modify(&self.epoll, socket, EventData::new_u64(key), ONCE)?)
    }

    /// Watches it no longer.
    pub fn remove(&mut self, key: u64) {
        if let Some(socket) = self.sockets.remove(&key) {
            // It is registered, as everything in the map is: that cannot fail.
            let _ = epoll::delete(&self.epoll, &socket);
        }
    }

    /// Waits until [`take`](Self::take) may have something. May be ready too early. It remembers one waker: all polls
    /// belong to one task.
    ///
    /// # Errors
    /// The runtime is shutting down.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.epoll.poll_read_ready(cx)
    }

    /// Adds the keys of all that have fired, without waiting. Each of them is disarmed.
    ///
    /// One that was shut down (`shutdown(2)`) is disarmed and not told, for nothing waits at it. Arm it again once it
    /// listens.
    ///
    /// # Errors
    /// The kernel refuses, which it does not for an epoll descriptor.
    pub fn take(&self, fired: &mut Vec<u64>) -> io::Result<()> {
        let mut events = Vec::with_capacity(BATCH);
        loop {
            events.clear();
            match self.epoll.try_read_io(|epoll| wait(epoll, &mut events)) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
            let listening =
                events.iter().filter(|event| !{ event.flags }.contains(EventFlags::HUP));
            fired.extend(listening.map(|event| event.data.u64()));
        }
    }
}

const ONCE: EventFlags = EventFlags::IN.union(EventFlags::ONESHOT);

/// Nothing there is `WouldBlock`, which makes the next poll wait for news.
fn wait(epoll: BorrowedFd<'_>, events: &mut Vec<epoll::Event>) -> io::Result<()> {
    let at_once = Timespec { tv_sec: 0, tv_nsec: 0 };
    loop {
        return match epoll::wait(epoll, spare_capacity(events), Some(&at_once)) {
            Ok(0) => Err(io::ErrorKind::WouldBlock.into()),
            Ok(_) => Ok(()),
            Err(Errno::INTR) => continue,
            Err(errno) => Err(errno.into()),
        };
    }
}
