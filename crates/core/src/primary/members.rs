//! The sockets of a listener over which the kernel spreads connections, one for each place of a worker.
//!
//! They belong to places and not to workers: a successor gets the socket of its place with all that waits in it, so a
//! death or a replacement closes nothing. A socket that nobody listens at is given no new connections.

use std::collections::BTreeMap;
use std::time::Duration;

use super::listener::{Asked, Listener, State};
use super::machine::{Primary, Timer};
use super::rescue::{Seen, Watch};
use super::{Action, Mode};
use crate::scheduler::Seat;
use crate::{Errno, ListenerId, MemberId, Query, Seq, SocketKind, Time, WorkerId};

impl MemberId {
    /// The one that is made with its listener.
    pub const FIRST: Self = Self(0);
}

/// The sockets of one listener; none where its mode is another.
#[derive(Debug, Default)]
pub(super) struct Members {
    all: BTreeMap<MemberId, Member>,
    next: u32,
    /// Those that the kernel gives new connections; `None` before it was told.
    steered: Option<Vec<MemberId>>,
    /// The next look is for closing what nobody has had for long.
    pub(super) is_draining: bool,
    pub(super) watch: Watch,
    /// When a worker was last found to have let connections wait.
    pub(super) stalled: Option<Time>,
    /// When the queues were looked at last.
    pub(super) looked: Option<Time>,
}

/// One of them.
#[derive(Debug)]
pub(super) struct Member {
    /// Whose it is: that of a worker, or of one that is gone; nobody's before the first.
    seat: Option<Seat>,
    state: MemberState,
    /// Since when no worker has it, or waits for it.
    vacant_since: Option<Time>,
    pub(super) seen: Seen,
}

#[derive(Debug)]
enum MemberState {
    /// It is being made; these workers wait for it.
    Binding(Vec<Asked>),
    /// It is there.
    Open,
}

/// What a worker that asks is to have.
enum Claim {
    /// It is there.
    Open,
    /// It is being made.
    Binding(MemberId),
    /// It is to be made.
    New(MemberId),
}

impl Members {
    /// That which is made with the listener.
    pub(super) fn begin(&mut self, seat: Option<Seat>) {
        let first = self.add(seat);
        debug_assert_eq!(first, MemberId::FIRST);
    }

    pub(super) fn open(&mut self, id: MemberId) -> Vec<Asked> {
        match self.all.get_mut(&id).map(|it| &mut it.state) {
            Some(state @ MemberState::Binding(_)) => {
                match std::mem::replace(state, MemberState::Open) {
                    MemberState::Binding(waiting) => waiting,
                    MemberState::Open => Vec::new(),
                }
            }
            // Said twice, or of one that was given up.
            Some(MemberState::Open) | None => Vec::new(),
        }
    }

    /// It could not be made. Who waits for it.
    fn fail(&mut self, id: MemberId) -> Vec<Asked> {
        match self.all.get(&id).map(|it| &it.state) {
            Some(MemberState::Binding(_)) => {}
            Some(MemberState::Open) | None => return Vec::new(),
        }
        match self.all.remove(&id).map(|it| it.state) {
            Some(MemberState::Binding(waiting)) => waiting,
            Some(MemberState::Open) | None => Vec::new(),
        }
    }

    pub(super) fn of(&self, seat: Seat) -> Option<MemberId> {
        self.all.iter().find(|(_, it)| it.seat == Some(seat)).map(|it| *it.0)
    }

    pub(super) fn get(&self, id: MemberId) -> Option<&Member> {
        self.all.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: MemberId) -> Option<&mut Member> {
        self.all.get_mut(&id)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (MemberId, &Member)> {
        self.all.iter().map(|(id, it)| (*id, it))
    }

    pub(super) fn count(&self) -> usize {
        self.all.len()
    }

    pub(super) fn is_live(&self, id: MemberId) -> bool {
        self.steered.as_ref().is_some_and(|it| it.contains(&id))
    }

    pub(super) fn live(&self) -> usize {
        self.steered.as_ref().map_or(0, Vec::len)
    }

    /// Every worker that waits for one of them.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &Asked> {
        self.all.values().flat_map(|it| match &it.state {
            MemberState::Binding(waiting) => waiting.as_slice(),
            MemberState::Open => &[],
        })
    }

    /// Takes a worker off that waits.
    pub(super) fn forget(&mut self, worker: WorkerId) {
        for waiting in self.lists() {
            waiting.retain(|it| it.0 != worker);
        }
    }

    /// Takes all off that wait.
    pub(super) fn take_waiting(&mut self) -> Vec<Asked> {
        self.lists().flat_map(std::mem::take).collect()
    }

    fn lists(&mut self) -> impl Iterator<Item = &mut Vec<Asked>> {
        self.all.values_mut().filter_map(|it| match &mut it.state {
            MemberState::Binding(waiting) => Some(waiting),
            MemberState::Open => None,
        })
    }

