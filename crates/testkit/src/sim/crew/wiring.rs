//! The crew's machine and the primary's, composed as the library does it (`primary/crew.rs`), with model processes.
//!
//! The library hands what the crew wants of the primary's machine to it at once; here it waits until the actions before
//! it are performed, so that the account sees each event behind all that the one before it made necessary. To the
//! machines that is the same: performing an action changes neither.

use std::collections::BTreeMap;

use portcrew_core::primary::{
    Event as PrimaryEvent, Notice as PrimaryNotice, Origin, View as Listener,
};
use portcrew_core::scheduler::Seat;
use portcrew_core::supervise::{
    Action, Crew, Event, Force, Generation, Notice, Phase, SlotId, Ticket,
};
use portcrew_core::{Time, WorkerId};

use super::{Checker, CrewPlan, Health, Release};
use crate::sim::link::Down;
use crate::sim::plan::Temper;
use crate::sim::report::{Check, Checked, ensure};
use crate::sim::shell::Desk;
use crate::sim::worker::Process;
use crate::sim::world::World;

/// Descriptors that a start needs at the moment when it is made.
const NEEDED: usize = 2;

/// The crew's machine and what the shell keeps for it.
#[derive(Debug)]
pub struct CrewSeat {
    /// The machine.
    pub machine: Crew,
    /// What it is asked to do and has not done.
    pub(super) actions: Vec<Action>,
    /// What came of forks.
    pub(super) answers: Vec<Event>,
    /// What each generation is started with.
    pub(super) releases: BTreeMap<Generation, Release>,
    /// What a reload would begin now.
    pub(super) on_disk: Release,
    /// What may be done.
    pub checker: Checker,
    /// When the shell hears next that its workers are alive.
    pub looks_at: Time,
    /// Workers that are to be examined.
    pub(super) suspects: Vec<WorkerId>,
    /// Workers that were asked for a beat.
    pub(super) beats: Vec<WorkerId>,
}

impl CrewSeat {
    /// A crew that has not begun.
    #[must_use]
    pub fn new(plan: &CrewPlan, machine: Crew) -> Self {
        Self {
            machine,
            actions: Vec::new(),
            answers: Vec::new(),
            releases: BTreeMap::from([(Generation::FIRST, plan.first.clone())]),
            on_disk: plan.first.clone(),
            checker: Checker::new(&plan.settings),
            looks_at: Time::ZERO,
            suspects: Vec::new(),
            beats: Vec::new(),
        }
    }
}

impl World {
    /// Tells the machine what the user or the shell has to say, and does all that follows.
    pub(in crate::sim) fn crew_feed(&mut self, event: Event) -> Checked {
        self.crew_tell(event)?;
        self.follow_up()
    }

    /// What the primary's machine noticed is what happened to the crew.
    pub(in crate::sim) fn crew_hears(&mut self, notice: &PrimaryNotice) -> Checked {
        let event = match *notice {
            PrimaryNotice::Online { worker } => Event::Online { worker },
            PrimaryNotice::Listening { worker, first: true, .. } => Event::Ready { worker },
            PrimaryNotice::ListenFailed { worker, errno, .. } => {
                Event::CannotListen { worker, errno }
            }
            PrimaryNotice::Misbehaved { worker, .. } => Event::Misbehaved { worker },
            PrimaryNotice::Disconnected { worker, planned } => {
                Event::Disconnected { worker, planned }
            }
            PrimaryNotice::Exited { worker, status, planned } => {
                Event::Exited { worker, status, planned }
            }
            // No news of a worker's life.
            _ => return Ok(()),
        };
        self.crew_tell(event)
    }

    pub(in crate::sim) fn crew_tell(&mut self, event: Event) -> Checked {
        self.crew_handle(event)?;
        self.crew_settle()
    }

    fn crew_handle(&mut self, event: Event) -> Checked {
        let now = self.clock.now();
        let Some(seat) = &mut self.crew else {
            return Ok(());
        };
        self.trace.say(|| format!("  crew {event:?}"));
        let before = seat.checker.before(now, &event, &seat.machine);
        let mut decided = Vec::new();
        for told in self.saboteur.crew_event(event) {
            seat.machine.handle(now, told, &mut decided);
        }
        let decided = self.saboteur.crew_actions(decided, &seat.machine);
        seat.checker.after(now, &before, &seat.machine, &decided)?;
        seat.actions.extend(decided);
        Ok(())
    }

