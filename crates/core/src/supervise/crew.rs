//! The machine: its state, the one place where events are told apart, and wanted against actual.

use std::collections::BTreeMap;

use super::life::{Asked, Occupant, Wish, Worker};
use super::recycle::Recycling;
use super::reload::Reload;
use super::slot::{Failures, Seat, Slot};
use super::trial::Newcomer;
use super::{Action, Event, Found, Generation, Outcome, Settings, SlotId, Ticket};
use crate::{Backoff, Time, TimerTable, WorkerId};

/// What a crew is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// It was not begun.
    Idle,
    /// It keeps its slots filled.
    Running(Health),
    /// It waits for its last process to end.
    Stopping(Goal),
    /// It has ended.
    Finished,
}

/// Whether starts are worth trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    /// They are.
    Sound,
    /// Too many failed: one at a time.
    Degraded,
}

/// Why a crew is being ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// It was asked to end; so many workers had to be killed since then.
    Asked { killed: usize },
    /// It ends by itself, and this is how.
    Given(Outcome),
}

/// The most that any worker of the committed generations has shown, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Milestone {
    /// No process was ever started.
    Nothing,
    /// One was.
    Spawned,
    /// One outlived the start deadline: a program that never listens.
    Lasted,
    /// One was ready.
    Served,
}

/// What a crew waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// The first worker does not start alone any longer.
    HeadStart,
    /// The newcomer of this slot should be ready by then.
    Trial(SlotId),
    /// A reload that nobody can be replaced for now should have gone on by then.
    Impasse,
    /// The worker should be ready by then.
    StartDeadline(WorkerId),
    /// The worker has lived, or served, for the stable time.
    Stable(WorkerId),
    /// The worker closed its channel or got no listener, and has not ended by itself.
    Patience(WorkerId),
    /// The next step of the worker's end.
    Ending(WorkerId),
    /// The slot's restart.
    Restart(SlotId),
    /// The worker has lived for as long as it may.
    Age(WorkerId),
    /// The worker should have given its sign of life by then.
    Watchdog(WorkerId),
    /// The worker is asked whether its runtime turns, or has not answered that.
    Beat(WorkerId),
    /// By then it should be known what the worker that hangs is doing.
    Examined(WorkerId),
    /// Whoever owes an answer may owe it for too long.
    Answers,
    /// The crew is called, so that it notices when it was not.
    Pulse,
    /// Worn workers may be replaced again.
    RecyclingRest,
}

/// The crew's machine. See the [module](super) for how to drive it.
#[derive(Debug)]
pub struct Crew {
    pub(super) settings: Settings,
    pub(super) state: State,
    pub(super) wanted: usize,
    /// The committed one.
    pub(super) generation: Generation,
    /// The newest that was ever begun.
    pub(super) newest: Generation,
    pub(super) slots: BTreeMap<SlotId, Slot>,
    pub(super) asked: BTreeMap<Ticket, Asked>,
    pub(super) workers: BTreeMap<WorkerId, Worker>,
    /// Who is to take a slot that may have somebody.
    pub(super) trials: BTreeMap<SlotId, Newcomer>,
    pub(super) reload: Reload,
    /// Another reload was asked for, too late to be the same.
    pub(super) reload_again: bool,
    /// When the primary was last found to have paused.
    pub(super) resumed: Time,
    pub(super) recycling: Option<Recycling>,
    /// Nobody is replaced for being worn until its timer fires.
    pub(super) recycling_rests: bool,
    /// How the last worker ended that was not to be replaced.
    pub(super) retired_by: Option<i32>,
    pub(super) best: Milestone,
    pub(super) failures: Failures,
    /// Delays of a canary, and of a slot whose budget is spent: the cap, spread.
    pub(super) rare: Backoff,
    /// How long workers may live: spread, so that those of one age do not go together.
    pub(super) ages: Option<Backoff>,
    pub(super) timers: TimerTable<Timer>,
    next_ticket: u64,
}

