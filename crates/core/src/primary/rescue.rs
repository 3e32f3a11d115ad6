//! What waits too long for the worker of its place is handed to another.
//!
//! The kernel has chosen a socket before anybody can know whether its worker will come back to it: it may be blocked, or
//! stopped, or about to die. While no connection comes nothing is looked at. With the first one that does the queues are
//! looked at now and then; one that is not empty for too long is accepted from, for workers whose own queue is empty. Where
//! all have something waiting there is too much work and not a stuck worker: nothing is moved then.

use std::net::SocketAddr;
use std::time::Duration;

use super::Action;
use super::conns::Conn;
use super::listener::Listener;
use super::machine::{Primary, Timer};
use super::members::{Member, Members};
use crate::scheduler::WorkerView;
use crate::{ConnId, Limits, ListenerId, MemberId, SocketKind, Time, WorkerId};

/// So many looks in a row must find a queue empty before its worker is trusted again: what came to it was handed to
/// others, so one look says little.
const TRUSTED_AFTER: u32 = 4;

/// Whether a listener's queues are looked at.
#[derive(Debug, Default)]
pub(super) enum Watch {
    /// There is nobody who could be handed what waits.
    #[default]
    Off,
    /// They were empty, and the next connection will be told.
    Asleep,
    /// They are looked at from time to time.
    Looking {
        /// When the connection came that began it, until the first look.
        stirred: Option<Time>,
        /// If nothing is seen waiting before. Connections that are accepted at once nobody sees.
        until: Time,
    },
}

/// What was seen of one queue.
#[derive(Debug, Default)]
pub(super) struct Seen {
    waiting: u32,
    /// It has not been empty at any look since.
    since: Option<Time>,
    /// Its worker has let connections wait: what waits is not left to it for so many more looks.
    suspect: u32,
    /// When its worker last showed that it lives: it has taken something, or answered for what it was handed.
    alive: Option<Time>,
}

/// What is to be accepted from one socket.
struct Overdue {
    member: MemberId,
    waiting: u32,
    older: Duration,
}

impl Watch {
    fn take_stirred(&mut self) -> Option<Time> {
        match self {
            Self::Looking { stirred, .. } => stirred.take(),
            Self::Off | Self::Asleep => None,
        }
    }

    fn begun(stirred: Option<Time>, now: Time, limits: &Limits) -> Self {
        Self::Looking { stirred, until: now + limits.watch_for }
    }
}

impl Seen {
    pub(super) const fn is_empty(&self) -> bool {
        self.waiting == 0
    }

    fn note(&mut self, now: Time, since: Time, waiting: u32) {
        if waiting < self.waiting {
            // What was rescued is not in there any more, so it has taken something itself.
            self.suspect = 0;
            self.alive = Some(now);
        }
        self.waiting = waiting;
        if waiting == 0 {
            self.since = None;
            self.suspect = self.suspect.saturating_sub(1);
        } else {
            self.since.get_or_insert(since);
        }
    }
}

impl Members {
    /// Since when what is seen for the first time may have waited. Where somebody was late a while ago it counts from the
    /// look before: its age tells whether it does.
    fn since(&mut self, now: Time, limits: &Limits) -> Time {
        let is_wary = self.stalled.is_some_and(|at| at + limits.wary_for > now);
        let before = self.looked.filter(|at| is_wary && now.since(*at) <= limits.survey_soon * 2);
        self.watch.take_stirred().or(before).unwrap_or(now)
    }
}

impl Primary {
    /// Begins, goes on, or ends looking, as the listener's workers have changed.
    pub(super) fn watch_members(
        &mut self,
        now: Time,
        id: ListenerId,
        fell_silent: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        match (&listener.members.watch, listener.can_rescue()) {
            // Something may wait already, at a socket that nobody has had up to now.
            (Watch::Off, true) => {
                listener.members.watch = Watch::begun(None, now, &self.limits);
            }
            // What waits at the socket of one who is gone need not wait for a look.
            (Watch::Asleep, true) if fell_silent => {
                listener.members.watch = Watch::begun(Some(now), now, &self.limits);
            }
            (Watch::Looking { .. }, true) if fell_silent => {}
            (Watch::Off, false) | (Watch::Asleep | Watch::Looking { .. }, true) => return,
            (Watch::Asleep | Watch::Looking { .. }, false) => {
                listener.members.watch = Watch::Off;
                self.timers.cancel(Timer::Survey(id));
                return;
            }
        }
        self.timers.cancel(Timer::Survey(id));
        out.push(Action::Survey { listener: id });
    }

