//! The one queue between the driver and whoever accepts: connections of one listener.

use std::collections::VecDeque;
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Waker};

use portcrew_core::ConnId;

use super::told::{Endings, Open, Tells};
use crate::link::{Bell, Ticket, Waiters};
use crate::net::exclusive::Watch;
use crate::net::unix_path::SocketFile;

/// A listener's connections. The driver puts them in, any number of tasks takes them out, and what was taken
/// is told to the driver at its next turn.
pub(crate) struct Inflow {
    state: Mutex<State>,
    bell: Arc<Bell>,
    /// Where the guards of its connections go that tell their end. Nowhere when it is no matter of the primary's.
    endings: Weak<Endings>,
}

#[derive(Default)]
struct State {
    /// May be taken.
    ready: VecDeque<Arrived>,
    /// To be answered before they may be taken.
    held: VecDeque<Held>,
    /// Taken since the driver last asked, and whether the end will be told.
    taken: Vec<(ConnId, Tells)>,
    /// What nobody can take any more, since the driver last asked. Their sockets are closed.
    returned: Vec<ConnId>,
    /// Somebody has asked for a connection without telling its end.
    is_plain: bool,
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
    owed: Owed,
}

/// What the primary waits for of a connection that is ready.
#[derive(Debug)]
enum Owed {
    Nothing,
    /// An answer, once somebody has taken it.
    Answer(ConnId),
    /// The word that it has ended: its answer has promised that.
    End(Open),
}

#[derive(Debug)]
struct Held {
    socket: OwnedFd,
    conn: ConnId,
    /// What its answer says, once somebody was found to wait for it.
    tells: Option<Tells>,
}

/// A connection, and the guard that tells its end, where that is told.
pub(crate) type Handed = (OwnedFd, Open);