impl Crew {
    /// A crew that does nothing until [`Event::Start`].
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        let cap = settings.restart_cap;
        Self {
            state: State::Idle,
            wanted: settings.bounded(settings.workers),
            generation: Generation::FIRST,
            newest: Generation::FIRST,
            slots: BTreeMap::new(),
            asked: BTreeMap::new(),
            workers: BTreeMap::new(),
            trials: BTreeMap::new(),
            reload: Reload::None,
            reload_again: false,
            resumed: Time::ZERO,
            recycling: None,
            recycling_rests: false,
            retired_by: None,
            best: Milestone::Nothing,
            failures: Failures::new(),
            rare: Backoff::new(cap, cap, settings.seed),
            ages: settings.max_age.map(|age| Backoff::new(age, age, settings.seed)),
            timers: TimerTable::default(),
            next_ticket: 0,
            settings,
        }
    }

    /// Takes in what happened and appends what is to be done.
    pub fn handle(&mut self, now: Time, event: Event, out: &mut Vec<Action>) {
        self.notice_pause(now);
        match event {
            Event::Start => self.start(now),
            Event::Spawned { ticket, worker } => self.spawned(now, ticket, worker, out),
            Event::SpawnFailed { ticket, permanent } => {
                self.spawn_failed(now, ticket, permanent, out);
            }
            Event::Online { worker } => self.online(worker),
            Event::Ready { worker } => self.ready(now, worker, out),
            Event::CannotListen { worker, errno } => self.listen_failed(now, worker, errno),
            Event::Disconnected { worker, planned } => {
                self.disconnected(now, worker, planned, out);
            }
            Event::Used { worker, connections } => self.used(worker, connections),
            Event::Memory { worker, bytes } => self.memory(worker, bytes),
            Event::Probed { worker, began, answered } => {
                self.probed(now, worker, began, answered, out);
            }
            Event::Owes { worker, since } => self.owes(now, worker, since, out),
            Event::Sign { worker } => self.signed(now, worker),
            Event::Beats { worker } => self.beats(now, worker),
            Event::Beat { worker } => self.beat(now, worker),
            Event::Examined { worker, found, owes } => {
                self.examined(now, worker, found, owes, out);
            }
            Event::Misbehaved { worker } => self.misbehaved(now, worker, out),
            Event::Exited { worker, status, planned } => {
                self.exited(now, worker, status, planned, out);
            }
            Event::Resize { workers } => self.resize(now, workers, out),
            Event::Scale { by } => self.resize(now, self.wanted.saturating_add_signed(by), out),
            Event::Reload => self.reload(now, out),
            Event::Stop => self.stop(now, out),
            Event::StopNow => self.stop_now(now, out),
        }
        self.settle(now, out);
    }

    /// Does what `now` has made due. Calling it early does nothing.
    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Action>) {
        self.notice_pause(now);
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Watchdog(worker) => self.sign_missed(now, worker, out),
                Timer::Beat(worker) => self.beat_due(now, worker, out),
                // Better ended by the usual steps than not at all.
                Timer::Examined(worker) => self.hung(now, worker, Found::Able, out),
                Timer::Answers => self.see_answers(now, out),
                Timer::Pulse => self.pulse(now),
                Timer::StartDeadline(worker) => self.start_deadline_passed(worker, out),
                Timer::Stable(worker) => self.stable(now, worker, out),
                Timer::Patience(worker) => self.patience_over(now, worker, out),
                Timer::Ending(worker) => self.next_step(now, worker, out),
                Timer::Restart(slot) => self.restart_due(slot),
                Timer::Age(worker) => self.of_age(now, worker),
                Timer::RecyclingRest => self.recycling_rests = false,
                // Settling fills the other slots.
                Timer::HeadStart => {}
                Timer::Trial(slot) => self.trial_overdue(now, slot, out),
                Timer::Impasse => self.impasse(now, out),
            }
            self.settle(now, out);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; `None` is never.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    fn start(&mut self, now: Time) {
        match self.state {
            State::Idle => {
                self.state = State::Running(Health::Sound);
                self.add_slots();
                if !self.settings.head_start.is_zero() {
                    self.timers.set(Timer::HeadStart, now + self.settings.head_start);
                }
            }
            // It runs, or is over: a crew begins once.
            State::Running(_) | State::Stopping(_) | State::Finished => {}
        }
    }

    /// Brings what is nearer to what is wanted: whatever happened, the next step is found here.
    fn settle(&mut self, now: Time, out: &mut Vec<Action>) {
        self.end_if_retired(now, out);
        match self.state {
            State::Running(_) => {
                self.advance_reload(now, out);
                self.fill(now, out);
                self.advance_recycling(now, out);
            }
            State::Stopping(goal) => self.finish(goal, out),
            // Nothing is wanted, and nothing runs.
            State::Idle | State::Finished => {}
        }
    }

    /// Asks for processes for the slots that have none, as many at a time as may be starting.
    fn fill(&mut self, now: Time, out: &mut Vec<Action>) {
        self.choose_canary(now, out);
        while self.starting(now) < self.starts_at_once() {
            let Some(id) = self.next_vacant() else {
                return;
            };
            if let Some(slot) = self.slots.get(&id) {
                let generation = slot.generation;
                let ticket = self.fork(id, generation, out);
                self.sit(id, Seat::Taken(Occupant::Asked(ticket)));
            }
        }
    }

    fn starts_at_once(&self) -> usize {
        if self.timers.is_set(Timer::HeadStart) {
            return 1;
        }
        self.settings.start_parallelism.max(1)
    }

    fn next_vacant(&self) -> Option<SlotId> {
        let mut vacant = self.slots.iter().filter(|it| it.1.seat == Seat::Vacant);
        vacant.find(|it| self.has_room(*it.0) && self.may_be_filled(*it.0)).map(|it| *it.0)
    }

    fn starting(&self, now: Time) -> usize {
        let asked = self.asked.values().filter(|it| it.wish == Wish::Keep);
        let young = self.workers.values();
        asked.count() + young.filter(|it| it.is_starting(now, &self.settings)).count()
    }

    /// Another process may be started for this slot.
    pub(super) fn has_room(&self, slot: SlotId) -> bool {
        self.processes_of(slot) < self.settings.processes_per_slot()
    }

    /// Processes of this slot, asked for or there, those that leave included.
    pub(super) fn processes_of(&self, slot: SlotId) -> usize {
        let asked = self.asked.values().filter(|it| it.slot == slot).count();
        let there = self.workers.values().filter(|it| it.slot == slot).count();
        asked + there
    }

    pub(super) fn fork(
        &mut self,
        slot: SlotId,
        generation: Generation,
        out: &mut Vec<Action>,
    ) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        if let Some(record) = self.slots.get_mut(&slot) {
            record.forks = record.forks.saturating_add(1);
        }
        let wish = Wish::Keep;
        self.asked.insert(ticket, Asked { slot, generation, wish });
        out.push(Action::Fork { ticket, slot, generation });
        ticket
    }

    pub(super) fn sit(&mut self, slot: SlotId, seat: Seat) {
        if let Some(slot) = self.slots.get_mut(&slot) {
            slot.seat = seat;
        }
    }

    /// How a slot stands that has just lost its worker, or is new.
    pub(super) const fn empty_seat(&self) -> Seat {
        match self.state {
            State::Running(Health::Degraded) => Seat::Parked,
            State::Running(Health::Sound) | State::Idle | State::Stopping(_) | State::Finished => {
                Seat::Vacant
            }
        }
    }
}
