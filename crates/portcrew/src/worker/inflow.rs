//! The one queue between the driver and whoever accepts: connections of one listener.

use std::collections::VecDeque;
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use portcrew_core::ConnId;

use crate::link::{Bell, Ticket, Waiters};
use crate::net::exclusive::Watch;
use crate::net::unix_path::SocketFile;

/// A listener's connections. The driver puts them in, any number of tasks takes them out, and what was taken
/// is told to the driver at its next turn.
pub(crate) struct Inflow {
    state: Mutex<State>,
    bell: Arc<Bell>,
}

#[derive(Default)]
struct State {
    /// May be taken.
    ready: VecDeque<Arrived>,
    /// To be answered before they may be taken.
    held: VecDeque<Arrived>,
    /// Taken since the driver last asked.
    taken: Vec<ConnId>,
    waiters: Waiters,
    closed: bool,
    /// Told when somebody begins to wait or gives up: the thread of a shared listener.
    watch: Option<Arc<Watch>>,
    /// Removed when it closes, before its socket is closed.
    file: Option<SocketFile>,
    /// What else is to be done when it closes.
    at_close: Option<Box<dyn FnOnce() + Send>>,
}

#[derive(Debug)]
struct Arrived {
    socket: OwnedFd,
    /// The primary waits for an answer about it.
    conn: Option<ConnId>,
}

