//! Holders: how each one has a listener, and what a scheduler must be shown of it.

use std::cmp::Ordering;
use std::collections::VecDeque;
use std::time::Duration;

use portcrew_core::primary::{Mode, Origin};
use portcrew_core::scheduler::{CpuShare, WorkerView};
use portcrew_core::{ConnId, Limits, ListenerId, Seq, SocketKind, Time, WorkerId};

use super::{Account, Kernel, Listing, Plan};
use crate::sim::kernel::Socket;
use crate::sim::report::{Check, Checked, ensure};

/// A connection that a worker was offered and has not answered for.
#[derive(Debug, Clone, Copy)]
struct Owed {
    seq: Seq,
    since: Time,
    served: bool,
}

/// One worker's part in a listener, worked out from what it was given and what it said.
#[derive(Debug)]
pub struct Holding {
    /// Who accepts for it.
    pub way: Mode,
    /// It accepts for itself, and nobody may hand it anything.
    pub alone: bool,
    /// Who holds it.
    pub worker: WorkerId,
    origin: Origin,
    /// The widest that its window may be.
    pub most: u32,
    /// Its window, as its answers made it.
    window: u32,
    /// What it owes an answer for, the oldest first.
    owed: VecDeque<Owed>,
    given: u64,
    share: u64,
    last_given: u64,
    latency: Option<Duration>,
    rests_until: Option<Time>,
    listening: bool,
    cpu: Option<CpuShare>,
}

impl Holding {
    /// How many answers it owes.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.owed.len()
    }

    /// Connections that it was offered.
    #[must_use]
    pub const fn given(&self) -> u64 {
        self.given
    }

    /// It has owed an answer for too long.
    #[must_use]
    pub fn is_late(&self, now: Time, limits: &Limits) -> bool {
        self.owed.front().is_some_and(|it| now.since(it.since) > limits.slow)
    }

    /// The connection that holds it up, if one does: unserved, and owed an answer for longer than is usual.
    #[must_use]
    pub fn held_up_by(&self, now: Time, limits: &Limits) -> Option<Seq> {
        let usual = if self.latency.is_some() { limits.held_up } else { limits.slow };
        let unserved = self.owed.iter().find(|it| !it.served);
        unserved.filter(|it| now.since(it.since) > usual).map(|it| it.seq)
    }

    pub(super) fn served(&mut self, seq: Seq) {
        self.owed.iter_mut().filter(|it| it.seq == seq).for_each(|it| it.served = true);
    }

    fn offered(&mut self, seq: Seq, now: Time, (turn, floor): (u64, u64)) {
        self.owed.push_back(Owed { seq, since: now, served: false });
        self.given += 1;
        self.share = self.share.max(floor) + 1;
        self.last_given = turn;
    }

    /// An answer. Slow ones narrow the window to 1, quick ones double it. What it did to the window.
    fn answered(&mut self, seq: Seq, now: Time, refused: bool, limits: &Limits) -> &'static str {
        let Some(place) = self.owed.iter().position(|it| it.seq == seq) else {
            return "window: of no concern";
        };
        let at = self.owed.remove(place).map_or(now, |it| it.since);
        let (took, before) = (now.since(at), self.window);
        self.latency = Some(match self.latency {
            None => took,
            Some(before) => before - before / 8 + took / 8,
        });
        if took > limits.slow {
            self.window = 1;
        } else if took <= limits.quick {
            self.window = (self.window * 2).min(self.most);
        }
        if refused {
            self.rests_until = Some(now + limits.refusal_rest);
        }
        match self.window.cmp(&before) {
            Ordering::Less => "window: narrowed",
            Ordering::Equal => "window: left as it was",
            Ordering::Greater => "window: widened",
        }
    }

    fn window_at(&self, now: Time, limits: &Limits) -> u32 {
        if self.is_late(now, limits) { 1 } else { self.window }
    }

    /// Whether it can be given a connection now.
    #[must_use]
    pub fn is_free(&self, now: Time, limits: &Limits) -> bool {
        self.in_flight() < self.window_at(now, limits) as usize
            && self.rests_until.is_none_or(|until| until <= now)
    }

    /// What a scheduler must be shown now. `live`: its open connections, where they are counted.
    #[must_use]
    pub fn view(&self, now: Time, limits: &Limits, live: Option<u32>) -> WorkerView {
        let mut view = WorkerView::new(self.worker, self.window_at(now, limits));
        view.seat = self.origin.seat;
        view.generation = self.origin.generation;
        view.listening = self.listening;
        view.live = live;
        view.in_flight = u32::try_from(self.in_flight()).unwrap_or(u32::MAX);
        view.held_up = self.held_up_by(now, limits).is_some();
        view.given = self.given;
        view.share = self.share;
        view.last_given = self.last_given;
        view.latency = self.latency;
        view.cpu = self.cpu;
        view.resting_until = self.rests_until.filter(|until| *until > now);
        view
    }
}

impl Listing {
    /// Whether somebody is handed connections.
    #[must_use]
    pub fn handed(&self) -> usize {
        self.holdings.iter().filter(|it| it.way == Mode::Handover).count()
    }

    /// Among whom the scheduler chooses, in the order in which it is shown them: who is handed connections, then who
    /// shares it and survives a hand-over.
    pub fn candidates(&self) -> impl Iterator<Item = &Holding> {
        let of = |way| self.holdings.iter().filter(move |it| it.way == way && !it.alone);
        of(Mode::Handover).chain(of(Mode::Shared))
    }

