//! One listening socket of the primary: who holds it, what waits on it, whether it is accepted from.

use std::collections::VecDeque;
use std::sync::Arc;

use super::live::Counting;
use super::members::Members;
use super::owed::Owed;
use super::pace::Pace;
use super::rules::RuleId;
use super::shedding::Shedding;
use super::worker::Worker;
use super::{BoundTo, Mode};
use crate::scheduler::{Choice, Look, WorkerView};
use crate::supervise::Generation;
use crate::{Backoff, ConnId, Key, Limits, Query, Seq, SocketKind, Time, WorkerId};

/// A question, and whose it is.
pub(super) type Asked = (WorkerId, Seq, Query);

/// Whether the socket exists yet.
#[derive(Debug)]
pub(super) enum State {
    /// It is being bound; these workers wait for the outcome.
    Binding {
        waiting: Vec<Asked>,
        /// The last of them closed it again, or the user did: nobody is to find it open.
        unwanted: bool,
    },
    /// It is there.
    Open(BoundTo),
}

/// Whether the primary accepts from the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepting {
    /// It does.
    On,
    /// Nobody is to be handed connections (shared), or not yet (binding).
    Off,
    /// It does, and closes what it accepts: the queue is full.
    Shedding,
    /// The queue is full.
    Full,
    /// `accept` failed for want of this; a timer ends the rest.
    Resting(Want),
}

/// What is wanting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Want {
    /// Descriptors: also the close of one of ours ends the rest.
    Descriptors,
    /// Something else, or nobody knows what.
    Another,
}

impl Accepting {
    /// Whether the shell accepts, whatever becomes of the connections.
    pub(super) const fn is_polled(self) -> bool {
        matches!(self, Self::On | Self::Shedding)
    }
}

/// What a listener's scheduler has decided so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// It was asked about a connection.
    pub asked: u64,
    /// It chose a worker.
    pub given: u64,
    /// It let the connection wait, or for a busy worker.
    pub waited: u64,
    /// It refused the connection.
    pub refused: u64,
}

impl Counts {
    pub(super) const fn note(&mut self, choice: Choice) {
        self.asked += 1;
        match choice {
            // Counted when it is offered.
            Choice::Give(_) => {}
            Choice::Wait(_) => self.waited += 1,
            Choice::Refuse => self.refused += 1,
        }
    }
}

/// How one worker holds a listener.
#[derive(Debug)]
struct Holding {
    way: Mode,
    /// It can be handed connections, whoever accepts for it.
    takes: bool,
    pace: Pace,
}

/// A listener's record.
#[derive(Debug)]
pub(super) struct Listener {
    pub(super) key: Key,
    pub(super) query: Query,
    /// The user has opened it, and no worker's leaving closes it.
    pub(super) is_kept: bool,
    /// Which policy is for it.
    pub(super) rule: RuleId,
    /// What is looked for in the first bytes of a connection that comes.
    pub(super) look: Option<Arc<Look>>,
    /// Who is to accept. A worker that holds it already goes on in its own way.
    pub(super) mode: Mode,
    pub(super) state: State,
    /// Where the kernel spreads connections over several sockets.
    pub(super) members: Members,
    pub(super) data: Option<String>,
    /// The newest generation that has asked for it. Above all of them where somebody has who is of no crew.
    pub(super) newest: Generation,
    /// The workers that hold it, as the scheduler sees them: first those that the primary accepts for, last those that
    /// can be given nothing.
    pub(super) holders: Vec<WorkerView>,
    /// In the same order, what the scheduler does not see.
    holdings: Vec<Holding>,
    pub(super) counting: Counting,
    pub(super) counts: Counts,
    /// What of them was told last.
    pub(super) told: Counts,
    /// Holders that have not yet said what they made of it: each says `listening` or `close`.
    pub(super) silent: Vec<WorkerId>,
    /// Questions of workers that hold it or wait for it already, kept until their word about the first is there.
    pub(super) seconds: Vec<Asked>,
    /// Connections that wait for a worker, the oldest first.
    pub(super) queue: VecDeque<ConnId>,
    /// The most that have waited at once.
    pub(super) deepest: usize,
    pub(super) accepting: Accepting,
    pub(super) rest: Backoff,
    /// When accepting failed last for want of something.
    pub(super) failed_last: Option<Time>,
    pub(super) shedding: Shedding,
    /// Connections that the primary accepted here.
    pub(super) accepted: u64,
    /// Those of them that a worker took.
    pub(super) taken: u64,
    /// A worker has had the socket itself: what such a one accepts nobody counts.
    pub(super) was_shared: bool,
    turns: u64,
}

