//! One world: a primary's machine, its shell, a model kernel, and worker processes.

use std::collections::VecDeque;
use std::time::Duration;

use portcrew_core::primary::{Action, Event, Origin, Primary, Rules, Settings};
use portcrew_core::supervise::Crew;
use portcrew_core::{Time, WorkerId};

use super::account::{Account, Ruled};
use super::clock::Clock;
use super::crew::CrewSeat;
use super::kernel::Kernel;
use super::mutation::Saboteur;
use super::plan::{Plan, Temper};
use super::policy::Wrongs;
use super::report::{Broken, Check, Checked, Coverage, Trace, ensure};
use super::rng::Rng;
use super::ruling::Undo;
use super::shell::{Desk, Shell};
use super::words::Brief;
use super::worker::Process;

/// Everything that there is.
#[derive(Debug)]
pub struct World {
    pub(super) plan: Plan,
    pub(super) rng: Rng,
    pub(super) clock: Clock,
    pub(super) kernel: Kernel,
    pub(super) primary: Primary,
    /// Who decides about workers, in worlds that are led.
    pub(super) crew: Option<Box<CrewSeat>>,
    /// What the crew has for the primary's machine.
    pub(super) then: VecDeque<Event>,
    pub(super) shell: Shell,
    pub(super) processes: Vec<Process>,
    pub(super) account: Account,
    pub(super) saboteur: Saboteur,
    /// What was done to schedulers that must not be.
    pub(super) wrongs: Wrongs,
    /// How the last change of a rule is undone.
    pub(super) undo: Option<Undo>,
    pub(super) actions: Vec<Action>,
    pub(super) seen: Coverage,
    pub(super) trace: Trace,
    /// Faults have stopped.
    pub(super) settling: bool,
    pub(super) step: u64,
    /// How often anybody had a turn: in each step somebody, and without faults everybody in each round.
    pub(super) turns: u64,
}

impl World {
    /// The world of this chance, before its first step.
    #[must_use]
    pub fn new(mut rng: Rng, saboteur: Saboteur, trace: Trace) -> Self {
        let plan = Plan::draw(&mut rng);
        let mut limits = plan.limits.clone();
        saboteur.limits(&mut limits);
        let (wrongs, mut account) = (Wrongs::default(), Account::default());
        let mut rules = Rules::default();
        for (name, spec) in &plan.rules {
            let rule = saboteur.rule(*spec, &wrongs);
            rules = match name {
                None => Rules::new(rule),
                Some(name) => rules.with(name.clone(), rule),
            };
            account.rules.set(name.clone(), Some(Ruled::new(*spec)));
        }
        let primary = Primary::new(Settings { rules, limits, ..Settings::default() });
        let crew = plan.led.as_ref().map(|it| {
            let machine = Crew::new(saboteur.crew_settings(it.settings.clone()));
            Box::new(CrewSeat::new(it, machine))
        });
        Self {
            crew,
            then: VecDeque::new(),
            plan,
            rng,
            clock: Clock::default(),
            kernel: Kernel::default(),
            primary,
            shell: Shell::default(),
            processes: Vec::new(),
            account,
            saboteur,
            wrongs,
            undo: None,
            actions: Vec::new(),
            seen: Coverage::default(),
            trace,
            settling: false,
            step: 0,
            turns: 0,
        }
    }

    /// Starts a worker that listens on some of what the plan has, on all of it when it is to be of use.
    pub(super) fn fork(&mut self, temper: Temper, origin: Origin, listens_on_all: bool) -> Checked {
        let worker = self.next_worker();
        let Some(pid) = self.kernel.processes.start(worker) else {
            return Ok(());
        };
        let mut process = Process::start(worker, pid, origin, temper, &self.plan);
        for query in self.plan.queries.clone() {
            if listens_on_all || self.rng.percent(85) {
                process.listen(query);
            }
        }
        self.trace.say(|| format!("worker {worker} starts: {temper:?}"));
        self.processes.push(process);
        self.shell.desks.insert(worker, Desk::default());
        self.feed(Event::Forked { worker, origin })
    }