    /// Does what the crew's time-outs make due.
    pub(in crate::sim) fn crew_timeout(&mut self) -> Checked {
        let now = self.clock.now();
        let Some(seat) = &mut self.crew else {
            return Ok(());
        };
        let before = seat.checker.before_timeout(&seat.machine);
        let mut decided = Vec::new();
        seat.machine.handle_timeout(now, &mut decided);
        let decided = self.saboteur.crew_actions(decided, &seat.machine);
        let next = seat.machine.next_timeout();
        ensure(next.is_none_or(|at| at > now), Check::Spin, || {
            format!("at {now:?} the crew's next time-out is {next:?}")
        })?;
        seat.checker.after(now, &before, &seat.machine, &decided)?;
        seat.actions.extend(decided);
        self.crew_settle()
    }

    fn crew_settle(&mut self) -> Checked {
        while let Some(seat) = &mut self.crew {
            let list = std::mem::take(&mut seat.actions);
            if list.is_empty() {
                break;
            }
            for action in list {
                self.crew_perform(&action)?;
            }
            // Forks are answered when the list that asked for them has been performed, and so are questions.
            let answers = self.crew.as_mut().map(|it| std::mem::take(&mut it.answers));
            for answer in answers.into_iter().flatten() {
                self.crew_handle(answer)?;
            }
        }
        Ok(())
    }

    fn crew_perform(&mut self, action: &Action) -> Checked {
        self.trace.say(|| format!("    crew: {action:?}"));
        match *action {
            Action::Fork { ticket, slot, generation } => {
                return self.crew_fork(ticket, slot, generation);
            }
            Action::Disconnect { worker } => {
                if !self.saboteur.leaves_listed() {
                    self.then.push_back(PrimaryEvent::Disconnect { worker });
                }
            }
            Action::Text { worker } => return self.tell_by_text(worker),
            Action::DrainSignal { worker } => {
                self.then.push_back(PrimaryEvent::Unlist { worker });
                return self.signal(worker, Force::Terminate);
            }
            Action::Signal { worker, force } => {
                if !self.saboteur.keeps_given_up() {
                    self.then.push_back(PrimaryEvent::GivenUp { worker });
                }
                return self.signal(worker, force);
            }
            Action::Forget { generation } => {
                if let Some(seat) = &mut self.crew {
                    seat.releases.remove(&generation);
                }
            }
            Action::SeeAnswers => return self.see_answers(),
            Action::AskForBeat { worker } => {
                if let Some(seat) = &mut self.crew {
                    seat.beats.push(worker);
                }
            }
            Action::Examine { worker } => {
                if let Some(seat) = &mut self.crew {
                    seat.suspects.push(worker);
                }
            }
            Action::Notify(ref notice) => self.crew_notes(notice),
            Action::Finished(outcome) => {
                self.seen.saw(super::hearing::name_of_end(&outcome));
                self.unlist_the_rest();
                self.close_listeners();
            }
        }
        Ok(())
    }

    fn crew_notes(&mut self, notice: &Notice) {
        self.seen.saw(super::hearing::name(notice));
        if let Notice::ReloadStarted { generation } | Notice::ReloadMerged { generation } = notice {
            // As it is on the disk now; the serving generation keeps its own.
            if let Some(seat) = &mut self.crew {
                let release = seat.on_disk.clone();
                seat.releases.insert(*generation, release);
            }
        }
        if let Notice::ReloadCommitted { generation } = *notice {
            if !self.saboteur.keeps_old_listener() {
                self.then.push_back(PrimaryEvent::Renewed { generation });
            }
        }
    }

    fn tell_by_text(&mut self, worker: WorkerId) -> Checked {
        self.then.push_back(PrimaryEvent::Unlist { worker });
        let reads = self.process_mut(worker).is_some_and(|it| it.link.primary_end);
        match self.shell.desks.get_mut(&worker).filter(|it| reads && !it.drained) {
            Some(desk) => desk.push(Down::Text),
            // No word reaches it.
            None => return self.signal(worker, Force::Terminate),
        }
        Ok(())
    }

