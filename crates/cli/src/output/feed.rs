//! Events for those who listen on the control socket: each has a bounded queue of its own.
//!
//! Who reads too slowly loses the newest events and is told how many; nobody waits for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// Lines that may wait for one reader.
const MOST_LINES: usize = 1024;

/// Bytes that may wait for one reader: messages of workers are as long as their workers want.
const MOST_BYTES: usize = 1024 * 1024;

/// Readers at once. Beyond it a reader is refused.
pub(crate) const MOST_READERS: usize = 8;

/// The writing end.
#[derive(Debug, Default)]
pub(crate) struct Feed {
    readers: Mutex<Vec<Arc<Queue>>>,
}

/// What one reader finds next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A line, newline included.
    Line(Arc<[u8]>),
    /// So many were dropped here.
    Dropped(u64),
}

/// One reader's end. Dropping it ends the reading.
#[derive(Debug)]
pub(crate) struct Subscription {
    feed: Arc<Feed>,
    queue: Arc<Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    lines: VecDeque<Arc<[u8]>>,
    bytes: usize,
    /// Dropped behind the last line that waits.
    dropped: u64,
    over: bool,
}

impl Feed {
    /// Whether a line would be read by anybody.
    pub(crate) fn is_read(&self) -> bool {
        !lock(&self.readers).is_empty()
    }

    /// Gives a line to every reader. Never blocks.
    pub(crate) fn push(&self, line: &[u8]) {
        let line: Arc<[u8]> = line.into();
        for reader in lock(&self.readers).iter() {
            reader.push(&line);
        }
    }

    /// A new reader; `None` when there are as many as there may be.
    pub(crate) fn subscribe(self: &Arc<Self>) -> Option<Subscription> {
        let mut readers = lock(&self.readers);
        if readers.len() >= MOST_READERS {
            return None;
        }
        let queue = Arc::<Queue>::default();
        readers.push(Arc::clone(&queue));
        Some(Subscription { feed: Arc::clone(self), queue })
    }

    /// Nothing more comes: readers find their end behind what waits for them.
    pub(crate) fn close(&self) {
        for reader in lock(&self.readers).iter() {
            lock(&reader.state).over = true;
            reader.changed.notify_one();
        }
    }
}

impl Subscription {
    /// What comes next; `None` at the end. Cancel safe.
    pub(crate) async fn next(&mut self) -> Option<Piece> {
        loop {
            // One permit is kept, so a change between the look and the wait is not missed.
            let changed = self.queue.changed.notified();
            if let Some(found) = self.queue.take() {
                return found;
            }
            changed.await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        lock(&self.feed.readers).retain(|it| !Arc::ptr_eq(it, &self.queue));
    }
}

impl Queue {
    fn push(&self, line: &Arc<[u8]>) {
        let mut state = lock(&self.state);
        // After the first drop all else is dropped until the reader has caught up: the gap is in one place.
        let full = state.dropped > 0
            || state.lines.len() >= MOST_LINES
            || state.bytes + line.len() > MOST_BYTES;
        if full {
            state.dropped += 1;
        } else {
            state.bytes += line.len();
            state.lines.push_back(Arc::clone(line));
        }
        self.changed.notify_one();
    }

    /// `None` when there is nothing yet, `Some(None)` at the end.
    fn take(&self) -> Option<Option<Piece>> {
        let mut state = lock(&self.state);
        if let Some(line) = state.lines.pop_front() {
            state.bytes -= line.len();
            return Some(Some(Piece::Line(line)));
        }
        match std::mem::take(&mut state.dropped) {
            0 if state.over => Some(None),
            0 => None,
            count => Some(Some(Piece::Dropped(count))),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing panics while it holds one of these locks.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(reader: &Subscription) -> Option<Option<Piece>> {
        reader.queue.take()
    }

    #[test]
    fn a_reader_that_is_too_slow_is_told_how_much_it_missed_and_the_others_miss_nothing() {
        let feed = Arc::<Feed>::default();
        let (slow, quick) = (feed.subscribe().unwrap(), feed.subscribe().unwrap());
        for _ in 0..MOST_LINES + 7 {
            feed.push(b"x\n");
            assert_eq!(take(&quick), Some(Some(Piece::Line((*b"x\n").into()))));
        }
        for _ in 0..MOST_LINES {
            assert!(matches!(take(&slow), Some(Some(Piece::Line(_)))));
        }
        assert_eq!(take(&slow), Some(Some(Piece::Dropped(7))));
        assert_eq!(take(&slow), None);
        feed.close();
        assert_eq!(take(&slow), Some(None));
    }

    #[test]
    fn long_lines_are_bounded_by_their_bytes() {
        let feed = Arc::<Feed>::default();
        let reader = feed.subscribe().unwrap();
        for _ in 0..3 {
            feed.push(&vec![b'x'; MOST_BYTES / 2]);
        }
        assert!(matches!(take(&reader), Some(Some(Piece::Line(_)))));
        assert!(matches!(take(&reader), Some(Some(Piece::Line(_)))));
        assert_eq!(take(&reader), Some(Some(Piece::Dropped(1))));
    }

    #[test]
    fn readers_are_limited_and_one_that_leaves_makes_room() {
        let feed = Arc::<Feed>::default();
        let mut readers: Vec<_> = (0..MOST_READERS).map(|_| feed.subscribe().unwrap()).collect();
        assert!(feed.subscribe().is_none());
        readers.pop();
        assert!(feed.subscribe().is_some());
        readers.clear();
        assert!(!feed.is_read());
    }
}