    /// The number of the next process.
    pub(super) fn next_worker(&self) -> WorkerId {
        WorkerId(u32::try_from(self.processes.len() + 1).unwrap_or(u32::MAX))
    }

    pub(super) fn process_mut(&mut self, worker: WorkerId) -> Option<&mut Process> {
        let at = usize::try_from(worker.0).ok()?.checked_sub(1)?;
        self.processes.get_mut(at)
    }

    /// Tells the machine what happened, performs what it decides, and holds every promise against the
    /// outcome.
    pub(super) fn feed(&mut self, event: Event) -> Checked {
        self.tell(event);
        self.follow_up()
    }

    fn tell(&mut self, event: Event) {
        self.trace.say(|| format!("{:?} {}", self.clock.now().since_origin(), Brief(&event)));
        let now = self.clock.now();
        self.account.event(now, &event, &self.plan, &self.kernel);
        for told in self.saboteur.event(event) {
            self.primary.handle(now, told, &mut self.actions);
        }
    }

    /// Performs what the machine decided, and holds every promise against the outcome.
    pub(super) fn follow_up(&mut self) -> Checked {
        self.settle_all()?;
        self.run_timers()?;
        self.account.note_depths();
        self.account.settled()?;
        self.check()?;
        self.check_crew()
    }

    /// Performs until neither machine wants anything more.
    fn settle_all(&mut self) -> Checked {
        self.perform_all()?;
        while let Some(event) = self.then.pop_front() {
            self.tell(event);
            self.perform_all()?;
        }
        Ok(())
    }

    /// Lets time pass, and does what it makes due.
    pub(super) fn pass(&mut self, wait: Duration) -> Checked {
        let target = self.clock.now() + wait;
        while let Some(next) = self.next_timeout().filter(|at| *at <= target) {
            self.clock.jump(next);
            self.late()?;
        }
        self.clock.jump(target);
        // The machine had nothing to do; nor may the account have.
        self.account.tick(target, &self.plan);
        self.account.settled()
    }

    /// Does what is due, however late it is.
    pub(super) fn late(&mut self) -> Checked {
        self.trace.say(|| format!("{:?} time-out", self.clock.now().since_origin()));
        self.run_timers()?;
        self.account.settled()?;
        self.check()?;
        self.check_crew()?;
        if self.next_look().is_some_and(|at| at <= self.clock.now()) {
            self.look_at_workers()?;
        }
        Ok(())
    }

    fn next_timeout(&self) -> Option<Time> {
        let crew = self.crew.as_ref().and_then(|it| it.machine.next_timeout());
        [self.primary.next_timeout(), crew, self.next_look()].into_iter().flatten().min()
    }

    /// As the library does it: first the primary's machine, then the crew's.
    pub(super) fn run_timers(&mut self) -> Checked {
        let now = self.clock.now();
        loop {
            if self.primary.next_timeout().is_some_and(|at| at <= now) {
                self.clock.count_timeout()?;
                self.account.tick(now, &self.plan);
                self.primary.handle_timeout(now, &mut self.actions);
                let next = self.primary.next_timeout();
                ensure(next.is_none_or(|at| at > now), Check::Spin, || {
                    format!("at {now:?} the next time-out is {next:?}")
                })?;
                self.settle_all()?;
            } else if self.is_crew_due(now) {
                self.clock.count_timeout()?;
                self.crew_timeout()?;
                self.settle_all()?;
            } else {
                return Ok(());
            }
        }
    }

    fn is_crew_due(&self, now: Time) -> bool {
        let next = self.crew.as_ref().and_then(|it| it.machine.next_timeout());
        next.is_some_and(|at| at <= now)
    }

    /// Goes to the next time-out. Says whether there is one.
    pub(super) fn jump(&mut self) -> Result<bool, Broken> {
        let Some(next) = self.next_timeout() else {
            return Ok(false);
        };
        self.pass(next.since(self.clock.now()))?;
        Ok(true)
    }
}
