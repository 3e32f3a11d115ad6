//! A hostile world, drawn from a seed: whatever happens, these hold.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::world::ms;
use crate::primary::Exit;
use crate::supervise::{Action, Crew, Event, Force, Life, Notice, Settings, SlotView};
use crate::{Errno, Time, WorkerId};

const SEEDS: u64 = 3_000;
const STEPS: u64 = 250;

#[test]
fn no_world_makes_a_crew_signal_the_dead_or_hang_or_loop() {
    for seed in 0..SEEDS {
        let mut walk = Walk::new(seed);
        for _ in 0..STEPS {
            walk.step();
        }
        walk.calm();
        walk.stop();
    }
}

struct Walk {
    seed: u64,
    draws: u64,
    crew: Crew,
    now: Time,
    alive: BTreeMap<WorkerId, bool>,
    dead: BTreeSet<WorkerId>,
    forks: VecDeque<(usize, u64)>,
    last: u32,
    fork_times: BTreeMap<usize, Vec<Time>>,
    reloads: i64,
    finished: usize,
    terminated: BTreeSet<WorkerId>,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let workers = 1 + usize::try_from(seed % 4).unwrap();
        let settings = Settings { workers, seed, ..Settings::default() };
        let mut walk = Self {
            seed,
            draws: seed,
            crew: Crew::new(settings),
            now: Time::ZERO,
            alive: BTreeMap::new(),
            dead: BTreeSet::new(),
            forks: VecDeque::new(),
            last: 0,
            fork_times: BTreeMap::new(),
            reloads: 0,
            finished: 0,
            terminated: BTreeSet::new(),
        };
        walk.tell(Event::Start);
        walk
    }

    fn draw(&mut self, below: u64) -> u64 {
        self.draws = self
            .draws
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.draws >> 33) % below
    }

    fn tell(&mut self, event: Event) {
        let mut out = Vec::new();
        self.crew.handle(self.now, event, &mut out);
        self.look(&out);
    }

    fn look(&mut self, actions: &[Action]) {
        let seed = self.seed;
        for action in actions {
            assert_eq!(self.finished, 0, "seed {seed}: {action:?} after the end");
            match action {
                Action::Fork { slot, generation } => {
                    self.forks.push_back((*slot, *generation));
                    self.fork_times.entry(*slot).or_default().push(self.now);
                }
                Action::Disconnect { worker } => self.must_live(*worker, action),
                Action::Signal { worker, force } => {
                    self.must_live(*worker, action);
                    if *force == Force::Kill {
                        self.alive.insert(*worker, true);
                    }
                    self.terminated.insert(*worker);
                }
                Action::Notify(Notice::ReloadStarted { .. }) => self.reloads += 1,
                Action::Notify(Notice::ReloadCommitted { .. } | Notice::RolledBack { .. }) => {
                    self.reloads -= 1;
                }
                Action::Notify(_) | Action::Forget { .. } => {}
                Action::Finished(_) => self.finished += 1,
            }
        }
        assert!((0..=1).contains(&self.reloads), "seed {seed}: one verdict for one reload");
        let staying = self.crew.workers().filter(|it| !matches!(it.1, Life::Draining(_)));
        let most = self.crew.wanted() + 1;
        assert!(
            staying.count() <= most,
            "seed {seed}: more than {most} workers stay: {:?}",
            self.crew
        );
    }

    /// Nobody is signalled after it was reaped (S1).
    fn must_live(&self, worker: WorkerId, action: &Action) {
        assert!(!self.dead.contains(&worker), "seed {}: {action:?} to the dead", self.seed);
    }

    fn pick(&mut self) -> Option<WorkerId> {
        let count = self.alive.len() as u64;
        let at = usize::try_from(if count == 0 {
            return None;
        } else {
            self.draw(count)
        })
        .unwrap();
        self.alive.keys().nth(at).copied()
    }

    fn exit(&mut self, worker: WorkerId, status: Exit, planned: bool) {
        self.alive.remove(&worker);
        self.dead.insert(worker);
        self.tell(Event::Exited { worker, status, planned });
    }

    fn answer_fork(&mut self, fails: bool) {
        let Some((slot, generation)) = self.forks.pop_front() else {
            return;
        };
        if fails {
            let permanent = self.draw(20) == 0;
            return self.tell(Event::SpawnFailed { slot, generation, permanent });
        }
        self.last += 1;
        let worker = WorkerId(self.last);
        self.alive.insert(worker, false);
        self.tell(Event::Spawned { slot, generation, worker });
    }

    fn step(&mut self) {
        if self.finished > 0 {
            return;
        }
        let worker = self.pick();
        match (self.draw(16), worker) {
            (0..=3, _) => {
                let fails = self.draw(10) == 0;
                self.answer_fork(fails);
            }
            (4..=5, Some(worker)) => self.tell(Event::Online { worker }),
            (6..=7, Some(worker)) => self.tell(Event::Ready { worker }),
            (8, Some(worker)) => self.exit(worker, Exit::Code(1), false),
            (9, Some(worker)) => self.exit(worker, Exit::Code(0), true),
            (10, Some(worker)) if self.draw(4) == 0 => {
                self.tell(Event::CannotListen { worker, errno: Errno::ADDRESS_IN_USE });
            }
            (11, Some(worker)) if self.draw(4) == 0 => self.tell(Event::Misbehaved { worker }),
            (12, _) => self.tell(Event::Reload),
            (13, _) => {
                let workers = usize::try_from(self.draw(6)).unwrap();
                self.tell(Event::Resize { workers });
            }
            (14, _) => self.sleep(ms(40_000)),
            _ => {
                let time = self.draw(2_000);
                self.sleep(ms(time));
            }
        }
    }

    /// Time passes; every killed worker dies on the way. The number of wake-ups is bounded.
    fn sleep(&mut self, time: Duration) {
        let until = self.now + time;
        let mut wakes = 0;
        while let Some(next) = self.crew.next_timeout().filter(|next| *next <= until) {
            wakes += 1;
            assert!(wakes < 2_000, "seed {}: a timer spins", self.seed);
            self.now = self.now.max(next);
            let mut out = Vec::new();
            self.crew.handle_timeout(self.now, &mut out);
            self.look(&out);
            self.bury();
        }
        self.now = until;
    }

    fn bury(&mut self) {
        let killed: Vec<_> = self.alive.iter().filter(|it| *it.1).map(|it| *it.0).collect();
        for worker in killed {
            self.exit(worker, Exit::Signal(9), false);
        }
    }

    /// Faults stop: forks succeed and workers get ready, those that are to leave do. Then every slot is
    /// filled and ready, and no reload is left open.
    fn calm(&mut self) {
        for _ in 0..400 {
            if self.finished > 0 {
                return;
            }
            while !self.forks.is_empty() {
                self.answer_fork(false);
            }
            self.bury();
            for worker in self.alive.keys().copied().collect::<Vec<_>>() {
                let leaving = self
                    .crew
                    .workers()
                    .any(|(it, life)| it == worker && matches!(life, Life::Draining(_)));
                if leaving {
                    self.exit(worker, Exit::Code(0), true);
                } else {
                    self.tell(Event::Online { worker });
                    self.tell(Event::Ready { worker });
                }
            }
            self.sleep(ms(1_000));
        }
        let ready = |it: SlotView| it.life == Some(Life::Ready);
        let seed = self.seed;
        assert!(self.crew.slots().all(ready), "seed {seed}: {:?}", self.crew);
        assert_eq!(self.reloads, 0, "seed {seed}: a reload without a verdict");
        let generations: BTreeSet<_> = self.crew.slots().map(|it| it.generation).collect();
        assert_eq!(generations.len(), 1, "seed {seed}: a mixture of generations");
        for (slot, times) in &self.fork_times {
            let rate = times.windows(120).any(|it| it[119].since(it[0]) < ms(1_000));
            assert!(!rate, "seed {seed}: slot {slot} busy-loops");
        }
    }

    /// Whatever the workers do, the end comes within grace and term grace (S5).
    fn stop(&mut self) {
        if self.finished == 0 {
            self.tell(Event::Stop);
            while !self.forks.is_empty() {
                self.answer_fork(false);
            }
            self.sleep(ms(12_001));
        }
        assert_eq!(self.finished, 1, "seed {}: {:?}", self.seed, self.crew);
        assert!(self.alive.is_empty() && self.crew.is_finished(), "seed {}", self.seed);
    }
}
