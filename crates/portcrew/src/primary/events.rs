//! The queue from the driver to the user: bounded, and what is dropped is counted and told.
//!
//! Messages can come and go by the million, so they take little room, are put in together and are taken out together:
//! one lock for many.

mod queued;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker, ready};

use portcrew_core::WorkerId;
use tokio::task::coop::poll_proceed;

use self::queued::Queued;
use crate::link::Unread;
use crate::{EVENTS_LIMIT, Event, Message};

/// Places that an empty queue keeps.
const KEPT: usize = 1024;

/// The driver's end.
#[derive(Debug)]
pub(super) struct Events {
    shared: Arc<Shared>,
    /// What the user does not know of yet.
    fresh: Vec<Queued>,
    /// All that were ever put in.
    added: u64,
    dropped: u64,
}

/// The user's end.
#[derive(Debug)]
pub(super) struct Queue {
    shared: Arc<Shared>,
    /// What was taken out together.
    taken: VecDeque<Queued>,
    /// All that were ever read.
    read: u64,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    unread: Unread,
    /// What the user's end says.
    read: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Queued>,
    waker: Option<Waker>,
    /// Nothing more comes.
    closed: bool,
    /// Nobody is left who could read.
    abandoned: bool,
}

pub(super) fn queue() -> (Events, Queue) {
    let shared = Arc::new(Shared::default());
    let events = Events { shared: Arc::clone(&shared), fresh: Vec::new(), added: 0, dropped: 0 };
    (events, Queue { shared, taken: VecDeque::new(), read: 0 })
}

impl Events {
    /// Queues an event. A user who does not read never delays a connection: the newest events are
    /// dropped, and their number is the next thing the user is told.
    pub(super) fn push(&mut self, event: Event) {
        self.add(Queued::Other(Box::new(event)));
        self.publish();
    }

    /// Queues a message in the same way. The user hears of it with the next [`publish`](Self::publish).
    pub(super) fn add_message(&mut self, worker: WorkerId, message: Message) {
        self.add(Queued::Message { worker, message });
    }

    /// Tells the user of what was added.
    pub(super) fn publish(&mut self) {
        if self.fresh.is_empty() {
            return;
        }
        let mut state = self.shared.lock();
        if state.abandoned {
            drop(state);
            // After the lock: what they carry may look for another.
            self.fresh.clear();
            return;
        }
        state.queue.extend(self.fresh.drain(..));
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn add(&mut self, queued: Queued) {
        let room = (EVENTS_LIMIT as u64).saturating_sub(self.added - self.shared.read());
        let lagged = self.dropped > 0;
        // What was dropped is told in a place of its own.
        if room <= u64::from(lagged) || !self.shared.unread.add(queued.load()) {
            self.dropped += 1;
            return;
        }
        if lagged {
            let dropped = std::mem::take(&mut self.dropped);
            self.fresh.push(Queued::Other(Box::new(Event::Lagged { dropped })));
            self.added += 1;
        }
        self.fresh.push(queued);
        self.added += 1;
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        self.publish();
        let mut state = self.shared.lock();
        state.closed = true;
        let waker = state.waker.take();
        drop(state);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Queue {
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        // Under a flood of events other tasks have their turn too.
        let budget = ready!(poll_proceed(cx));
        if self.taken.is_empty() && ready!(self.poll_take(cx)).is_none() {
            return Poll::Ready(None);
        }
        let event = self.taken.pop_front().map(|queued| {
            self.shared.unread.remove(queued.load());
            queued.into_event()
        });
        self.read += 1;
        self.shared.read.store(self.read, Ordering::Release);
        budget.made_progress();
        Poll::Ready(event)
    }

    /// Takes all that is there.
    fn poll_take(&mut self, cx: &Context<'_>) -> Poll<Option<()>> {
        self.taken.shrink_to(KEPT);
        let mut state = self.shared.lock();
        if state.queue.is_empty() {
            if state.closed {
                return Poll::Ready(None);
            }
            state.waker = Some(cx.waker().clone());
            return Poll::Pending;
        }
        std::mem::swap(&mut state.queue, &mut self.taken);
        Poll::Ready(Some(()))
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        let mut state = self.shared.lock();
        state.abandoned = true;
        let unread = std::mem::take(&mut state.queue);
        drop(state);
        // After the lock, as above.
        drop(unread);
    }
}

impl Shared {
    fn read(&self) -> u64 {
        self.read.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in this file panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