impl Inflow {
    pub(crate) fn new(bell: Arc<Bell>) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), bell, endings: Weak::new() })
    }

    /// As [`new`](Self::new), where the end of a connection may be of interest to the primary.
    pub(crate) fn telling(bell: Arc<Bell>, endings: &Arc<Endings>) -> Arc<Self> {
        let endings = Arc::downgrade(endings);
        Arc::new(Self { state: Mutex::default(), bell, endings })
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

    /// A connection that may be taken at once: also after the close, for what a thread accepted last. One of the
    /// primary's goes back then.
    pub(crate) fn deliver(&self, socket: OwnedFd, conn: Option<ConnId>) {
        let state = self.lock();
        match conn {
            Some(conn) if state.closed => self.give_back(state, socket, conn),
            Some(conn) => make_ready(state, Arrived { socket, owed: Owed::Answer(conn) }),
            None => make_ready(state, Arrived { socket, owed: Owed::Nothing }),
        }
    }

    /// A connection that is to be answered before it may be taken. After the close it goes back.
    pub(crate) fn hold(&self, socket: OwnedFd, conn: ConnId) {
        let mut state = self.lock();
        if state.closed {
            return self.give_back(state, socket, conn);
        }
        state.held.push_back(Held { socket, conn, tells: None });
    }

    /// For a listener of which the driver does not know that it is closed: its user has the socket.
    fn give_back(&self, mut state: MutexGuard<'_, State>, socket: OwnedFd, conn: ConnId) {
        state.give_back(socket, conn);
        drop(state);
        self.bell.ring();
    }

    /// A held connection was answered: it may be taken.
    pub(crate) fn release(&self, conn: ConnId) {
        let mut state = self.lock();
        let place = state.held.iter().position(|it| it.conn == conn);
        let Some(Held { socket, tells, .. }) = place.and_then(|place| state.held.remove(place))
        else {
            return;
        };
        let owed = match tells {
            Some(Tells::Yes) => Owed::End(Open::new(&self.endings, conn)),
            Some(Tells::No) | None => Owed::Nothing,
        };
        make_ready(state, Arrived { socket, owed });
    }

    /// What was taken, and which of the held ones somebody waits for; and of which of them the end will be told.
    ///
    /// Who will have a held connection in the end is not known when it is answered. So its end is promised as long as
    /// all who ever asked for a connection here were ready to tell it.
    pub(crate) fn collect(
        &self,
        taken: &mut Vec<(ConnId, Tells)>,
        wanted: &mut Vec<(ConnId, Tells)>,
    ) {
        let mut guard = self.lock();
        let state = &mut *guard;
        taken.append(&mut state.taken);
        let unserved = state.waiters.count().saturating_sub(state.ready.len());
        let tells = if state.is_plain { Tells::No } else { Tells::Yes };
        for it in state.held.iter_mut().take(unserved) {
            // What was said once stands: it may be on its way by now.
            wanted.push((it.conn, *it.tells.get_or_insert(tells)));
        }
    }

    /// What is to go back to the primary although the driver did not close this.
    pub(crate) fn collect_returned(&self, returned: &mut Vec<ConnId>) {
        returned.append(&mut self.lock().returned);
    }

    /// Ends it. What the primary can still give to others comes back as its numbers, its sockets closed;
    /// the rest can still be taken.
    pub(crate) fn close(&self) -> Vec<ConnId> {
        let mut state = self.lock();
        state.give_back_all();
        let numbers = std::mem::take(&mut state.returned);
        self.end(state);
        numbers
    }

    /// Ends it where nobody will take anything any more, and without the driver, which goes on having it. What the
    /// primary can still give to others goes back, and so does what it offers from now on; the rest is closed.
    pub(crate) fn give_up(&self) {
        let mut state = self.lock();
        state.give_back_all();
        self.end(state);
        // Only now: the end may have brought one connection more.
        let unseen = std::mem::take(&mut self.lock().ready);
        // Not under the lock: a guard among them tells its end.
        drop(unseen);
        self.bell.ring();
    }

    /// Ends it when the primary is gone: nobody else can have what has arrived, so all can still be taken.
    pub(crate) fn close_orphaned(&self) {
        let mut state = self.lock();
        state.closed = true;
        for Held { socket, .. } in std::mem::take(&mut state.held) {
            state.ready.push_back(Arrived { socket, owed: Owed::Nothing });
        }
        for it in &mut state.ready {
            match it.owed {
                Owed::Answer(_) => it.owed = Owed::Nothing,
                // A guard tells nothing any more, by itself.
                Owed::Nothing | Owed::End(_) => {}
            }
        }
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
        tells: Tells,
    ) -> Poll<Option<Handed>> {
        let mut state = self.lock();
        state.is_plain |= tells == Tells::No;
        if let Some(arrived) = state.ready.pop_front() {
            // Who has been served waits no more, whether it was woken for this one or came by itself.
            if let Some(served) = ticket.and_then(Option::take) {
                state.waiters.leave(served);
            }
            return Poll::Ready(Some(self.hand_out(state, arrived, tells)));
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

    fn hand_out(&self, mut state: MutexGuard<'_, State>, arrived: Arrived, tells: Tells) -> Handed {
        let Arrived { socket, owed } = arrived;
        let first = state.taken.is_empty() && matches!(owed, Owed::Answer(_));
        let open = match owed {
            Owed::Nothing => Open::uncounted(),
            // A guard also for one that does not tell: it drops it, and with it the promise is settled.
            Owed::End(open) => open,
            Owed::Answer(conn) => {
                state.taken.push((conn, tells));
                match tells {
                    Tells::Yes => Open::new(&self.endings, conn),
                    Tells::No => Open::uncounted(),
                }
            }
        };
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
        (socket, open)
    }

    /// The next connection; `None` when it is closed and empty. Cancel safe.
    pub(crate) async fn next(&self, tells: Tells) -> Option<Handed> {
        let mut place = Place::new(self);
        std::future::poll_fn(|cx| self.poll_next(cx, Some(place.ticket()), tells)).await
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

impl State {
    /// Closes it for what the primary can still give to others.
    fn give_back_all(&mut self) {
        self.closed = true;
        for arrived in std::mem::take(&mut self.ready) {
            match arrived.owed {
                Owed::Answer(conn) => self.give_back(arrived.socket, conn),
                Owed::Nothing | Owed::End(_) => self.ready.push_back(arrived),
            }
        }
        for it in std::mem::take(&mut self.held) {
            self.give_back(it.socket, it.conn);
        }
    }

    /// Our copy is closed before the primary learns that it may give the connection to others.
    fn give_back(&mut self, socket: OwnedFd, conn: ConnId) {
        drop(socket);
        self.returned.push(conn);
    }
}

fn make_ready(mut state: MutexGuard<'_, State>, arrived: Arrived) {
    state.ready.push_back(arrived);
    let woken = state.waiters.wake_one();
    drop(state);
    woken.wake();
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