    /// One holder's part.
    #[must_use]
    pub fn holding(&self, worker: WorkerId) -> Option<&Holding> {
        self.holdings.iter().find(|it| it.worker == worker)
    }

    pub(super) fn holding_mut(&mut self, worker: WorkerId) -> Option<&mut Holding> {
        self.holdings.iter_mut().find(|it| it.worker == worker)
    }

    /// It is given to a worker, level with the least-given, who owes still what it owed.
    fn admit(&mut self, mut it: Holding) {
        it.share = self.candidates().map(|it| it.share).min().unwrap_or(0);
        self.holdings.push(it);
    }

    /// A worker says that it listens.
    pub(super) fn heard_from(&mut self, worker: WorkerId) {
        if let Some(it) = self.holding_mut(worker) {
            it.listening = true;
        }
    }
}

impl Account {
    /// A worker is told that it has the listener, in this way.
    pub(super) fn admitted(
        &mut self,
        listener: ListenerId,
        worker: WorkerId,
        way: Mode,
        plan: &Plan,
        kernel: &Kernel,
    ) -> Checked {
        let owed = self.owed(listener, worker);
        let (Some(it), Some(member)) = (self.listings.get_mut(&listener), self.crew.get(&worker))
        else {
            return ensure(false, Check::C9SocketLife, || {
                format!("worker {worker} is given listener {listener}, which is not there")
            });
        };
        let wanted = self.rules.mode(&it.address);
        ensure(way == wanted, Check::C12Choice, || {
            format!("worker {worker} is given listener {listener} {way:?}, not {wanted:?}")
        })?;
        let kind = kernel.sockets.get(&listener).map(Socket::kind);
        let limits = &plan.limits;
        let most = match (kind, member.lane) {
            (Some(SocketKind::Tcp), true) => limits.lane_window,
            (Some(SocketKind::Tcp), false) => limits.channel_window,
            (Some(SocketKind::Stream | SocketKind::Datagram) | None, _) => limits.unproven_window,
        };
        let (given, share, last_given) = (0, 0, 0);
        it.admit(Holding {
            way,
            alone: member.alone && way == Mode::Shared,
            worker,
            origin: member.origin,
            most,
            window: most,
            owed,
            given,
            share,
            last_given,
            latency: None,
            rests_until: None,
            listening: false,
            cpu: None,
        });
        Ok(())
    }

    /// What holds a worker up that is free, of those that hold the listener.
    #[must_use]
    pub fn held_up(
        &self,
        listener: ListenerId,
        now: Time,
        plan: &Plan,
    ) -> Vec<(WorkerId, Seq, ConnId)> {
        let holdings = self.listings.get(&listener).into_iter().flat_map(|it| &it.holdings);
        let of = |it: &Holding| {
            let seq = it.held_up_by(now, &plan.limits)?;
            Some((it.worker, seq, *self.outstanding.get(&(it.worker, seq))?))
        };
        holdings.filter(|it| it.is_free(now, &plan.limits)).filter_map(of).collect()
    }

    /// What a worker has of a listener's connections and has not answered.
    fn owed(&self, listener: ListenerId, worker: WorkerId) -> VecDeque<Owed> {
        let of = |(key, conn): (&(WorkerId, Seq), &_)| {
            let entry = self.conns.get(conn).filter(|it| it.listener == listener)?;
            let (since, served) = (entry.offered_at, entry.served);
            (key.0 == worker).then_some(Owed { seq: key.1, since, served })
        };
        self.outstanding.iter().filter_map(of).collect()
    }

    /// Counts an offer for the fairness of the listener.
    pub(super) fn count_offer(
        &mut self,
        listener: ListenerId,
        (worker, seq): (WorkerId, Seq),
        now: Time,
        limits: &Limits,
    ) {
        let Some(it) = self.listings.get_mut(&listener) else {
            return;
        };
        it.given += 1;
        if it.holdings.iter().any(|it| it.is_late(now, limits)) {
            self.met.saw("window: narrow while an answer is owed");
        }
        let most = it.holdings.iter().map(|it| it.share).max().unwrap_or(0);
        let turn = it.given;
        if let Some(it) = it.holding_mut(worker) {
            it.offered(seq, now, (turn, most.saturating_sub(limits.deficit)));
        }
    }

    /// Counts an answer for the pace of the worker.
    pub(super) fn count_answer(
        &mut self,
        listener: ListenerId,
        (worker, seq): (WorkerId, Seq),
        now: Time,
        refused: bool,
        limits: &Limits,
    ) {
        let it = self.listings.get_mut(&listener).and_then(|it| it.holding_mut(worker));
        if let Some(it) = it {
            self.met.saw(it.answered(seq, now, refused, limits));
        }
    }

    /// How busy a worker's process is, for the listeners whose policy wants to know.
    pub(super) fn busy(&mut self, worker: WorkerId, share: CpuShare) {
        for it in self.listings.values_mut() {
            let needed = self.rules.policy(&it.address).needs_all();
            if let Some(it) = it.holding_mut(worker) {
                it.cpu = needed.then_some(share);
            }
        }
    }

    /// A policy that does not want to know is not shown what another wanted.
    pub(super) fn forget_busy(&mut self) {
        for it in self.listings.values_mut() {
            if !self.rules.policy(&it.address).needs_all() {
                it.holdings.iter_mut().for_each(|it| it.cpu = None);
            }
        }
    }
}
