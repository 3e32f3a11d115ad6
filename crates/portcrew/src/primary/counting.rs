//! Which connections of which workers are open: cookies noted at the hand-over, ends as the kernel tells them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::future::Future as _;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use portcrew_core::primary::{Counter, Event};
use portcrew_core::{ListenerId, Time, WorkerId};
use portcrew_ipc::ends::{Cookie, Ends, News, Survey, cookie, tells_of};

use super::driver::Driver;
use super::ready::Source;
use crate::Error;

/// How often what is believed to be open is held against the kernel's own table, while anything is. Some ends are told
/// late (a client that keeps its half open: up to a minute) and a kernel without memory may not tell one at all.
const SURVEY_EVERY: Duration = Duration::from_secs(10);

/// The account of open connections.
#[derive(Debug, Default)]
pub(super) struct Counting {
    kernel: Option<Kernel>,
    /// The listeners of whose connections the kernel tells, and their ports.
    listeners: BTreeMap<ListenerId, u16>,
    /// Whose each connection is.
    open: HashMap<Cookie, Open>,
    /// How many of them each listener has; none that has none.
    open_of: BTreeMap<ListenerId, usize>,
    /// The listeners that are closed, and whose last connections are still open.
    closed: BTreeSet<ListenerId>,
    /// The last look at each worker of which connections have ended.
    deaths: BTreeMap<WorkerId, Glance>,
    /// Kept for its memory.
    ended: Vec<Cookie>,
}

/// Who tells.
#[derive(Debug)]
struct Kernel {
    ends: Ends,
    waker: Waker,
    /// Messages were lost: which connections are over is being found out.
    survey: Option<Survey>,
    /// They were lost again since the survey began: it does not know of those.
    lost_again: bool,
    /// When the next one is due in any case.
    next_survey: Time,
}

/// The last look at a worker of which connections ended: was it dying? To look is to read a file, so it is done seldom,
/// and what ends meanwhile is decided by the next look or by the death.
#[derive(Debug, Clone, Copy)]
struct Glance {
    at: Time,
    was_dying: bool,
    /// Have ended since.
    since: u32,
}

/// How often it is looked at most. What ends by itself so shortly before a death counts as ended by it.
const GLANCE_EVERY: Duration = Duration::from_millis(10);

/// A death that comes later than this after a look has nothing to do with what ended after that look.
const DEATH_TAKES: Duration = Duration::from_millis(100);

/// An open connection.
#[derive(Debug, Clone, Copy)]
pub(super) struct Open {
    pub(super) worker: WorkerId,
    pub(super) listener: ListenerId,
}

impl Counting {
    /// When the account is to be held against the kernel's table. Not while there is nothing in it.
    pub(super) fn next_timeout(&self) -> Option<Time> {
        let kernel = self.kernel.as_ref().filter(|_| !self.open.is_empty())?;
        Some(kernel.next_survey)
    }

    /// Those that are open.
    pub(super) fn cookies(&self) -> impl Iterator<Item = Cookie> + '_ {
        self.open.keys().copied()
    }

    pub(super) fn insert(&mut self, cookie: Cookie, open: Open) {
        *self.open_of.entry(open.listener).or_default() += 1;
        if let Some(before) = self.open.insert(cookie, open) {
            self.count_down(before.listener);
        }
    }

    fn remove(&mut self, cookie: Cookie) -> Option<Open> {
        let open = self.open.remove(&cookie)?;
        self.count_down(open.listener);
        Some(open)
    }

    fn count_down(&mut self, listener: ListenerId) {
        if let Some(count) = self.open_of.get_mut(&listener) {
            *count -= 1;
            if *count == 0 {
                self.open_of.remove(&listener);
            }
        }
    }
}

impl Driver {
    /// Begins to count a listener's connections, and says who tells.
    pub(super) fn count(&mut self, listener: ListenerId) {
        let by = match self.count_by_kernel(listener) {
            Ok(true) => {
                self.find_open(listener);
                Counter::Kernel
            }
            Ok(false) => Counter::Workers,
            Err(source) => {
                let error = Error::Io { doing: "have the kernel count connections", source };
                self.events.push(crate::Event::Error { worker: None, error });
                Counter::Workers
            }
        };
        self.then(Event::Counting { listener, by });
    }

