//! Whether a listener is accepted from: that follows room, rests after failures, and sheds where that is wanted.

use super::listener::{Accepting, Listener, Want};
use super::machine::{Primary, Timer};
use super::{AcceptFailure, Action, End, Notice};
use crate::{CloseReason, ConnId, ListenerId, Time};

impl Primary {
    /// Accepting follows room: it stops with the queue's last place and begins with the first free one. Without room it
    /// goes on as long as connections may be shed.
    pub(super) fn accept_if_room(&mut self, now: Time, id: ListenerId, out: &mut Vec<Action>) {
        let limits = &self.limits;
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        let full = listener.queue.len() >= limits.held;
        let was = listener.accepting;
        let next = match (was, listener.is_for_us(), full) {
            // The timer ends the rest, or a descriptor that is closed; not the queue.
            (Accepting::Resting(want), _, _) => Accepting::Resting(want),
            (_, false, _) => Accepting::Off,
            (_, true, false) => Accepting::On,
            (_, true, true) if listener.shedding.left(now, limits) > 0 => Accepting::Shedding,
            (_, true, true) => Accepting::Full,
        };
        listener.accepting = next;
        match (was == Accepting::Full, next == Accepting::Full) {
            (false, true) => {
                if let Some(more) = listener.shedding.next() {
                    self.timers.set(Timer::AcceptRest(id), more);
                }
            }
            (true, false) => {
                self.timers.cancel(Timer::AcceptRest(id));
            }
            // As it was. (The time-out of a rest is left alone.)
            (true, true) | (false, false) => {}
        }
        if was.is_polled() != next.is_polled() {
            out.push(Action::Accept { listener: id, on: next.is_polled() });
        }
    }

    /// There is no room for a connection that was accepted.
    pub(super) fn shed_accepted(
        &mut self,
        now: Time,
        id: ListenerId,
        conn: ConnId,
        out: &mut Vec<Action>,
    ) {
        self.ledger.close(CloseReason::Shed);
        if let Some(listener) = self.listeners.get_mut(&id) {
            listener.shedding.took(1);
        }
        self.release(conn, End::Closed(CloseReason::Shed), out);
        self.accept_if_room(now, id, out);
    }

    /// The shell has shed so many that it had no descriptor for.
    pub(super) fn shed(&mut self, id: ListenerId, count: u32) {
        self.ledger.accepted += u64::from(count);
        self.ledger.close_all(CloseReason::Shed, u64::from(count));
        // It may have been closed meanwhile; they were accepted all the same.
        if let Some(listener) = self.listeners.get_mut(&id) {
            listener.accepted += u64::from(count);
            listener.shedding.took(count);
        }
    }

    pub(super) fn accept_failed(
        &mut self,
        now: Time,
        id: ListenerId,
        failure: AcceptFailure,
        out: &mut Vec<Action>,
    ) {
        self.ledger.accept_failures += 1;
        let want = match failure {
            // The next call may succeed at once.
            AcceptFailure::Connection => return,
            AcceptFailure::Descriptors => Want::Descriptors,
            AcceptFailure::Resource => Want::Another,
        };
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        match listener.accepting {
            Accepting::On | Accepting::Shedding => {}
            // It does not accept: a failure that was on its way.
            Accepting::Off | Accepting::Full | Accepting::Resting(_) => return,
        }
        listener.accepting = Accepting::Resting(want);
        if listener.fails_anew(now, self.limits.accept_rest_cap) {
            out.push(Action::Notify(Notice::AcceptPaused { listener: id }));
        }
        out.push(Action::Accept { listener: id, on: false });
        let mut rest = listener.rest.next_delay();
        if self.limits.shed > 0 {
            rest = rest.min(self.limits.shed_every);
        }
        if want == Want::Descriptors {
            let most = listener.shedding.left(now, &self.limits);
            out.extend((most > 0).then_some(Action::Shed { listener: id, most }));
            self.freed = 0;
            self.low_mark = self.low_mark();
            if !self.short.contains(&id) {
                self.short.push(id);
            }
        }
        self.timers.set(Timer::AcceptRest(id), now + rest);
    }

    /// A rest is over, or more may be shed.
    pub(super) fn accept_again(&mut self, now: Time, id: ListenerId, out: &mut Vec<Action>) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        match listener.accepting {
            Accepting::Resting(_) | Accepting::Full => {
                self.timers.cancel(Timer::AcceptRest(id));
                listener.accepting = Accepting::Off;
                self.accept_if_room(now, id, out);
            }
            // It rests no more.
            Accepting::On | Accepting::Shedding | Accepting::Off => {}
        }
    }

    /// Enough descriptors of ours were closed: those who rest for want of one need not wait for their time.
    pub(super) fn end_rests(&mut self, now: Time, out: &mut Vec<Action>) {
        if self.freed < self.low_mark {
            return;
        }
        self.freed = 0;
        for id in std::mem::take(&mut self.short) {
            let resting = self.listeners.get(&id).map(|it| it.accepting);
            if resting == Some(Accepting::Resting(Want::Descriptors)) {
                self.accept_again(now, id, out);
            }
        }
    }

    /// Half of what it has, up to the limit: where few descriptors are all that there is, they are served one by one
    /// rather than not at all.
    fn low_mark(&self) -> u32 {
        let half = u32::try_from(self.conns.len() / 2).unwrap_or(u32::MAX);
        half.min(self.limits.accept_low_mark).max(1)
    }

    /// Lets a connection go that is in no place any more.
    pub(super) fn release(&mut self, conn: ConnId, end: End, out: &mut Vec<Action>) {
        self.freed = self.freed.saturating_add(1);
        out.push(Action::Release { conn, end });
    }
}

impl Listener {
    /// Counts a failure. Whether it is the first, or comes after a time in which none came: longer than any rest.
    fn fails_anew(&mut self, now: Time, cap: std::time::Duration) -> bool {
        let last = self.failed_last.replace(now);
        last.is_none_or(|last| now.since(last) > cap * 2)
    }
}