impl Listener {
    pub(super) fn binding(query: Query, (rule, mode): (RuleId, Mode), limits: &Limits) -> Self {
        Self {
            key: query.key(),
            data: query.data.clone(),
            query,
            is_kept: false,
            rule,
            look: None,
            mode,
            state: State::Binding { waiting: Vec::new(), unwanted: false },
            members: Members::default(),
            newest: Generation::FIRST,
            holders: Vec::new(),
            holdings: Vec::new(),
            counting: Counting::Off,
            counts: Counts::default(),
            told: Counts::default(),
            silent: Vec::new(),
            seconds: Vec::new(),
            queue: VecDeque::new(),
            deepest: 0,
            accepting: Accepting::Off,
            rest: Backoff::new(limits.accept_rest, limits.accept_rest_cap, 0),
            failed_last: None,
            shedding: Shedding::default(),
            accepted: 0,
            taken: 0,
            was_shared: false,
            turns: 0,
        }
    }

    pub(super) fn is_held_by(&self, worker: WorkerId) -> bool {
        self.holders.iter().any(|view| view.worker == worker)
    }

    /// Whether the worker holds it or waits for it.
    pub(super) fn is_wanted_by(&self, worker: WorkerId) -> bool {
        self.is_awaited_by(worker) || self.is_held_by(worker)
    }

    /// Adds a holder that is to have connections in this listener's way; one that accepts alone is handed none if that
    /// is to accept. It is level with the least-given one: it owes nothing and is owed nothing. What it was offered here
    /// before it closed the listener and asked again still counts against its window.
    pub(super) fn add(
        &mut self,
        mut view: WorkerView,
        accepts_alone: bool,
        unanswered: VecDeque<Owed>,
    ) {
        view.share = self.candidates().iter().map(|it| it.share).min().unwrap_or(0);
        view.in_flight = u32::try_from(unanswered.len()).unwrap_or(u32::MAX);
        let (place, takes) = match self.mode {
            Mode::Handover => (self.handed(), true),
            Mode::Shared | Mode::Kernel if accepts_alone => (self.holders.len(), false),
            Mode::Shared | Mode::Kernel => (self.candidates().len(), true),
        };
        self.was_shared |= self.mode != Mode::Handover;
        self.silent.push(view.worker);
        let pace = Pace::new(view.window, unanswered);
        self.holdings.insert(place, Holding { way: self.mode, takes, pace });
        self.holders.insert(place, view);
    }

    /// Takes a worker off, whether it holds the listener or still waits for it.
    pub(super) fn remove(&mut self, worker: WorkerId) -> bool {
        let before = self.wanted_by();
        if let Some(place) = self.holders.iter().position(|view| view.worker == worker) {
            self.holders.remove(place);
            self.holdings.remove(place);
        }
        // Whoever leaves gets no answer any more.
        self.spoke(worker);
        if let State::Binding { waiting, .. } = &mut self.state {
            waiting.retain(|(who, ..)| *who != worker);
        }
        self.members.forget(worker);
        self.wanted_by() != before
    }

    /// How many workers hold it or wait for it.
    pub(super) fn wanted_by(&self) -> usize {
        self.holders.len() + self.awaiting().count()
    }

    /// What its socket is; none before it is bound.
    pub(super) const fn kind(&self) -> Option<SocketKind> {
        match &self.state {
            State::Open(bound) => Some(bound.kind),
            State::Binding { .. } => None,
        }
    }