    /// That of this place; else one that has none any more, with what waits in it; else a new one.
    fn claim(&mut self, seat: Seat) -> Claim {
        let vacant = || self.iter().find(|(_, it)| it.is_vacant()).map(|it| it.0);
        let found = self.of(seat).or_else(vacant);
        let Some((id, member)) = found.and_then(|id| Some((id, self.all.get_mut(&id)?))) else {
            return Claim::New(self.add(Some(seat)));
        };
        member.seat = Some(seat);
        member.vacant_since = None;
        match member.state {
            MemberState::Binding(_) => Claim::Binding(id),
            MemberState::Open => Claim::Open,
        }
    }

    fn add(&mut self, seat: Option<Seat>) -> MemberId {
        let id = MemberId(self.next);
        self.next += 1;
        let (state, seen) = (MemberState::Binding(Vec::new()), Seen::default());
        self.all.insert(id, Member { seat, state, vacant_since: None, seen });
        id
    }

    fn vacant(&mut self) -> impl Iterator<Item = &mut Member> {
        self.all.values_mut().filter(|it| it.vacant_since.is_some())
    }

    /// Those that can be closed: nobody has had them for so long, and nothing waits in them, or `waits_too`.
    fn drained(&self, now: Time, drain: Duration, waits_too: bool) -> Vec<MemberId> {
        let over = |it: &Member| it.vacant_since.is_some_and(|since| since + drain <= now);
        self.iter()
            .filter(|(_, it)| over(it) && (waits_too || it.seen.is_empty()))
            .map(|it| it.0)
            .collect()
    }
}

impl Member {
    pub(super) const fn seat(&self) -> Option<Seat> {
        self.seat
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, MemberState::Open)
    }

    const fn is_vacant(&self) -> bool {
        (self.vacant_since.is_some() || self.seat.is_none()) && self.is_open()
    }

    fn is_awaited(&self) -> bool {
        match &self.state {
            MemberState::Binding(waiting) => !waiting.is_empty(),
            MemberState::Open => false,
        }
    }
}

impl Primary {
    /// Which of a listener's sockets a worker has: that of its place.
    #[must_use]
    pub fn member_of(&self, worker: WorkerId, listener: ListenerId) -> Option<MemberId> {
        let seat = self.workers.get(&worker)?.origin.seat;
        self.listeners.get(&listener)?.members.of(seat)
    }

    /// The same for a worker that is to be started in this place.
    #[must_use]
    pub fn member_at(&self, seat: Seat, listener: ListenerId) -> Option<MemberId> {
        self.listeners.get(&listener)?.members.of(seat)
    }

    /// Whether this is a socket that new connections are kept away from, because others have workers and it has none
    /// that stays.
    #[must_use]
    pub fn is_left(&self, listener: ListenerId, member: MemberId) -> bool {
        let members = self.listeners.get(&listener).map(|it| &it.members);
        members.is_some_and(|it| it.live() > 0 && !it.is_live(member))
    }

    /// Whether the listener is one of several sockets.
    #[must_use]
    pub fn is_spread(&self, listener: ListenerId) -> bool {
        self.listeners.get(&listener).is_some_and(|it| it.mode == Mode::Kernel)
    }

    /// A worker is about to be started in this place: it finds its sockets made.
    pub(super) fn seats(&mut self, seat: Seat, out: &mut Vec<Action>) {
        for id in self.kept().collect::<Vec<_>>() {
            if let Some(Claim::New(member)) =
                self.listeners.get_mut(&id).and_then(|it| it.claim(seat))
            {
                out.push(Action::BindMember { listener: id, member });
            }
        }
    }

    /// Makes a worker a holder as soon as the socket of its place is there.
    pub(super) fn enter(
        &mut self,
        now: Time,
        (worker, seq, query): Asked,
        id: ListenerId,
        out: &mut Vec<Action>,
    ) {
        let seat = self.workers.get(&worker).filter(|it| it.may_listen()).map(|it| it.origin.seat);
        let (Some(listener), Some(seat)) = (self.listeners.get_mut(&id), seat) else {
            return;
        };
        match listener.claim(seat) {
            None | Some(Claim::Open) => {
                self.admit(now, worker, seq, id, out);
                self.steer(now, id, out);
            }
            Some(Claim::Binding(member)) => self.await_member((worker, seq, query), id, member),
            Some(Claim::New(member)) => {
                self.await_member((worker, seq, query), id, member);
                out.push(Action::BindMember { listener: id, member });
            }
        }
    }

    fn await_member(&mut self, asked: Asked, id: ListenerId, member: MemberId) {
        let member = self.listeners.get_mut(&id).and_then(|it| it.members.get_mut(member));
        if let Some(MemberState::Binding(waiting)) = member.map(|it| &mut it.state) {
            let worker = asked.0;
            waiting.push(asked);
            self.count_listener(worker);
        }
    }