    fn count_by_kernel(&mut self, id: ListenerId) -> std::io::Result<bool> {
        let Some(socket) = self.sockets.get(id) else {
            return Ok(false);
        };
        let (Some(port), true) = (socket.port, tells_of(socket.as_fd())?) else {
            return Ok(false);
        };
        let kernel = match &mut self.counting.kernel {
            Some(kernel) => kernel,
            none => none.insert(Kernel {
                ends: Ends::open().map_err(std::io::Error::other)?,
                waker: self.ready.waker(Source::Ends),
                survey: None,
                lost_again: false,
                next_survey: self.now + SURVEY_EVERY,
            }),
        };
        self.counting.listeners.insert(id, port);
        let ports = ports(&self.counting.listeners);
        if let Err(error) = kernel.ends.set_ports(&ports) {
            self.counting.listeners.remove(&id);
            return Err(error);
        }
        Ok(true)
    }

    /// Ends it: what was open is not counted any more.
    pub(super) fn stop_counting(&mut self, listener: ListenerId) {
        if self.counting.listeners.remove(&listener).is_none() {
            return;
        }
        if let Some(kernel) = &self.counting.kernel {
            // A filter that cannot be narrowed lets more through: their cookies are nobody's.
            let _ = kernel.ends.set_ports(&ports(&self.counting.listeners));
        }
        let open = &self.counting.open;
        let here = open.iter().filter(|(_, it)| it.listener == listener);
        let here: Vec<_> = here.map(|(cookie, _)| *cookie).collect();
        self.over(here);
        if self.counting.listeners.is_empty() {
            // A worker may be dying whose last connections these were.
            let deaths = std::mem::take(&mut self.counting.deaths);
            self.counting = Counting { deaths, ..Counting::default() };
        }
    }

    /// A listener is closed. Its connections count until they have ended: nothing is known of a worker that dies else.
    pub(super) fn count_to_the_end(&mut self, listener: ListenerId) {
        if self.counting.listeners.contains_key(&listener) {
            self.counting.closed.insert(listener);
            self.forget_closed();
        }
    }

    /// Ends counting for those that are closed and have no connection left.
    fn forget_closed(&mut self) {
        let closed: Vec<_> = self.counting.closed.iter().copied().collect();
        for id in closed {
            if !self.counting.open_of.contains_key(&id) {
                self.counting.closed.remove(&id);
                self.stop_counting(id);
            }
        }
    }

    /// A worker has taken a connection. To be called while our copy is open: so its end cannot have been told yet.
    pub(super) fn note_open(
        &mut self,
        listener: ListenerId,
        worker: WorkerId,
        socket: BorrowedFd<'_>,
    ) {
        if !self.counting.listeners.contains_key(&listener) {
            return;
        }
        match cookie(socket) {
            Ok(cookie) => self.counting.insert(cookie, Open { worker, listener }),
            // Whatever it was, nobody will tell when it ends.
            Err(_) => self.then(Event::Ended { worker, dying: false }),
        }
    }

    /// The kernel has something to tell.
    pub(super) fn hear_ends(&mut self) {
        let Some(kernel) = &mut self.counting.kernel else {
            return;
        };
        let mut ended = std::mem::take(&mut self.counting.ended);
        let waker = kernel.waker.clone();
        let heard = kernel.ends.poll_next(&mut Context::from_waker(&waker), &mut ended);
        match heard {
            Poll::Pending => {}
            // There may be more: after the others had their turn.
            Poll::Ready(Ok(News::Ended)) => waker.wake_by_ref(),
            Poll::Ready(Ok(News::Overflowed)) => {
                self.survey();
                waker.wake_by_ref();
            }
            Poll::Ready(Err(source)) => self.cannot_count(source),
        }
        self.over(ended.drain(..));
        self.counting.ended = ended;
        self.hear_survey(&waker);
        self.settle();
    }