    /// The port that its socket is bound to. None before that, and of a socket without one.
    pub(super) fn port(&self) -> Option<u16> {
        match &self.state {
            State::Open(bound) => bound.sockname.as_ref().map(|it| it.port),
            State::Binding { .. } => None,
        }
    }

    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, State::Open(_))
    }

    /// The widest window that a worker may have here. Without the kernel's proof an unanswered connection is lost
    /// with its worker: keep them few.
    pub(super) fn window(&self, lane: bool, limits: &Limits) -> u32 {
        match (self.kind(), lane) {
            (Some(SocketKind::Tcp), true) => limits.lane_window,
            (Some(SocketKind::Tcp), false) => limits.channel_window,
            (Some(SocketKind::Stream | SocketKind::Datagram) | None, _) => limits.unproven_window,
        }
    }

    /// How its holders hold it, each one.
    pub(super) fn ways(&self) -> impl Iterator<Item = Mode> + '_ {
        self.holdings.iter().map(|it| it.way)
    }

    /// Who holds it in another way than its policy wants by now.
    pub(super) fn holders_otherwise(&self) -> impl Iterator<Item = WorkerId> + '_ {
        let both = self.holders.iter().zip(self.ways());
        both.filter(|(_, way)| *way != self.mode).map(|(it, _)| it.worker)
    }

    /// How many of its holders are handed connections: they come first.
    pub(super) fn handed(&self) -> usize {
        self.holdings.partition_point(|it| it.way == Mode::Handover)
    }

    /// Among whom the scheduler chooses: one that accepts for itself takes a connection of a listener that it shares,
    /// if it is able to. While workers are replaced by those of another way, the few that are handed connections would
    /// otherwise have all that the primary accepts.
    pub(super) fn candidates(&self) -> &[WorkerView] {
        &self.holders[..self.holdings.partition_point(|it| it.takes)]
    }

    /// Whether the primary is to accept: for somebody whom it hands connections, or for those to come.
    pub(super) fn is_for_us(&self) -> bool {
        match self.mode {
            Mode::Handover if self.holders.is_empty() => self.is_open(),
            Mode::Handover | Mode::Shared | Mode::Kernel => self.is_open() && self.handed() > 0,
        }
    }

    pub(super) fn holder(&mut self, worker: WorkerId) -> Option<&mut WorkerView> {
        self.holders.iter_mut().find(|view| view.worker == worker)
    }

    /// Whether somebody can be given a connection now.
    pub(super) fn has_free_candidate(&mut self, now: Time, limits: &Limits) -> bool {
        self.look_at_holders(now, limits);
        self.candidates().iter().any(WorkerView::is_free)
    }

    /// Looks at how long each has owed an answer, and whose rest is over, for the time-out that ends it may not have been
    /// handled yet.
    fn look_at_holders(&mut self, now: Time, limits: &Limits) {
        for (view, holding) in self.holders.iter_mut().zip(&self.holdings) {
            holding.pace.look_at(now, view, limits);
            view.resting_until = view.resting_until.filter(|until| *until > now);
        }
    }

    /// Shows how many connections a worker has open, if that can be told: of one that accepts for itself only those are
    /// known that it was handed.
    pub(super) fn show_live(&mut self, worker: WorkerId, record: &Worker) {
        let counts = self.counting.counts(record.is_silent);
        if let Some((view, holding)) = self.holding(worker) {
            let known = counts && holding.way == Mode::Handover;
            view.live = known.then_some(record.live);
        }
    }

    /// Counts a hand-over to `worker`.
    pub(super) fn give(&mut self, worker: WorkerId, seq: Seq, now: Time, deficit: u64) {
        self.turns += 1;
        self.counts.given += 1;
        let turn = self.turns;
        let most = self.holders.iter().map(|view| view.share).max().unwrap_or(0);
        if let Some((view, holding)) = self.holding(worker) {
            view.in_flight += 1;
            view.given += 1;
            view.share = view.share.max(most.saturating_sub(deficit)) + 1;
            view.last_given = turn;
            holding.pace.offered(seq, now);
        }
    }

    /// Counts an answer of `worker`. A refusal lets it rest.
    pub(super) fn answered(
        &mut self,
        worker: WorkerId,
        seq: Seq,
        now: Time,
        rest_until: Option<Time>,
        limits: &Limits,
    ) {
        if let Some((view, holding)) = self.holding(worker) {
            view.in_flight = view.in_flight.saturating_sub(1);
            holding.pace.answered(seq, now, view, limits);
            if rest_until.is_some() {
                view.resting_until = rest_until;
            }
        }
    }

    /// Which connections that hold free workers up are to be asked about now.
    pub(super) fn ask_about(
        &mut self,
        now: Time,
        limits: &Limits,
        mut ask: impl FnMut(WorkerId, Seq),
    ) {
        self.look_at_holders(now, limits);
        for (view, holding) in self.holders.iter().zip(&mut self.holdings) {
            if let Some(seq) = holding.pace.ask_about(now, view, limits) {
                ask(view.worker, seq);
            }
        }
    }

    /// A worker serves what it has not answered for.
    pub(super) fn served(&mut self, worker: WorkerId, seq: Seq, now: Time, limits: &Limits) {
        if let Some((view, holding)) = self.holding(worker) {
            holding.pace.served(seq);
            holding.pace.look_at(now, view, limits);
        }
    }

    /// Takes note of those who wait now that everybody was given who could be.
    pub(super) fn note_depth(&mut self) {
        self.deepest = self.deepest.max(self.queue.len());
    }

    /// A count of its connections, where all of them come through the primary.
    pub(super) fn known(&self, count: u64) -> Option<u64> {
        (!self.was_shared && self.mode == Mode::Handover).then_some(count)
    }

    fn holding(&mut self, worker: WorkerId) -> Option<(&mut WorkerView, &mut Holding)> {
        let place = self.holders.iter().position(|view| view.worker == worker)?;
        Some((&mut self.holders[place], &mut self.holdings[place]))
    }

    /// Ends the rests that are over. Says when the next one ends.
    pub(super) fn wake(&mut self, now: Time) -> Option<Time> {
        for view in &mut self.holders {
            if view.resting_until.is_some_and(|until| until <= now) {
                view.resting_until = None;
            }
        }
        self.holders.iter().filter_map(|view| view.resting_until).min()
    }
}
