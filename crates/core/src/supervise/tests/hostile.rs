//! A world in which anything can happen to a worker at any time, drawn from a seed.

use std::collections::{BTreeMap, VecDeque};

use super::super::Crew;
use super::checker::{Checker, Process};
use super::*;

/// The crew, the world round it, and the checker that looks at every step.
#[derive(Debug)]
pub(super) struct Hostile {
    pub(super) seed: u64,
    random: u64,
    pub(super) crew: Crew,
    pub(super) now: Time,
    pub(super) checker: Checker,
    asked: VecDeque<(Ticket, SlotId)>,
    /// Killed workers, and when they are reaped.
    dying: Vec<(Time, WorkerId)>,
    /// Who is to be looked at.
    suspects: Vec<WorkerId>,
    last_worker: u32,
}

impl Hostile {
    pub(super) fn new(seed: u64, settings: Settings) -> Self {
        let mut world = Self {
            seed,
            random: seed,
            checker: Checker::new(seed, &settings),
            crew: Crew::new(settings),
            now: Time::ZERO,
            asked: VecDeque::new(),
            dying: Vec::new(),
            suspects: Vec::new(),
            last_worker: 0,
        };
        world.tell(Event::Start);
        world
    }

    /// splitmix64.
    pub(super) const fn draw(&mut self, below: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.random;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % below
    }

    pub(super) fn draw_worker(&mut self) -> Option<WorkerId> {
        let count = self.checker.alive.len();
        if count == 0 {
            return None;
        }
        let at = usize::try_from(self.draw(count as u64)).unwrap();
        self.checker.alive.keys().nth(at).copied()
    }

    pub(super) fn tell(&mut self, event: Event) {
        let (before, serving) = (self.crew.phase(), self.checker.served_before(self.now));
        let mut out = Vec::new();
        self.crew.handle(self.now, event, &mut out);
        self.checker.look(self.now, before, &self.crew, &out);
        let commanded = matches!(
            event,
            Event::Resize { .. } | Event::Scale { .. } | Event::Stop | Event::StopNow
        );
        if commanded {
            self.checker.commanded(self.now);
        } else if !matches!(event, Event::Misbehaved { .. }) {
            self.is_served(before, &serving, &out);
        }
        self.perform(&out);
    }

    /// During a reload, apart from its way back, which must come to its end also when nothing starts.
    fn is_served(&self, before: Phase, serving: &BTreeMap<WorkerId, SlotId>, out: &[Action]) {
        let ends = |it: &Action| matches!(it, Action::Notify(Notice::Stopping { .. }));
        let failed = |it: &Action| matches!(it, Action::Notify(Notice::ReloadFailed { .. }));
        let undone = matches!(before, Phase::RollingBack(_));
        if out.is_empty() || undone || out.iter().any(|it| ends(it) || failed(it)) {
            return;
        }
        let mut serving = serving.clone();
        // Those that hang are not lost to a reload.
        let hangs = |it: &Action, of: WorkerId| matches!(it, Action::Notify(Notice::Hangs { worker, .. }) if *worker == of);
        serving.retain(|worker, _| {
            self.checker.alive.contains_key(worker) && !out.iter().any(|it| hangs(it, *worker))
        });
        self.checker.still_served(&self.crew, self.now, &serving);
    }

