//! The machine: its state, and the one place where events are told apart.

use std::collections::{BTreeMap, VecDeque};

use super::member::{Life, Member, Seat, Slot, SlotView};
use super::reload::Reload;
use super::{Action, Event, Notice, Outcome, Settings};
use crate::{Backoff, Time, TimerTable, WorkerId};

/// Where the crew's life is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not begun.
    Idle,
    /// Slots are kept filled.
    Running,
    /// Too many died young: one at a time is tried.
    Degraded,
    /// Everybody leaves; this will be the outcome if nobody has to be made to.
    Stopping(Outcome),
    /// Over.
    Finished,
}

/// What a crew waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A slot's restart delay.
    Restart(usize),
    /// The next try of a degraded crew.
    Canary,
    /// A worker should listen by now.
    StartDeadline(WorkerId),
    /// A worker has settled.
    Settled(WorkerId),
    /// A reload's new worker was ready for long enough.
    Stable(WorkerId),
    /// A leaving worker's time is over; the next step follows.
    Escalate(WorkerId),
}

/// The crew's machine. See the [module](super) for how to drive it.
#[derive(Debug)]
pub struct Crew {
    pub(super) settings: Settings,
    pub(super) phase: Phase,
    pub(super) slots: Vec<Slot>,
    pub(super) members: BTreeMap<WorkerId, Member>,
    pub(super) timers: TimerTable<Timer>,
    pub(super) reload: Option<Reload>,
    /// A reload was asked for while one was past its beginning.
    pub(super) reload_again: bool,
    /// The newest generation that was asked for.
    pub(super) newest: u64,
    /// The generation that serves.
    pub(super) generation: u64,
    /// Forks asked for and not yet answered.
    pub(super) forking: usize,
    pub(super) ever_ready: bool,
    pub(super) deaths: VecDeque<Time>,
    /// Workers that did not leave in time.
    pub(super) forced: usize,
}

impl Crew {
    /// A crew that has not begun.
    #[must_use]
    pub fn new(mut settings: Settings) -> Self {
        settings.workers = settings.workers.max(1);
        let mut crew = Self {
            settings,
            phase: Phase::Idle,
            slots: Vec::new(),
            members: BTreeMap::new(),
            timers: TimerTable::default(),
            reload: None,
            reload_again: false,
            newest: 0,
            generation: 0,
            forking: 0,
            ever_ready: false,
            deaths: VecDeque::new(),
            forced: 0,
        };
        crew.add_slots();
        crew
    }

    /// Takes in what happened and appends what is to be done.
    pub fn handle(&mut self, now: Time, event: Event, out: &mut Vec<Action>) {
        match event {
            Event::Start => self.start(out),
            Event::Spawned { slot, generation, worker } => {
                self.spawned(now, slot, generation, worker, out);
            }
            Event::SpawnFailed { slot, generation, permanent } => {
                self.spawn_failed(now, slot, generation, permanent, out);
            }
            Event::Online { worker } => self.online(worker),
            Event::Ready { worker } => self.ready(now, worker, out),
            Event::CannotListen { worker, errno } => {
                if let Some(member) = self.members.get_mut(&worker) {
                    member.cannot_listen.get_or_insert(errno);
                }
            }
            Event::Misbehaved { worker } => self.misbehaved(now, worker, out),
            Event::Exited { worker, status, planned } => {
                self.exited(now, worker, status, planned, out);
            }
            Event::Resize { workers } => self.resize(now, workers.max(1), out),
            Event::Reload => self.reload(now, out),
            Event::Stop => match self.phase {
                Phase::Idle | Phase::Running | Phase::Degraded => {
                    self.stop(now, Outcome::Stopped, out);
                }
                // Asked twice: whoever asks does not want to wait.
                Phase::Stopping(_) => self.stop_now(out),
                Phase::Finished => {}
            },
            Event::StopNow => {
                self.stop(now, Outcome::Stopped, out);
                self.stop_now(out);
            }
        }
    }

    /// Does what `now` has made due. Calling it early does nothing.
    pub fn handle_timeout(&mut self, now: Time, out: &mut Vec<Action>) {
        while let Some(timer) = self.timers.pop_due(now) {
            match timer {
                Timer::Restart(slot) => self.restart_due(slot, out),
                Timer::Canary => self.send_canary(out),
                Timer::StartDeadline(worker) => self.start_deadline_passed(now, worker, out),
                Timer::Settled(worker) => self.settled(worker),
                Timer::Stable(worker) => self.stable(now, worker, out),
                Timer::Escalate(worker) => self.escalate(now, worker, out),
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) wants to be called; `None` is never.
    #[must_use]
    pub fn next_timeout(&self) -> Option<Time> {
        self.timers.next()
    }

    /// Workers wanted.
    #[must_use]
    pub const fn wanted(&self) -> usize {
        self.settings.workers
    }

    /// Whether a reload is under way.
    #[must_use]
    pub const fn is_reloading(&self) -> bool {
        self.reload.is_some()
    }

    /// Whether the crew is over.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        matches!(self.phase, Phase::Finished)
    }

    /// The slots, in order.
    pub fn slots(&self) -> impl Iterator<Item = SlotView> + '_ {
        self.slots.iter().map(|slot| {
            let worker = match slot.seat {
                Seat::Taken(worker) => Some(worker),
                Seat::Vacant | Seat::Waiting | Seat::Forking => None,
            };
            let life = worker.and_then(|it| self.members.get(&it)).map(|it| it.life);
            let (generation, restarts) = (slot.generation, slot.restarts);
            SlotView { worker, life, generation, restarts }
        })
    }

    /// Every worker that has not exited, and its life.
    pub fn workers(&self) -> impl Iterator<Item = (WorkerId, Life)> + '_ {
        self.members.iter().map(|(worker, member)| (*worker, member.life))
    }

    pub(super) fn add_slots(&mut self) {
        while self.slots.len() < self.settings.workers {
            let seed = self.settings.seed ^ (self.slots.len() as u64).rotate_left(32);
            let (first, cap) = (self.settings.restart_first, self.settings.restart_cap);
            self.slots.push(Slot {
                seat: Seat::Vacant,
                generation: self.generation,
                backoff: Backoff::new(first, cap, seed),
                deaths: VecDeque::new(),
                restarts: 0,
            });
        }
    }

    fn resize(&mut self, now: Time, workers: usize, out: &mut Vec<Action>) {
        match self.phase {
            Phase::Idle | Phase::Running | Phase::Degraded => {}
            // Nobody is wanted any more.
            Phase::Stopping(_) | Phase::Finished => return,
        }
        if workers == self.settings.workers {
            return;
        }
        self.settings.workers = workers;
        out.push(Action::Notify(Notice::Resized { workers }));
        while self.slots.len() > workers {
            let slot = self.slots.len() - 1;
            self.timers.cancel(Timer::Restart(slot));
            if let Some(Slot { seat: Seat::Taken(worker), .. }) = self.slots.pop() {
                self.end(now, worker, out);
            }
        }
        self.add_slots();
        self.fill(out);
        self.reload_after_resize(now, out);
    }
}
