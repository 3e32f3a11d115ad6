//! The end of a connection, told to the primary by a guard that lives as long.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use portcrew_core::ConnId;

use crate::link::Bell;

/// Stands for an accepted connection towards a primary that counts what its workers have open: to be kept as long as
/// the connection. Comes from [`Listener::accept_told`](crate::Listener::accept_told).
///
/// The close of a socket is not visible from outside, so this value stands for it: dropping it tells the primary that
/// the connection has ended, whoever drops it, in whichever task or thread, before or after the listener is closed.
/// Dropped early, it is counted as ended at that moment; kept for ever, as open for as long as the worker lives.
/// Neither does any other harm.
///
/// It tells nothing where nobody counts: when the worker accepts for itself (a shared, exclusive or handed-over
/// listener), when it came from a Node primary, and once the channel is closed.
#[must_use = "dropped at once, it tells the primary that the connection has ended"]
pub struct Open {
    endings: Weak<Endings>,
    conn: ConnId,
}

/// Whether who accepts will say when the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tells {
    Yes,
    No,
}

/// The connections whose guards are gone since the driver last asked. As many as there were guards, so only what the
/// user holds bounds them.
#[derive(Debug)]
pub(crate) struct Endings {
    bell: Arc<Bell>,
    list: Mutex<List>,
}

#[derive(Debug, Default)]
struct List {
    ended: Vec<ConnId>,
    /// Nobody hears of them any more.
    closed: bool,
}

impl Open {
    /// Of a connection that nobody counts.
    pub(crate) const fn uncounted() -> Self {
        Self { endings: Weak::new(), conn: ConnId(0) }
    }

    pub(crate) fn new(endings: &Weak<Endings>, conn: ConnId) -> Self {
        Self { endings: Weak::clone(endings), conn }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(endings) = self.endings.upgrade() {
            endings.add(self.conn);
        }
    }
}

impl fmt::Debug for Open {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Open").finish_non_exhaustive()
    }
}

impl Endings {
    pub(crate) fn new(bell: Arc<Bell>) -> Arc<Self> {
        Arc::new(Self { bell, list: Mutex::default() })
    }

    /// Takes the list, for the driver.
    pub(super) fn take(&self) -> Vec<ConnId> {
        std::mem::take(&mut self.lock().ended)
    }

    /// Forgets the list and takes no more: nobody is left who would be told.
    pub(super) fn close(&self) {
        let mut list = self.lock();
        list.closed = true;
        list.ended = Vec::new();
    }

    fn add(&self, conn: ConnId) {
        let mut list = self.lock();
        if list.closed {
            return;
        }
        let first = list.ended.is_empty();
        list.ended.push(conn);
        drop(list);
        if first {
            self.bell.ring();
        }
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        // Nothing panics while it holds this lock.
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tells {
    pub(crate) fn is_yes(self) -> bool {
        self == Self::Yes
    }
}
