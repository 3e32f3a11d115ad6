//! How much may wait for a user who does not read.

use std::sync::atomic::{AtomicUsize, Ordering};

use rustix::process::{Resource, getrlimit};

use super::{Counted, Received};
use crate::{EVENTS_BYTES, EVENTS_LIMIT, Handle, Message, Request};

/// Of the descriptors that this process may have open, waiting sockets take one in this many at most: whoever does
/// not read goes on accepting and starting others.
const SHARE_OF_DESCRIPTORS: usize = 4;

/// What one thing that waits takes, beside its place.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Load {
    bytes: usize,
    sockets: usize,
}

/// What waits in one queue, and how much may. One adds and one at a time removes, so that no figure has two writers.
#[derive(Debug)]
pub(crate) struct Unread {
    added: Sum,
    removed: Sum,
    most: Load,
}

/// What one side has counted since the beginning. It wraps.
#[derive(Debug, Default)]
struct Sum {
    bytes: AtomicUsize,
    sockets: AtomicUsize,
}

impl Load {
    pub(crate) fn of(received: &Received) -> Self {
        match received {
            Received::Message { message, handle, counted } => {
                Self::of_message(message, handle.as_ref(), counted.as_ref())
            }
            Received::Request(request) => Self::of_request(request),
            Received::Error(_) | Received::Lagged { .. } => Self::default(),
        }
    }

    pub(crate) fn of_message(
        message: &Message,
        handle: Option<&Handle>,
        counted: Option<&Counted>,
    ) -> Self {
        let key = counted.map_or(0, |it| it.key().len());
        Self { bytes: message.as_bytes().len() + key, sockets: usize::from(handle.is_some()) }
    }

    pub(crate) fn of_request(request: &Request) -> Self {
        Self { bytes: request.as_str().len(), sockets: 0 }
    }
}

impl Unread {
    /// Takes room for one more. False when there is none.
    pub(crate) fn add(&self, load: Load) -> bool {
        let now = self.now();
        let fits = now.bytes.saturating_add(load.bytes) <= self.most.bytes
            && now.sockets + load.sockets <= self.most.sockets;
        // Only the driver adds, so nobody can have taken the room meanwhile. What takes none always fits.
        if load != Load::default() && !fits {
            return false;
        }
        self.added.add(load);
        true
    }

    /// It was read. To be called under the lock of the queue, or by its only reader.
    pub(crate) fn remove(&self, load: Load) {
        self.removed.add(load);
    }

    fn now(&self) -> Load {
        let (added, removed) = (self.added.get(), self.removed.get());
        Load {
            bytes: added.bytes.wrapping_sub(removed.bytes),
            sockets: added.sockets.wrapping_sub(removed.sockets),
        }
    }

    fn at_most(most: Load) -> Self {
        Self { added: Sum::default(), removed: Sum::default(), most }
    }
}

impl Sum {
    /// Not in one step: nobody else writes.
    fn add(&self, load: Load) {
        let now = self.get();
        self.bytes.store(now.bytes.wrapping_add(load.bytes), Ordering::Relaxed);
        self.sockets.store(now.sockets.wrapping_add(load.sockets), Ordering::Relaxed);
    }

    fn get(&self) -> Load {
        Load {
            bytes: self.bytes.load(Ordering::Relaxed),
            sockets: self.sockets.load(Ordering::Relaxed),
        }
    }
}

impl Default for Unread {
    fn default() -> Self {
        let descriptors = getrlimit(Resource::Nofile).current;
        let descriptors = descriptors.and_then(|it| usize::try_from(it).ok());
        let sockets = descriptors.map_or(EVENTS_LIMIT, |it| it / SHARE_OF_DESCRIPTORS);
        Self::at_most(Load { bytes: EVENTS_BYTES, sockets: sockets.max(1) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_until_either_limit_and_again_when_something_was_read() {
        let unread = Unread::at_most(Load { bytes: 10, sockets: 2 });
        let socket = Load { bytes: 1, sockets: 1 };
        assert!(unread.add(socket) && unread.add(socket) && !unread.add(socket));
        let text = Load { bytes: 8, sockets: 0 };
        assert!(unread.add(text) && !unread.add(text));
        assert!(unread.add(Load::default()), "what takes no room has it");
        unread.remove(text);
        unread.remove(socket);
        assert!(unread.add(socket) && unread.add(text) && !unread.add(socket));
    }

    #[test]
    fn sockets_that_wait_leave_most_descriptors_to_others() {
        let unread = Unread::default();
        let limit = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
        assert!(unread.most.sockets >= 1);
        assert!(u64::try_from(unread.most.sockets).unwrap() <= limit / 4);
    }
}