    /// A connection has come while nobody looked.
    pub(super) fn stirred(&mut self, now: Time, id: ListenerId, out: &mut Vec<Action>) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        match listener.members.watch {
            Watch::Asleep => {}
            // Looking has begun or ended meanwhile.
            Watch::Off | Watch::Looking { .. } => return,
        }
        listener.members.watch = Watch::begun(Some(now), now, &self.limits);
        if listener.members.live() < listener.members.count() {
            // It may wait where nobody will take it.
            out.push(Action::Survey { listener: id });
        } else {
            self.timers.set(Timer::Survey(id), now + self.limits.rescue_after);
        }
    }

    pub(super) fn surveyed(
        &mut self,
        now: Time,
        id: ListenerId,
        queues: &[(MemberId, u32)],
        quiet: bool,
        out: &mut Vec<Action>,
    ) {
        let Some(members) = self.listeners.get_mut(&id).map(|it| &mut it.members) else {
            return;
        };
        let since = members.since(now, &self.limits);
        members.looked = Some(now);
        for (member, waiting) in queues {
            if let Some(member) = members.get_mut(*member) {
                member.seen.note(now, since, *waiting);
            }
        }
        if std::mem::take(&mut members.is_draining) {
            self.close_drained(now, id, out);
        }
        self.look_on(now, id, quiet, out);
    }

    /// Does what the look calls for, and sets the time of the next one.
    fn look_on(&mut self, now: Time, id: ListenerId, quiet: bool, out: &mut Vec<Action>) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        let stalled = listener.members.stalled;
        let Watch::Looking { until, .. } = &mut listener.members.watch else {
            return;
        };
        if !quiet {
            *until = now + self.limits.watch_for;
        }
        let is_over = *until <= now;
        listener.rescue(now, id, &self.limits, out);
        match listener.next_look(now, stalled, is_over, &self.limits) {
            Some(wait) => self.timers.set(Timer::Survey(id), now + wait),
            None => {
                listener.members.watch = Watch::Asleep;
                out.push(Action::Watch { listener: id });
            }
        }
    }

    /// A connection was accepted that had waited for a worker of its own.
    pub(super) fn rescued(
        &mut self,
        now: Time,
        (id, member): (ListenerId, MemberId),
        conn: ConnId,
        peer: Option<SocketAddr>,
        waited: Duration,
        out: &mut Vec<Action>,
    ) {
        self.ledger.rescued += 1;
        let listener = self.listeners.get_mut(&id);
        if let Some(seen) = listener.and_then(|it| Some(&mut it.members.get_mut(member)?.seen)) {
            seen.waiting = seen.waiting.saturating_sub(1);
        }
        if waited >= self.limits.rescue_after / 2 {
            self.suspect(now, id, member);
        }
        let record = Conn::accepted(now, (id, Some(member)), peer, None);
        self.hold(now, conn, record, out);
    }

    /// A worker has answered for all that was rescued for it. Where more is known to wait it need not wait for a look.
    pub(super) fn rescue_on(
        &mut self,
        now: Time,
        id: ListenerId,
        worker: WorkerId,
        out: &mut Vec<Action>,
    ) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        let Some(view) = listener.holder(worker) else {
            return;
        };
        let (seat, is_done) = (view.seat, view.in_flight == 0);
        let member = listener.members.of(seat);
        if let Some(member) = member.and_then(|it| listener.members.get_mut(it)) {
            member.seen.alive = Some(now);
        }
        let is_looking = matches!(listener.members.watch, Watch::Looking { .. });
        if is_done && is_looking && listener.has_overdue() {
            self.timers.cancel(Timer::Survey(id));
            out.push(Action::Survey { listener: id });
        }
    }

    /// A worker has let connections wait: more may come to it.
    fn suspect(&mut self, now: Time, id: ListenerId, member: MemberId) {
        let Some(members) = self.listeners.get_mut(&id).map(|it| &mut it.members) else {
            return;
        };
        let is_looking = matches!(members.watch, Watch::Looking { .. });
        if !is_looking || !members.is_live(member) {
            return;
        }
        members.stalled = Some(now);
        if let Some(member) = members.get_mut(member) {
            member.seen.suspect = TRUSTED_AFTER;
        }
        self.timers.bring_forward(Timer::Survey(id), now + self.limits.survey_soon);
    }
}

impl Listener {
    /// Whether what waits in one socket could be handed to a worker that has another.
    pub(super) fn can_rescue(&self) -> bool {
        let is_tcp = self.kind() == Some(SocketKind::Tcp);
        is_tcp && self.members.count() > 1 && self.candidates().iter().any(|it| it.listening)
    }