    fn perform(&mut self, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Fork { ticket, slot, .. } => self.asked.push_back((*ticket, *slot)),
                Action::Signal { worker, force: Force::Kill } => {
                    let wait = Duration::from_millis(self.draw(500));
                    self.dying.push((self.now + wait, *worker));
                }
                Action::Examine { worker } => self.suspects.push(*worker),
                _ => {}
            }
        }
    }

    pub(super) fn answer_fork(&mut self, failure: Option<bool>) {
        let Some((ticket, slot)) = self.asked.pop_front() else {
            return;
        };
        self.checker.asked.remove(&ticket);
        if let Some(permanent) = failure {
            return self.tell(Event::SpawnFailed { ticket, permanent });
        }
        self.last_worker += 1;
        let worker = WorkerId(self.last_worker);
        let process = Process {
            slot,
            started: self.now,
            failed: 0,
            sign: self.now,
            beats: false,
            asked: None,
            turned: self.now,
            shown: false,
            ready: false,
            refused: false,
            online: false,
            told: false,
        };
        self.checker.alive.insert(worker, process);
        self.tell(Event::Spawned { ticket, worker });
    }

    pub(super) fn answer_all(&mut self) {
        while !self.asked.is_empty() {
            self.answer_fork(None);
        }
    }

    pub(super) fn exit(&mut self, worker: WorkerId, status: Exit, planned: bool) {
        self.checker.reaped(worker);
        self.dying.retain(|it| it.1 != worker);
        self.tell(Event::Exited { worker, status, planned });
    }

    pub(super) fn online(&mut self, worker: WorkerId) {
        self.alive(worker).online = true;
        self.tell(Event::Online { worker });
    }

    pub(super) fn ready(&mut self, worker: WorkerId) {
        let process = self.alive(worker);
        process.online = true;
        process.ready = true;
        self.tell(Event::Online { worker });
        self.tell(Event::Ready { worker });
    }

    pub(super) fn probe(&mut self, worker: WorkerId, began: Time, answered: bool) {
        let counts = self.checker.began_after_the_pause(began);
        let process = self.alive(worker);
        process.ready |= answered;
        process.shown |= answered;
        process.failed = match (answered, counts) {
            (true, _) => 0,
            (false, true) => process.failed + 1,
            (false, false) => process.failed,
        };
        self.tell(Event::Probed { worker, began, answered });
    }

    pub(super) fn owes(&mut self, worker: WorkerId, since: Time) {
        self.checker.owed = Some(since);
        self.tell(Event::Owes { worker, since });
        self.checker.owed = None;
    }

    pub(super) fn beats(&mut self, worker: WorkerId) {
        self.alive(worker).beats = true;
        self.tell(Event::Beats { worker });
    }

    pub(super) fn beat(&mut self, worker: WorkerId) {
        let now = self.now;
        let process = self.alive(worker);
        if process.asked.take().is_some() {
            (process.turned, process.shown) = (now, true);
        }
        self.tell(Event::Beat { worker });
    }

    /// Finds out what somebody is doing, if there is somebody to be looked at. What is told too late is told all the
    /// same.
    pub(super) fn examine(&mut self) {
        let Some(worker) = self.suspects.pop() else {
            return;
        };
        let found = match self.draw(4) {
            0 => Found::Stopped,
            1 => Found::Traced,
            _ => Found::Able,
        };
        if let Some(told) = self.checker.examined.get_mut(&worker) {
            *told = Some(found);
        }
        let owes = (self.draw(8) > 0).then_some(Time::ZERO);
        if let Some(process) = self.checker.alive.get_mut(&worker) {
            process.shown |= owes.is_none();
        }
        self.tell(Event::Examined { worker, found, owes });
        if found == Found::Traced {
            self.checker.examined.remove(&worker);
        }
    }

    pub(super) fn sign(&mut self, worker: WorkerId) {
        let now = self.now;
        let process = self.alive(worker);
        (process.sign, process.shown) = (now, true);
        self.tell(Event::Sign { worker });
    }

    /// The primary stands still: nobody is called, whatever is due.
    pub(super) fn pause(&mut self, ms: u64) {
        let due = self.crew.next_timeout();
        self.now = self.now + Duration::from_millis(ms);
        if due.is_some_and(|due| self.now - due > Duration::from_millis(500)) {
            self.checker.paused(self.now);
        }
        // Deaths are noticed before what is due.
        let dead: Vec<_> = self.dying.iter().filter(|it| it.0 <= self.now).map(|it| it.1).collect();
        for worker in dead {
            self.exit(worker, Exit::Signal(9), false);
        }
        if self.draw(2) == 0 {
            self.wake();
        }
    }

    pub(super) fn cannot_listen(&mut self, worker: WorkerId) {
        let serves = self.checker.served_before(self.now).contains_key(&worker);
        self.alive(worker).refused |= !serves;
        let errno = Errno::ADDRESS_IN_USE;
        self.tell(Event::CannotListen { worker, errno });
    }

    pub(super) fn disconnect(&mut self, worker: WorkerId, planned: bool) {
        let process = self.alive(worker);
        process.told |= process.online;
        self.tell(Event::Disconnected { worker, planned });
    }

    fn alive(&mut self, worker: WorkerId) -> &mut Process {
        self.checker.alive.get_mut(&worker).expect("drawn among the living")
    }

    /// Time passes, from one time-out or death to the next.
    pub(super) fn waits(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        let mut wakes = 0;
        loop {
            let death = self.dying.iter().min().copied();
            let next = [self.crew.next_timeout(), death.map(|it| it.0)];
            let Some(at) = next.into_iter().flatten().min().filter(|at| *at <= until) else {
                break;
            };
            wakes += 1;
            assert!(wakes < 5_000, "seed {}: time-outs without end", self.seed);
            self.now = self.now.max(at);
            match death {
                Some((time, worker)) if time <= self.now => {
                    self.exit(worker, Exit::Signal(9), false);
                }
                _ => self.wake(),
            }
        }
        self.now = until;
    }

    /// Goes to the next time-out or death, if there is one.
    pub(super) fn next(&mut self) {
        let death = self.dying.iter().min().map(|it| it.0);
        if let Some(at) = [self.crew.next_timeout(), death].into_iter().flatten().min() {
            self.now = self.now.max(at);
            self.waits(0);
        }
    }

    fn wake(&mut self) {
        let (before, serving) = (self.crew.phase(), self.checker.served_before(self.now));
        let mut out = Vec::new();
        self.crew.handle_timeout(self.now, &mut out);
        self.checker.look(self.now, before, &self.crew, &out);
        self.is_served(before, &serving, &out);
        self.perform(&out);
        let next = self.crew.next_timeout();
        assert!(next.is_none_or(|at| at > self.now), "seed {}: it spins", self.seed);
    }
}
