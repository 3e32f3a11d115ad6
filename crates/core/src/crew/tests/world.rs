//! A world in which forks succeed at once, and workers do what the test says.

use std::time::Duration;

use crate::primary::Exit;
use crate::supervise::{Action, Crew, Event, Force, Notice, Outcome, Settings};
use crate::{Time, WorkerId};

pub(super) struct World {
    pub(super) crew: Crew,
    pub(super) now: Time,
    /// Everything that was asked for, in order.
    pub(super) asked: Vec<Action>,
    pub(super) last: u32,
    /// Forks answer with a failure.
    pub(super) cannot_fork: bool,
    /// Workers become ready as soon as they are spawned.
    pub(super) ready_at_once: bool,
}

impl World {
    /// A crew whose workers are ready as soon as they are spawned.
    pub(super) fn of(workers: usize) -> Self {
        Self::new(workers, true)
    }

    /// A crew whose workers say nothing until the test lets them.
    pub(super) fn silent(workers: usize) -> Self {
        Self::new(workers, false)
    }

    fn new(workers: usize, ready_at_once: bool) -> Self {
        let settings = Settings { workers, ..Settings::default() };
        let crew = Crew::new(settings);
        let asked = Vec::new();
        let mut world =
            Self { crew, now: Time::ZERO, asked, last: 0, cannot_fork: false, ready_at_once };
        world.tell(Event::Start);
        world
    }

    pub(super) fn tell(&mut self, event: Event) {
        let mut out = Vec::new();
        self.crew.handle(self.now, event, &mut out);
        self.perform(out);
    }

    pub(super) fn wait(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(next) = self.crew.next_timeout().filter(|next| *next <= until) {
            self.now = self.now.max(next);
            let mut out = Vec::new();
            self.crew.handle_timeout(self.now, &mut out);
            self.perform(out);
        }
        self.now = until;
    }

    fn perform(&mut self, actions: Vec<Action>) {
        for action in actions {
            self.asked.push(action);
            let Action::Fork { slot, generation } = action else {
                continue;
            };
            if self.cannot_fork {
                self.tell(Event::SpawnFailed { slot, generation, permanent: true });
                continue;
            }
            self.last += 1;
            let worker = WorkerId(self.last);
            self.tell(Event::Spawned { slot, generation, worker });
            if self.ready_at_once {
                self.ready(self.last);
            }
        }
    }

    pub(super) fn ready(&mut self, worker: u32) {
        let worker = WorkerId(worker);
        self.tell(Event::Online { worker });
        self.tell(Event::Ready { worker });
    }

    pub(super) fn dies(&mut self, worker: u32) {
        let (worker, status) = (WorkerId(worker), Exit::Signal(9));
        self.tell(Event::Exited { worker, status, planned: false });
    }

    /// The workers in their slots, by id; 0 for an empty slot.
    pub(super) fn seated(&self) -> Vec<u32> {
        self.crew.slots().map(|it| it.worker.map_or(0, |it| it.0)).collect()
    }

    pub(super) fn forks(&self) -> usize {
        self.asked.iter().filter(|it| matches!(it, Action::Fork { .. })).count()
    }

    pub(super) fn asked_to_leave(&self, worker: u32) -> bool {
        self.asked.contains(&Action::Disconnect { worker: WorkerId(worker) })
    }

    pub(super) fn signalled(&self, worker: u32, force: Force) -> bool {
        self.asked.contains(&Action::Signal { worker: WorkerId(worker), force })
    }

    pub(super) fn notices(&self) -> Vec<Notice> {
        let notice = |it: &Action| match it {
            Action::Notify(notice) => Some(*notice),
            Action::Fork { .. }
            | Action::Disconnect { .. }
            | Action::Signal { .. }
            | Action::Forget { .. }
            | Action::Finished(_) => None,
        };
        self.asked.iter().filter_map(notice).collect()
    }

    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        let outcome = |it: &Action| match it {
            Action::Finished(outcome) => Some(*outcome),
            Action::Fork { .. }
            | Action::Disconnect { .. }
            | Action::Signal { .. }
            | Action::Forget { .. }
            | Action::Notify(_) => None,
        };
        self.asked.iter().filter_map(outcome).collect()
    }
}

pub(super) const fn ms(time: u64) -> Duration {
    Duration::from_millis(time)
}
