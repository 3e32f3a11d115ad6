//! What has arrived and the user has not taken yet, bounded.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};

use super::{Load, Received, Ticket, Unread, Waiters};
use crate::EVENTS_LIMIT;

/// A queue between the driver and whoever calls `recv`.
#[derive(Debug, Default)]
pub(crate) struct Arrivals {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    queue: VecDeque<Received>,
    unread: Unread,
    waiters: Waiters,
    dropped: u64,
    closed: bool,
    /// Nobody is left who could read.
    abandoned: bool,
}

impl Arrivals {
    /// A user who does not read never delays anything: beyond the limit the newest are dropped, and their
    /// number is the next thing that the user is told.
    pub(crate) fn deliver(&self, received: Received) {
        let mut state = self.lock();
        if state.abandoned {
            drop(state);
            // After the lock: what it carries may look for another.
            drop(received);
            return;
        }
        if state.queue.len() >= EVENTS_LIMIT || !state.unread.add(Load::of(&received)) {
            state.dropped += 1;
            drop(state);
            // After the lock: what it carries may look for another.
            drop(received);
            return;
        }
        if state.dropped > 0 {
            let dropped = std::mem::take(&mut state.dropped);
            state.queue.push_back(Received::Lagged { dropped });
        }
        state.queue.push_back(received);
        let woken = state.waiters.wake_one();
        drop(state);
        woken.wake();
    }

    /// The next one; `None` after the last.
    pub(crate) async fn next(&self) -> Option<Received> {
        let mut place = Place { arrivals: self, ticket: None };
        poll_fn(|cx| place.poll(cx.waker())).await
    }

    /// Nothing more comes: what came before can still be read.
    pub(crate) fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let everybody = state.waiters.take_all();
        drop(state);
        everybody.into_iter().for_each(Waker::wake);
    }

    /// Nobody is left who could read: what is there and what still comes is dropped, sockets closed.
    pub(crate) fn abandon(&self) {
        let mut state = self.lock();
        state.abandoned = true;
        let unread = std::mem::take(&mut state.queue);
        drop(state);
        // After the lock, as above.
        drop(unread);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing in this file panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for the next one, and gives up the place when dropped.
struct Place<'a> {
    arrivals: &'a Arrivals,
    ticket: Option<Ticket>,
}

impl Place<'_> {
    fn poll(&mut self, waker: &Waker) -> Poll<Option<Received>> {
        let mut state = self.arrivals.lock();
        if let Some(received) = state.queue.pop_front() {
            state.unread.remove(Load::of(&received));
            return Poll::Ready(Some(received));
        }
        if state.dropped > 0 {
            let dropped = std::mem::take(&mut state.dropped);
            return Poll::Ready(Some(Received::Lagged { dropped }));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        state.waiters.wait(&mut self.ticket, waker);
        Poll::Pending
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut state = self.arrivals.lock();
        // Woken and then cancelled, or served by another's wake: the next one is to look.
        if !state.waiters.leave(ticket) && !state.queue.is_empty() {
            let woken = state.waiters.wake_one();
            drop(state);
            woken.wake();
        }
    }
}
