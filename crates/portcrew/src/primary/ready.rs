//! Which of many sources is ready, without asking each: every source has a waker that puts it on a list.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Wake, Waker};

use portcrew_core::{ConnId, ListenerId, WorkerId};

/// Something that the driver waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// A listening socket has connections.
    Listener(ListenerId),
    /// A listening socket that workers have too was shut down.
    Shared(ListenerId),
    /// A connection has come to one of the sockets over which the kernel spreads them.
    Stirred(ListenerId),
    /// A worker's channel can be read, or written again.
    Channel(WorkerId),
    /// A worker's lane can be read, or written again.
    Lane(WorkerId),
    /// A worker's process has ended.
    Process(WorkerId),
    /// The first bytes of a connection have arrived.
    Look(ConnId),
    /// The kernel tells of connections that have ended.
    Ends,
}

/// The list of sources that are ready.
#[derive(Debug, Default)]
pub(super) struct ReadySet {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    list: Mutex<Vec<Arc<SourceWaker>>>,
    driver: Mutex<Option<Waker>>,
}

#[derive(Debug)]
struct SourceWaker {
    source: Source,
    /// It is on the list already.
    listed: AtomicBool,
    shared: Arc<Shared>,
}

impl ReadySet {
    /// A waker for `source`. The source is on the list from the start: its first poll registers it.
    pub(super) fn waker(&self, source: Source) -> Waker {
        let shared = Arc::clone(&self.shared);
        let waker =
            Waker::from(Arc::new(SourceWaker { source, listed: AtomicBool::new(false), shared }));
        waker.wake_by_ref();
        waker
    }

    /// Whom to wake when the list gets its first entry.
    pub(super) fn register(&self, driver: &Waker) {
        let mut slot = lock(&self.shared.driver);
        if !slot.as_ref().is_some_and(|it| it.will_wake(driver)) {
            *slot = Some(driver.clone());
        }
    }

    /// Moves the list into `out`. A source that becomes ready from now on is listed anew.
    pub(super) fn take(&self, out: &mut Vec<Source>) {
        out.extend(lock(&self.shared.list).drain(..).map(|waker| {
            // Before the source is polled: a wake during the poll must not be lost.
            waker.listed.store(false, Ordering::Release);
            waker.source
        }));
    }
}

impl Wake for SourceWaker {
    fn wake(self: Arc<Self>) {
        Self::wake_by_ref(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.listed.swap(true, Ordering::AcqRel) {
            return;
        }
        lock(&self.shared.list).push(Arc::clone(self));
        let driver = lock(&self.shared.driver).clone();
        if let Some(driver) = driver {
            driver.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in this file panics while it holds a lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_listed_once_until_it_is_taken() {
        let ready = ReadySet::default();
        let waker = ready.waker(Source::Channel(WorkerId(1)));
        waker.wake_by_ref();
        waker.wake_by_ref();
        let mut out = Vec::new();
        ready.take(&mut out);
        assert_eq!(out, [Source::Channel(WorkerId(1))]);
        out.clear();
        ready.take(&mut out);
        assert!(out.is_empty());
        waker.wake();
        ready.take(&mut out);
        assert_eq!(out.len(), 1);
    }
}