    /// Has overdue connections accepted, as many as others can take.
    fn rescue(&mut self, now: Time, id: ListenerId, limits: &Limits, out: &mut Vec<Action>) {
        let mut given = 0;
        for Overdue { member, waiting, older } in self.overdue(now, limits) {
            let room = if self.members.is_live(member) {
                room_of(self.idle(member))
            } else {
                // Nobody will come to it soon, so others take it however busy they are: no more comes there.
                room_of(self.others(member))
            };
            let most = waiting.min(room.saturating_sub(given));
            if most > 0 {
                given += most;
                out.push(Action::Rescue { listener: id, member, most, older });
            }
        }
    }

    /// Whether something waits that is not left to the worker of its place.
    fn has_overdue(&self) -> bool {
        let is_left = |id, it: &Member| it.seen.suspect > 0 || !self.members.is_live(id);
        self.members.iter().any(|(id, it)| !it.seen.is_empty() && is_left(id, it))
    }

    fn overdue(&self, now: Time, limits: &Limits) -> Vec<Overdue> {
        let overdue = self.members.iter().filter(|(_, it)| it.is_open()).filter_map(|(id, it)| {
            let Seen { waiting, since, suspect, alive: _ } = it.seen;
            let is_long = since.is_some_and(|since| since + limits.rescue_after <= now);
            let older = if !self.members.is_live(id) || suspect > 0 {
                Duration::ZERO
            } else {
                // The kernel counts in its own ticks, so not the whole time.
                limits.rescue_after / 2
            };
            let is_due = waiting > 0 && (is_long || older.is_zero());
            is_due.then_some(Overdue { member: id, waiting, older })
        });
        overdue.collect()
    }

    /// How long until what was first seen has waited long enough.
    fn until_overdue(&self, now: Time, limits: &Limits) -> Duration {
        let since = self.members.iter().filter_map(|(_, it)| it.seen.since).max();
        let due = since.map_or(now, |since| since + limits.rescue_after);
        // Nothing more comes of a look at once than of this one.
        due.since(now).max(limits.survey_soon / 3)
    }

    /// When to look again; `None`: when the next connection comes.
    fn next_look(
        &self,
        now: Time,
        stalled: Option<Time>,
        is_over: bool,
        limits: &Limits,
    ) -> Option<Duration> {
        let mut live = self.members.iter().filter(|(id, _)| self.members.is_live(*id));
        let is_overload = live.all(|(_, it)| !it.seen.is_empty());
        let waits = self.members.iter().any(|(_, it)| !it.seen.is_empty());
        let is_wary = stalled.is_some_and(|at| at + limits.wary_for > now);
        let usual = if is_wary { limits.survey_soon } else { limits.survey_every };
        match (waits, is_over) {
            (true, _) if is_overload => Some(limits.survey_every),
            (true, _) => Some(usual.min(self.until_overdue(now, limits))),
            (false, false) => Some(usual),
            (false, true) => None,
        }
    }

    /// Workers that can be handed what came to another's socket, and have nothing waiting in their own.
    fn idle(&self, from: MemberId) -> impl Iterator<Item = &WorkerView> {
        self.others(from).filter(|it| {
            let member = self.members.of(it.seat).and_then(|id| self.members.get(id));
            // What it let wait was taken from it: that its queue is empty is not its doing.
            member.is_some_and(|it| it.seen.is_empty() && it.seen.suspect == 0)
        })
    }

    fn others(&self, from: MemberId) -> impl Iterator<Item = &WorkerView> {
        let its = self.members.get(from).and_then(Member::seat);
        self.candidates().iter().filter(move |it| it.listening && Some(it.seat) != its)
    }

    /// Among whom the scheduler chooses for a connection that came to this socket: those with nothing to do before the
    /// others, and the worker that let it wait last of all.
    ///
    /// Another that is stuck looks idle, too, until something waits for it. So those come first who have just shown that
    /// they are not.
    pub(super) fn rescuers(&self, from: MemberId, now: Time, limits: &Limits) -> Vec<WorkerView> {
        let free = |it: &&WorkerView| it.is_free();
        let is_lively = |it: &WorkerView| {
            let member = self.members.of(it.seat).and_then(|id| self.members.get(id));
            let alive = member.and_then(|it| it.seen.alive);
            alive.is_some_and(|at| now.since(at) <= limits.survey_every * 2)
        };
        let idle: Vec<_> = self.idle(from).filter(free).cloned().collect();
        let lively: Vec<_> = idle.iter().filter(|it| is_lively(it)).cloned().collect();
        if !idle.is_empty() {
            return if lively.is_empty() { idle } else { lively };
        }
        let others: Vec<_> = self.others(from).filter(free).cloned().collect();
        if others.is_empty() { self.candidates().to_vec() } else { others }
    }
}

fn room_of<'a>(takers: impl Iterator<Item = &'a WorkerView>) -> u32 {
    takers.map(|it| it.window.saturating_sub(it.in_flight)).sum()
}
