//! Waiting for one connection among many processes, so that only one of them wakes.
//!
//! An epoll descriptor that is itself watched by another epoll wakes everybody: its wait is not exclusive.
//! Only a thread that sleeps in `epoll_wait` on its own epoll, to which the listener was added with
//! EPOLLEXCLUSIVE, is passed over when another was woken already. So in a crowd a shared listener has such a thread. The
//! listener is in its epoll only while somebody wants a connection, so a process that is busy is not woken at
//! all. Who begins to want one adds the listener without waking the thread: a connection costs it one sleep.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{fmt, io};

use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;

use super::accept::{accept, classify};
use portcrew_core::primary::AcceptFailure;

/// Workers up to which a shared listener is waited for plainly. A plain wait wakes them all for each
/// connection, but costs no thread: with so few the thread costs more than the herd.
pub(crate) const PLAIN_WAITERS: u32 = 4;

/// The stack of the thread, in bytes. It calls nothing deep.
const STACK_BYTES: usize = 128 * 1024;

/// How long it rests when a connection cannot be accepted for want of descriptors or memory.
const REST: Duration = Duration::from_millis(50);

const LISTENER: u64 = 0;
const BELL: u64 = 1;

/// Whoever wants the connections.
pub(crate) trait Taker: Send + Sync + 'static {
    /// Whether somebody waits for one.
    fn is_in_demand(&self) -> bool;
    /// Takes one.
    fn take(&self, connection: OwnedFd);
}

/// The thread. Dropping this ends it and waits for its end, which takes no longer than one accept.
#[derive(Debug)]
pub(crate) struct ExclusiveAccept {
    watch: Arc<Watch>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and those who want connections share.
pub(crate) struct Watch {
    epoll: OwnedFd,
    listener: Arc<OwnedFd>,
    taker: Arc<dyn Taker>,
    /// Whether the listener is in the epoll. Held from the question about demand to what follows from it, so
    /// that of two who ask at once the later answer stands.
    armed: Mutex<bool>,
    /// Wakes the thread for other reasons than a connection.
    bell: OwnedFd,
    stopped: AtomicBool,
}

impl ExclusiveAccept {
    /// Starts the thread for a listening socket in non-blocking mode.
    pub(crate) fn start(listener: Arc<OwnedFd>, taker: Arc<dyn Taker>) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        let bell = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        epoll::add(&epoll, &bell, EventData::new_u64(BELL), EventFlags::IN)?;
        let armed = Mutex::new(false);
        let stopped = AtomicBool::new(false);
        let watch = Arc::new(Watch { epoll, listener, taker, armed, bell, stopped });
        let waiting = Arc::clone(&watch);
        let thread = std::thread::Builder::new()
            .name("portcrew-accept".to_owned())
            .stack_size(STACK_BYTES)
            .spawn(move || waiting.run())?;
        Ok(Self { watch, thread: Some(thread) })
    }

    /// To be told when somebody begins to want a connection.
    pub(crate) fn watch(&self) -> Arc<Watch> {
        Arc::clone(&self.watch)
    }
}

impl Drop for ExclusiveAccept {
    fn drop(&mut self) {
        self.watch.stopped.store(true, Ordering::Release);
        self.watch.ring();
        if let Some(thread) = self.thread.take() {
            // It does not panic; if it did, it has ended all the same.
            let _ = thread.join();
        }
    }
}

impl Watch {
    /// Somebody begins to want a connection: lets the thread wait for one.
    pub(crate) fn demand_changed(&self) {
        if self.settle().is_err() {
            // The kernel lacks memory: the thread tries again.
            self.ring();
        }
    }

    fn run(&self) {
        loop {
            let settled = self.settle();
            if settled.is_err() {
                self.rest();
            }
            let Ok(connection) = self.sleep(settled.is_ok()) else { return };
            // Even when it is also to stop: nobody else was woken for this connection.
            if connection && self.accept_one().is_err() {
                self.rest();
            }
            if self.stopped.load(Ordering::Acquire) {
                return;
            }
        }
    }

    /// Has the listener in the epoll exactly while a connection is wanted. A connection that comes while the
    /// thread is on its way here is none of its business: the kernel wakes another who sleeps.
    fn settle(&self) -> io::Result<()> {
        // Nothing panics while it holds this lock.
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = self.taker.is_in_demand();
        match (*armed, wanted) {
            (false, true) => {
                let exclusive = EventFlags::IN | EventFlags::EXCLUSIVE;
                epoll::add(&self.epoll, &self.listener, EventData::new_u64(LISTENER), exclusive)?;
            }
            (true, false) => epoll::delete(&self.epoll, &self.listener)?,
            (true, true) | (false, false) => {}
        }
        *armed = wanted;
        Ok(())
    }

    /// Whether there is a connection.
    fn sleep(&self, for_long: bool) -> io::Result<bool> {
        let mut events = Vec::with_capacity(2);
        let limit = if for_long { None } else { Some(&Timespec { tv_sec: 0, tv_nsec: 0 }) };
        match epoll::wait(&self.epoll, spare_capacity(&mut events), limit) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        if events.iter().any(|event| event.data.u64() == BELL) {
            // Silent again; that it rang is known by now.
            let _ = rustix::io::read(&self.bell, &mut [0; 8]);
        }
        Ok(events.iter().any(|event| event.data.u64() == LISTENER))
    }

    /// One and no more: each of the others was woken for one of its own.
    fn accept_one(&self) -> io::Result<()> {
        match accept(self.listener.as_fd()) {
            Ok((connection, _)) => self.taker.take(connection),
            Err(error) => match classify(&error) {
                // Another was faster, or the client has gone: back to sleep.
                None | Some(AcceptFailure::Connection) => {}
                Some(AcceptFailure::Descriptors | AcceptFailure::Resource) => return Err(error),
            },
        }
        Ok(())
    }

    /// Waits for the bell alone.
    fn rest(&self) {
        let rest = Timespec::try_from(REST).ok();
        let mut bell = [PollFd::new(&self.bell, PollFlags::IN)];
        // However it ends, the next sleep sees what there is to see.
        let _ = poll(&mut bell, rest.as_ref());
    }

    fn ring(&self) {
        // A counter at its maximum is readable, which is all that matters.
        let _ = rustix::io::write(&self.bell, &1_u64.to_ne_bytes());
    }
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("listener", &self.listener).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
