//! Waiting for one connection among many processes, so that only one of them wakes.
//!
//! An epoll descriptor that is itself watched by another epoll wakes everybody: its wait is not exclusive.
//! Only a thread that sleeps in `epoll_wait` on its own epoll, to which the listener was added with
//! EPOLLEXCLUSIVE, is passed over when another was woken already. So a shared listener in a crowd has such a
//! thread. It sleeps there only while somebody wants a connection: a process that is busy is not woken at all.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use super::accept::{accept, classify};
use portcrew_core::primary::AcceptFailure;

/// How many Rust workers may wait for one socket by plain readiness; above it each has a thread. With few,
/// the wake-ups in vain cost less than the second switch.
pub(crate) const PLAIN_WAITERS: u32 = 4;

/// The stack of the thread, in bytes. It calls nothing deep.
const STACK_BYTES: usize = 128 * 1024;

/// How long it rests when a connection cannot be accepted for want of descriptors or memory.
const REST: Duration = Duration::from_millis(50);

const LISTENER: u64 = 0;
const STOP: u64 = 1;

/// Whoever wants the connections.
pub(crate) trait Taker: Send + Sync + 'static {
    /// Sleeps until a connection is wanted. False to end the thread.
    fn wait_for_demand(&self) -> bool;
    /// Takes one.
    fn take(&self, connection: OwnedFd);
}

/// The thread. Dropping this ends it and waits for its end, which takes no longer than one accept.
#[derive(Debug)]
pub(crate) struct ExclusiveAccept {
    stop: Arc<OwnedFd>,
    thread: Option<JoinHandle<()>>,
}

impl ExclusiveAccept {
    /// Starts the thread for a listening socket in non-blocking mode.
    pub(crate) fn start(listener: Arc<OwnedFd>, taker: Arc<dyn Taker>) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let exclusive = EventFlags::IN | EventFlags::EXCLUSIVE;
        epoll::add(&epoll, &listener, EventData::new_u64(LISTENER), exclusive)?;
        let stop = Arc::new(eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?);
        epoll::add(&epoll, &stop, EventData::new_u64(STOP), EventFlags::IN)?;
        let waiter = Waiter { epoll, listener, stop: Arc::clone(&stop), taker };
        let thread = std::thread::Builder::new()
            .name("portcrew-accept".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || waiter.run())?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for ExclusiveAccept {
    fn drop(&mut self) {
        // A counter at its maximum is readable, which is all that matters.
        let _ = rustix::io::write(&self.stop, &1_u64.to_ne_bytes());
        if let Some(thread) = self.thread.take() {
            // It does not panic; if it did, it has ended all the same.
            let _ = thread.join();
        }
    }
}

struct Waiter {
    epoll: OwnedFd,
    listener: Arc<OwnedFd>,
    stop: Arc<OwnedFd>,
    taker: Arc<dyn Taker>,
}

/// What one sleep brought.
#[derive(Default)]
struct Woken {
    connection: bool,
    stop: bool,
}

impl Waiter {
    fn run(self) {
        while self.taker.wait_for_demand() {
            let Ok(woken) = self.sleep() else { return };
            // Even when it is also to stop: nobody else was woken for this connection.
            if woken.connection && self.accept_one().is_err() {
                self.rest();
            }
            if woken.stop {
                return;
            }
        }
    }

    fn sleep(&self) -> io::Result<Woken> {
        let mut events = Vec::with_capacity(2);
        match epoll::wait(&self.epoll, spare_capacity(&mut events), None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut woken = Woken::default();
        for event in &events {
            match event.data.u64() {
                LISTENER => woken.connection = true,
                _ => woken.stop = true,
            }
        }
        Ok(woken)
    }

    /// One and no more: each of the others was woken for one of its own.
    fn accept_one(&self) -> io::Result<()> {
        match accept(self.listener.as_fd()) {
            Ok((connection, _)) => self.taker.take(connection),
            Err(error) => match classify(&error) {
                // Another was faster, or the client has gone: back to sleep.
                None | Some(AcceptFailure::Connection) => {}
                Some(AcceptFailure::Resource) => return Err(error),
            },
        }
        Ok(())
    }

    /// Waits for the stop alone.
    fn rest(&self) {
        let rest = Timespec::try_from(REST).ok();
        let mut stop = [PollFd::new(&*self.stop, PollFlags::IN)];
        // However it ends, the next sleep sees what there is to see.
        let _ = poll(&mut stop, rest.as_ref());
    }
}

#[cfg(test)]
mod tests;
