//! A crew, its clock, and a shell that starts what is asked for.

use super::super::Crew;
use super::*;

/// A crew, the time, and the forks that were not answered yet.
pub(super) struct World {
    pub(super) crew: Crew,
    pub(super) now: Time,
    pub(super) open: Vec<(Ticket, SlotId, Generation)>,
    last_worker: u32,
}

impl World {
    /// A crew that was begun.
    pub(super) fn with(workers: usize, change: impl FnOnce(&mut Settings)) -> Self {
        // Only the tests of the head start want it: in all others the whole crew is there at once.
        let head_start = Duration::ZERO;
        let mut settings = Settings { workers, head_start, ..Settings::default() };
        change(&mut settings);
        let mut world =
            Self { crew: Crew::new(settings), now: Time::ZERO, open: Vec::new(), last_worker: 0 };
        world.on(Event::Start);
        world
    }

    /// A crew whose workers, from 1 on, have all been ready for long.
    pub(super) fn serving(workers: usize) -> Self {
        Self::serving_with(workers, |_| {})
    }

    pub(super) fn serving_with(workers: usize, change: impl FnOnce(&mut Settings)) -> Self {
        let mut world = Self::with(workers, change);
        while !world.open.is_empty() {
            for worker in world.spawn() {
                world.serve(worker);
            }
        }
        world.waits(60_000);
        world
    }

    /// What the crew decides on this event.
    pub(super) fn on(&mut self, event: Event) -> Vec<Action> {
        let mut out = Vec::new();
        self.crew.handle(self.now, event, &mut out);
        self.open.extend(forks(&out));
        out
    }

    /// Time passes, one time-out after the other; what they decided.
    pub(super) fn waits(&mut self, ms: u64) -> Vec<Action> {
        let until = self.now + Duration::from_millis(ms);
        let mut all = Vec::new();
        while let Some(at) = self.crew.next_timeout().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            let before = all.len();
            self.crew.handle_timeout(self.now, &mut all);
            self.open.extend(forks(&all[before..]));
        }
        self.now = until;
        all
    }

    /// Every process that was asked for is there; who they are.
    pub(super) fn spawn(&mut self) -> Vec<WorkerId> {
        let open = std::mem::take(&mut self.open);
        open.into_iter().map(|it| self.spawn_one(it.0).0).collect()
    }

    /// This process is there; who it is, and what that decided.
    pub(super) fn spawn_one(&mut self, ticket: Ticket) -> (WorkerId, Vec<Action>) {
        self.last_worker += 1;
        let worker = WorkerId(self.last_worker);
        let actions = self.on(Event::Spawned { ticket, worker });
        (worker, actions)
    }

    /// No process could be started for any request.
    pub(super) fn refuse(&mut self, permanent: bool) -> Vec<Action> {
        let open = std::mem::take(&mut self.open);
        let failed = open.into_iter().map(|it| Event::SpawnFailed { ticket: it.0, permanent });
        failed.flat_map(|it| self.on(it)).collect()
    }

    /// A worker comes online and listens.
    pub(super) fn serve(&mut self, worker: WorkerId) -> Vec<Action> {
        let mut actions = self.on(Event::Online { worker });
        actions.extend(self.on(Event::Ready { worker }));
        actions
    }

    pub(super) fn exit(&mut self, worker: WorkerId) -> Vec<Action> {
        self.exit_with(worker, CRASH, false)
    }

    pub(super) fn exit_with(
        &mut self,
        worker: WorkerId,
        status: Exit,
        planned: bool,
    ) -> Vec<Action> {
        self.on(Event::Exited { worker, status, planned })
    }

    /// Everything asked for is started and dies at once, until the crew waits for something else.
    pub(super) fn crash_for(&mut self, ms: u64) -> Vec<Action> {
        let until = self.now + Duration::from_millis(ms);
        let mut all = Vec::new();
        while self.now < until {
            for worker in self.spawn() {
                all.extend(self.exit(worker));
            }
            let Some(at) = self.crew.next_timeout().filter(|at| *at <= until) else {
                break;
            };
            let wait = at.since(self.now).as_millis();
            all.extend(self.waits(u64::try_from(wait).unwrap() + 1));
        }
        all
    }

    /// How far a worker's life has come; none when it is not there.
    pub(super) fn stage(&self, worker: WorkerId) -> Option<Stage> {
        let mut all = self.crew.workers(self.now);
        all.find(|it| it.worker == worker).map(|it| it.stage)
    }

    /// Who has the slots, and of which generation.
    pub(super) fn seats(&self) -> Vec<(SlotState, Generation)> {
        let slots = self.crew.slots();
        slots.map(|it| (it.state, it.generation)).collect()
    }
}

pub(super) fn forks(actions: &[Action]) -> Vec<(Ticket, SlotId, Generation)> {
    let forks = actions.iter().filter_map(|it| match it {
        Action::Fork { ticket, slot, generation } => Some((*ticket, *slot, *generation)),
        _ => None,
    });
    forks.collect()
}

/// One that is told to leave by a signal counts as well.
pub(super) fn signals(actions: &[Action]) -> Vec<(WorkerId, Force)> {
    let signals = actions.iter().filter_map(|it| match it {
        Action::Signal { worker, force } => Some((*worker, *force)),
        Action::DrainSignal { worker } => Some((*worker, Force::Terminate)),
        _ => None,
    });
    signals.collect()
}

pub(super) fn disconnected(actions: &[Action]) -> Vec<WorkerId> {
    let told = actions.iter().filter_map(|it| match it {
        Action::Disconnect { worker } => Some(*worker),
        _ => None,
    });
    told.collect()
}

pub(super) fn notices(actions: &[Action]) -> Vec<Notice> {
    let notices = actions.iter().filter_map(|it| match it {
        Action::Notify(notice) => Some(*notice),
        _ => None,
    });
    notices.collect()
}

/// What is decided about the first worker once it is known what it is doing.
pub(super) fn found(world: &mut World, found: Found) -> Vec<Action> {
    world.on(Event::Examined { worker: W1, found, owes: Some(Time::ZERO) })
}