impl Inflow {
    pub(crate) fn new(bell: Arc<Bell>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), bell })
    }

    /// Sets what is done when this is closed; at once when it is closed already.
    pub(crate) fn at_close(&self, action: impl FnOnce() + Send + 'static) {
        let mut state = self.lock();
        if state.closed {
            drop(state);
            action();
        } else {
            state.at_close = Some(Box::new(action));
        }
    }

    /// Lets the socket file of this listener end with it.
    pub(crate) fn own(&self, file: SocketFile) {
        let mut state = self.lock();
        if !state.closed {
            state.file = Some(file);
        }
    }

    /// The socket file is the user's from now on.
    pub(crate) fn disown_file(&self) {
        let file = self.lock().file.take();
        std::mem::forget(file);
    }

    /// Sets who is told when somebody begins to wait or gives up, until it is closed.
    pub(crate) fn watched_by(&self, watch: Arc<Watch>) {
        let mut state = self.lock();
        if !state.closed {
            state.watch = Some(watch);
        }
    }

    /// A connection that may be taken at once: also after the close, for what a thread accepted last.
    pub(crate) fn deliver(&self, socket: OwnedFd, conn: Option<ConnId>) {
        let mut state = self.lock();
        state.ready.push_back(Arrived { socket, conn });
        let woken = state.waiters.wake_one();
        drop(state);
        woken.wake();
    }

    /// A connection that is to be answered before it may be taken.
    pub(crate) fn hold(&self, socket: OwnedFd, conn: ConnId) {
        self.lock().held.push_back(Arrived { socket, conn: Some(conn) });
    }

    /// A held connection was answered: it may be taken.
    pub(crate) fn release(&self, conn: ConnId) {
        let mut state = self.lock();
        let place = state.held.iter().position(|it| it.conn == Some(conn));
        let Some(Arrived { socket, .. }) = place.and_then(|place| state.held.remove(place)) else {
            return;
        };
        state.ready.push_back(Arrived { socket, conn: None });
        let woken = state.waiters.wake_one();
        drop(state);
        woken.wake();
    }

    /// What was taken, and which of the held ones somebody waits for.
    pub(crate) fn collect(&self, taken: &mut Vec<ConnId>, wanted: &mut Vec<ConnId>) {
        let mut state = self.lock();
        taken.append(&mut state.taken);
        let unserved = state.waiters.count().saturating_sub(state.ready.len());
        wanted.extend(state.held.iter().take(unserved).filter_map(|it| it.conn));
    }

    /// Ends it. What the primary can still give to others comes back as its numbers, its sockets closed;
    /// the rest can still be taken.
    pub(crate) fn close(&self) -> Vec<ConnId> {
        let mut state = self.lock();
        state.closed = true;
        let (owed, kept): (VecDeque<_>, VecDeque<_>) =
            state.ready.drain(..).partition(|it| it.conn.is_some());
        state.ready = kept;
        let untaken = owed.into_iter().chain(state.held.drain(..)).collect();
        self.end(state);
        close_all(untaken)
    }

    /// Ends it when the primary is gone: nobody else can have what has arrived, so all can still be taken.
    pub(crate) fn close_orphaned(&self) {
        let mut state = self.lock();
        state.closed = true;
        let held = std::mem::take(&mut state.held);
        state.ready.extend(held);
        state.ready.iter_mut().for_each(|it| it.conn = None);
        self.end(state);
    }

    fn end(&self, mut state: MutexGuard<'_, State>) {
        let at_close = state.at_close.take();
        let watch = state.watch.take();
        let file = state.file.take();
        drop(state);
        drop(file);
        drop(watch);
        // Before anybody is woken: it may bring one connection more.
        if let Some(action) = at_close {
            action();
        }
        let everybody = self.lock().waiters.take_all();
        everybody.into_iter().for_each(Waker::wake);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// Whether somebody waits for a connection and none is there.
    pub(crate) fn is_in_demand(&self) -> bool {
        let state = self.lock();
        !state.closed && state.waiters.count() > state.ready.len()
    }

    /// The next connection; `None` when it is closed and empty. The caller is woken through the
    /// ticket of its [`Place`], or else through the one slot.
    pub(crate) fn poll_next(
        &self,
        cx: &mut Context<'_>,
        ticket: Option<&mut Option<Ticket>>,
    ) -> Poll<Option<OwnedFd>> {
        let mut state = self.lock();
        if let Some(arrived) = state.ready.pop_front() {
            // Who has been served waits no more, whether it was woken for this one or came by itself.
            if let Some(served) = ticket.and_then(Option::take) {
                state.waiters.leave(served);
            }
            return Poll::Ready(Some(self.hand_out(state, arrived)));
        }
        if state.closed {
            return Poll::Ready(None);
        }
        match ticket {
            Some(ticket) => state.waiters.wait(ticket, cx.waker()),
            None => state.waiters.wait_in_slot(cx.waker()),
        }
        let wanted = !state.held.is_empty();
        let watch = state.watch.clone();
        drop(state);
        if let Some(watch) = watch {
            watch.demand_changed();
        }
        if wanted {
            self.bell.ring();
        }
        Poll::Pending
    }

    fn hand_out(&self, mut state: MutexGuard<'_, State>, arrived: Arrived) -> OwnedFd {
        let Arrived { socket, conn } = arrived;
        let first = state.taken.is_empty() && conn.is_some();
        state.taken.extend(conn);
        // Until now this one counted as there for anybody who waits, although somebody was woken for it: the
        // demand of the others shows only now.
        let unserved = state.waiters.count() > state.ready.len();
        let wanted = unserved && !state.held.is_empty();
        let watch = state.watch.clone().filter(|_| unserved);
        drop(state);
        if let Some(watch) = watch {
            watch.demand_changed();
        }
        if first || wanted {
            self.bell.ring();
        }
        socket
    }

    /// The next connection; `None` when it is closed and empty. Cancel safe.
    pub(crate) async fn next(&self) -> Option<OwnedFd> {
        let mut place = Place::new(self);
        std::future::poll_fn(|cx| self.poll_next(cx, Some(place.ticket()))).await
    }

    /// Gives a place up.
    fn leave(&self, ticket: Ticket) {
        let mut state = self.lock();
        // Woken and then cancelled: another is to have it.
        let owed = !state.waiters.leave(ticket) && !state.ready.is_empty();
        let woken = owed.then(|| state.waiters.wake_one());
        let watch = state.watch.clone();
        drop(state);
        // A listener left armed would take a connection that nobody here wants.
        if let Some(watch) = watch {
            watch.demand_changed();
        }
        if let Some(woken) = woken {
            woken.wake();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds this lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who waits for the next connection, and gives up the place when dropped.
pub(crate) struct Place<'a> {
    inflow: &'a Inflow,
    ticket: Option<Ticket>,
}

impl<'a> Place<'a> {
    pub(crate) fn new(inflow: &'a Inflow) -> Self {
        Self { inflow, ticket: None }
    }

    pub(crate) fn ticket(&mut self) -> &mut Option<Ticket> {
        &mut self.ticket
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if let Some(ticket) = self.ticket {
            self.inflow.leave(ticket);
        }
    }
}

/// Closes our copies before the primary learns that it may give the connections to others.
fn close_all(untaken: Vec<Arrived>) -> Vec<ConnId> {
    untaken.into_iter().filter_map(|it| it.conn).collect()
}

impl fmt::Debug for Inflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("Inflow")
            .field("ready", &state.ready.len())
            .field("held", &state.held.len())
            .field("closed", &state.closed)
            .finish_non_exhaustive()
    }
}