    /// Sends a signal by the number that the worker had when it was started.
    fn signal(&mut self, worker: WorkerId, force: Force) -> Checked {
        let Some(process) = self.process_mut(worker) else {
            return Ok(());
        };
        let pid = process.pid;
        process.signalled(force);
        self.seen.saw(match force {
            Force::Terminate => "signal: terminate",
            Force::Report => "signal: report",
            Force::Kill => "signal: kill",
        });
        self.kernel.processes.signal(pid, worker)
    }

    fn crew_fork(&mut self, ticket: Ticket, slot: SlotId, generation: Generation) -> Checked {
        let release = self.crew.as_ref().and_then(|it| it.releases.get(&generation)).cloned();
        let Some(release) = release else {
            return ensure(false, Check::R1Verdict, || {
                format!("generation {generation} was forgotten and is started")
            });
        };
        let answer = match self.crew_start(&release, slot, generation) {
            Ok(worker) => Event::Spawned { ticket, worker },
            Err(permanent) => Event::SpawnFailed { ticket, permanent },
        };
        if let Some(seat) = &mut self.crew {
            seat.answers.push(answer);
        }
        Ok(())
    }

    /// Starts a process, or says whether another try would meet the same.
    fn crew_start(
        &mut self,
        release: &Release,
        slot: SlotId,
        generation: Generation,
    ) -> Result<WorkerId, bool> {
        if release.health == Health::NotThere {
            self.seen.saw("fork failed: nothing to execute");
            return Err(true);
        }
        if self.kernel.copies() + NEEDED > self.plan.primary_room {
            self.seen.saw("fork failed for want of descriptors");
            return Err(false);
        }
        let worker = self.next_worker();
        let scarce = !self.settling && self.plan.faults && self.rng.percent(6);
        let pid = if scarce { None } else { self.kernel.processes.start(worker) };
        let Some(pid) = pid else {
            self.seen.saw("fork failed for want of processes");
            return Err(false);
        };
        let vices = !self.settling && self.plan.faults && self.rng.percent(50);
        let drawn = if self.settling { Temper::HONEST } else { Temper::draw(&mut self.rng, vices) };
        let origin = Origin { seat: Seat::Slot(slot), generation };
        let mut process = Process::start(worker, pid, origin, release.temper(drawn), &self.plan);
        for query in release.queries(&self.plan.queries) {
            process.listen(query);
        }
        self.trace.say(|| format!("    worker {worker} starts as {pid:?}: {:?}", process.temper));
        if self.processes.iter().any(|it| it.pid == pid) {
            self.seen.saw("a reaped worker's pid is another's");
        }
        self.processes.push(process);
        self.shell.desks.insert(worker, Desk::default());
        let now = self.clock.now();
        if let Some(seat) = &mut self.crew {
            seat.checker.started(now, worker, slot, generation);
        }
        self.then.push_back(PrimaryEvent::Forked { worker, origin });
        Ok(worker)
    }

    /// Who could not be killed may still be heard. It would have a socket bound of which nobody is left to take care.
    fn unlist_the_rest(&mut self) {
        let left: Vec<_> = self.primary.workers().collect();
        let unlist = left.into_iter().map(|worker| PrimaryEvent::Unlist { worker });
        self.then.extend(unlist);
    }

    /// Nobody is wanted any more: deaths keep addresses for successors, and there will be none.
    fn close_listeners(&mut self) {
        if self.saboteur.keeps_listeners() {
            return;
        }
        let open: Vec<_> = self.primary.listeners().map(|it: Listener<'_>| it.listener).collect();
        let close = open.into_iter().map(|listener| PrimaryEvent::CloseListener { listener });
        self.then.extend(close);
    }

    /// There is a crew, and it has not ended.
    pub(in crate::sim) fn is_led(&self) -> bool {
        self.crew.as_ref().is_some_and(|it| it.machine.phase() != Phase::Finished)
    }
}