    /// Holds the account against the kernel's table, when it is time.
    pub(super) fn survey_now_and_then(&mut self) {
        if self.counting.next_timeout().is_some_and(|at| at <= self.now) {
            self.survey();
            if let Some(kernel) = &self.counting.kernel {
                kernel.waker.wake_by_ref();
            }
        }
    }

    /// Finds out what the messages said that were lost, or were never sent.
    fn survey(&mut self) {
        let Some(kernel) = &mut self.counting.kernel else {
            return;
        };
        kernel.next_survey = self.now + SURVEY_EVERY;
        if kernel.survey.is_some() {
            kernel.lost_again = true;
            return;
        }
        kernel.lost_again = false;
        let open = self.counting.open.keys().copied().collect();
        match Survey::start(open, &ports(&self.counting.listeners)) {
            Ok(survey) => kernel.survey = Some(survey),
            Err(source) => self.cannot_count(source),
        }
    }

    fn hear_survey(&mut self, waker: &Waker) {
        let Some(Kernel { survey: slot @ Some(_), lost_again, .. }) = &mut self.counting.kernel
        else {
            return;
        };
        let Some(survey) = slot else { return };
        let Poll::Ready(outcome) = Pin::new(survey).poll(&mut Context::from_waker(waker)) else {
            return;
        };
        *slot = None;
        let again = *lost_again;
        match outcome {
            Ok(over) => {
                self.over(over);
                if again {
                    self.survey();
                    waker.wake_by_ref();
                }
            }
            // What hinders it would hinder another at once: the next one comes in its time.
            Err(source) => {
                let doing = "find out from the kernel which connections have ended";
                let error = Error::Io { doing, source };
                self.events.push(crate::Event::Error { worker: None, error });
            }
        }
    }

    fn over(&mut self, cookies: impl IntoIterator<Item = Cookie>) {
        for cookie in cookies {
            // Others have sockets at our ports too, and a survey tells some that were told before.
            let Some(Open { worker, .. }) = self.counting.remove(cookie) else {
                continue;
            };
            let dying = self.is_dying(worker);
            self.then(Event::Ended { worker, dying });
        }
        self.forget_closed();
    }

    /// Whether a worker of which a connection has ended was dying, as far as is known now.
    fn is_dying(&mut self, worker: WorkerId) -> bool {
        let now = self.now;
        if let Some(glance) = self.counting.deaths.get_mut(&worker) {
            if glance.was_dying || now - glance.at < GLANCE_EVERY {
                glance.since = glance.since.saturating_add(1);
                return glance.was_dying;
            }
        }
        let Some(link) = self.links.get(&worker) else {
            return true;
        };
        let was_dying = link.process.is_ending();
        if was_dying {
            self.ended_by_death(worker);
        }
        self.counting.deaths.insert(worker, Glance { at: now, was_dying, since: 0 });
        was_dying
    }

    /// Nothing more comes from a worker.
    pub(super) fn forget_death(&mut self, worker: WorkerId) {
        self.counting.deaths.remove(&worker);
    }

    /// A worker is dying, or has died: so may have ended what ended after the last look at it.
    pub(super) fn ended_by_death(&mut self, worker: WorkerId) {
        let Some(glance) = self.counting.deaths.remove(&worker) else {
            return;
        };
        let is_recent = self.now - glance.at <= DEATH_TAKES;
        if is_recent && !glance.was_dying && glance.since > 0 {
            self.then(Event::EndedByDeath { worker, count: glance.since });
        }
    }

    /// The kernel tells nothing more: workers have to.
    fn cannot_count(&mut self, source: std::io::Error) {
        let error =
            Error::Io { doing: "hear from the kernel which connections have ended", source };
        self.events.push(crate::Event::Error { worker: None, error });
        let listeners: Vec<_> = self.counting.listeners.keys().copied().collect();
        self.counting = Counting::default();
        for listener in listeners {
            self.then(Event::Counting { listener, by: Counter::Workers });
        }
    }
}

fn ports(listeners: &BTreeMap<ListenerId, u16>) -> Vec<u16> {
    let mut ports: Vec<_> = listeners.values().copied().collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}