    /// The shell has made the socket, or could not.
    pub(super) fn member_bound(
        &mut self,
        now: Time,
        id: ListenerId,
        member: MemberId,
        outcome: Result<(), Errno>,
        out: &mut Vec<Action>,
    ) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        match outcome {
            Ok(()) => {
                for (worker, seq, _) in listener.members.open(member) {
                    // Counted anew as a holder.
                    self.discount_listener(worker);
                    self.admit(now, worker, seq, id, out);
                }
                self.steer(now, id, out);
            }
            Err(errno) => {
                let waiting = listener.members.fail(member);
                self.refuse_all(id, waiting, errno, out);
            }
        }
    }

    /// New connections go where somebody listens. To be called when that may have changed.
    pub(super) fn steer(&mut self, now: Time, id: ListenerId, out: &mut Vec<Action>) {
        let Some(listener) = self.listeners.get_mut(&id).filter(|it| it.has_members()) else {
            return;
        };
        let live = listener.live_members();
        let members = &mut listener.members;
        let before = members.steered.take();
        let fell_silent = before.iter().flatten().any(|it| !live.contains(it));
        if before.as_ref().is_none_or(|it| *it != live) {
            out.push(Action::Steer { listener: id, live: live.clone() });
        }
        if before.is_none_or(|it| it.is_empty()) && !live.is_empty() {
            // Until now connections came to those, too.
            members.vacant().for_each(|it| it.vacant_since = Some(now));
        }
        members.steered = Some(live);
        self.note_vacant(now, id);
        self.watch_members(now, id, fell_silent, out);
    }

    fn note_vacant(&mut self, now: Time, id: ListenerId) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        let held: Vec<_> = listener.holders.iter().map(|it| it.seat).collect();
        for member in listener.members.all.values_mut() {
            let is_held = member.seat.is_some_and(|seat| held.contains(&seat));
            if is_held || member.is_awaited() {
                member.vacant_since = None;
            } else {
                member.vacant_since.get_or_insert(now);
            }
        }
        let first = listener.members.all.values().filter_map(|it| it.vacant_since).min();
        match first {
            // Without anybody else it is what keeps the address.
            Some(since) if listener.members.live() > 0 => {
                let at = (since + self.limits.member_drain).max(now + self.limits.watch_for);
                self.timers.set(Timer::MemberDrain(id), at);
            }
            Some(_) | None => {
                self.timers.cancel(Timer::MemberDrain(id));
            }
        }
    }

    /// It is time to close what nobody has come back to, if nothing waits there now. What was seen last is no proof.
    pub(super) fn drain_members(&mut self, now: Time, id: ListenerId, out: &mut Vec<Action>) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        if listener.kind() == Some(SocketKind::Tcp) {
            listener.members.is_draining = true;
            out.push(Action::Survey { listener: id });
        } else {
            self.close_drained(now, id, out);
        }
    }

    /// Closes those. To be called when all queues were looked at just now.
    pub(super) fn close_drained(&mut self, now: Time, id: ListenerId, out: &mut Vec<Action>) {
        let Some(listener) = self.listeners.get_mut(&id).filter(|it| it.members.live() > 0) else {
            return;
        };
        // What nobody can be handed is not waited for: its client hears that it is over.
        let waits_too = !listener.can_rescue();
        for member in listener.members.drained(now, self.limits.member_drain, waits_too) {
            listener.members.all.remove(&member);
            out.push(Action::CloseMember { listener: id, member });
        }
        self.note_vacant(now, id);
    }
}

impl Listener {
    /// Whether it is a listener of several sockets that are there.
    pub(super) fn has_members(&self) -> bool {
        self.is_open() && self.members.count() > 0
    }

    fn claim(&mut self, seat: Seat) -> Option<Claim> {
        self.has_members().then(|| self.members.claim(seat))
    }

    /// The sockets at which somebody listens who stays.
    fn live_members(&self) -> Vec<MemberId> {
        let listens = |seat| self.holders.iter().any(|it| Some(it.seat) == seat && it.listening);
        let members = self.members.iter();
        members.filter(|(_, it)| it.is_open() && listens(it.seat)).map(|it| it.0).collect()
    }

    /// Whether it waits for the socket, or for that of its place.
    pub(super) fn is_awaited_by(&self, worker: WorkerId) -> bool {
        self.awaiting().any(|it| it.0 == worker)
    }

    /// All who wait for the socket, or for those of their places.
    pub(super) fn awaiting(&self) -> impl Iterator<Item = &(WorkerId, Seq, Query)> {
        let first: &[Asked] = match &self.state {
            State::Binding { waiting, .. } => waiting,
            State::Open(_) => &[],
        };
        first.iter().chain(self.members.waiting())
    }
}
