//! The crew's machine and the primary's, composed: what one notices the other hears.

use std::collections::BTreeMap;
use std::sync::Arc;

use portcrew_core::primary::{Event as PrimaryEvent, Notice as PrimaryNotice};
use portcrew_core::supervise::{Action, Crew, Event, Force, Generation, Notice, Phase, Ticket};
use portcrew_core::{ListenerId, Time, WorkerId};
use portcrew_ipc::spawn::SpawnErrorKind;

use super::command::CrewCommand;
use super::diagnosis::Diagnosis;
use super::driver::Driver;
use super::launcher::Place;
use super::vitals::Vitals;
use super::{Signal, meant};
use crate::{Error, Ready};

/// The crew's machine, once there is a crew.
#[derive(Debug, Default)]
pub(super) struct CrewSeat {
    machine: Option<Crew>,
    actions: Vec<Action>,
    /// The end was asked for where there is no crew.
    stopping: bool,
    /// As they were when it was started.
    settings: Option<Arc<crate::Settings>>,
    vitals: Option<Vitals>,
    /// What was found out about workers that may hang, until it is told, or they are looked at again.
    pub(super) diagnoses: BTreeMap<WorkerId, Box<Diagnosis>>,
    /// What came of forks, and who owes an answer.
    pub(super) answers: Vec<Event>,
    /// The generation that a reload was answered with, since it was last asked.
    reload: Option<Generation>,
}

impl CrewSeat {
    /// What the crew was started with; `None` where there is none.
    pub(super) fn settings(&self) -> Option<&crate::Settings> {
        self.settings.as_deref()
    }

    /// Whether this is what shows that a worker is ready.
    pub(super) fn is_ready_by(&self, ready: &Ready) -> bool {
        self.settings().is_some_and(|it| it.ready == *ready)
    }

    pub(super) const fn machine(&self) -> Option<&Crew> {
        self.machine.as_ref()
    }

    /// Workers wanted; `None` where nobody asked for a crew.
    pub(super) fn wanted(&self) -> Option<usize> {
        self.machine.as_ref().map(Crew::wanted)
    }

    pub(super) fn next_timeout(&self) -> Option<Time> {
        self.machine.as_ref().and_then(Crew::next_timeout)
    }
}

impl Driver {
    /// Else it would go on replacing whoever leaves. Said to a crew that is being ended already it would mean
    /// "at once", so it is not said again.
    pub(super) fn end_crew(&mut self) {
        match self.crew.machine.as_ref().map(Crew::phase) {
            Some(Phase::Stopping | Phase::Finished) | None => {}
            Some(_) => {
                self.crew_tell(Event::Stop);
                self.settle();
            }
        }
    }

    pub(super) const fn has_crew(&self) -> bool {
        self.crew.machine.is_some()
    }

    pub(super) fn command_crew(&mut self, command: CrewCommand) {
        match (command, &self.crew.machine) {
            (CrewCommand::Start { workers }, None) => self.start_crew(workers),
            (CrewCommand::Start { workers }, Some(_)) => self.crew_tell(Event::Resize { workers }),
            (CrewCommand::Scale { by }, Some(_)) => self.crew_tell(Event::Scale { by }),
            (CrewCommand::Reload, Some(_)) => self.crew_tell(Event::Reload),
            (CrewCommand::Stop, Some(_)) => self.crew_tell(Event::Stop),
            (CrewCommand::StopNow, Some(_)) => self.crew_tell(Event::StopNow),
            (CrewCommand::Stop, None) if !self.crew.stopping => self.stop_forked(),
            // Said again, stopping no longer waits: as with a crew.
            (CrewCommand::Stop | CrewCommand::StopNow, None) => {
                self.stop_forked();
                self.kill_all();
            }
            // Nothing to resize or replace.
            (CrewCommand::Scale { .. } | CrewCommand::Reload, None) => {}
        }
        self.settle();
    }

    /// Asks for a reload and says whose verdict will answer it; `None` where there is no crew to replace.
    pub(super) fn reload_crew(&mut self) -> Option<Generation> {
        self.crew.reload = None;
        self.command_crew(CrewCommand::Reload);
        self.crew.reload.take()
    }

    fn start_crew(&mut self, workers: usize) {
        let ours = Arc::clone(self.launcher.settings());
        let machine = Crew::new(meant::machine(&ours, workers));
        self.crew.vitals = ours.max_memory.map(|_| Vitals::of_memory(&self.command_sender));
        self.crew.settings = Some(ours);
        self.launcher.begin(Generation::FIRST);
        self.crew.machine = Some(machine);
        self.crew_tell(if workers == 0 { Event::Stop } else { Event::Start });
    }

    /// Without a crew those who were forked one by one leave, and then it is finished all the same.
    fn stop_forked(&mut self) {
        self.disconnect_all();
        self.crew.stopping = true;
        self.close_unserved();
    }

    fn kill_all(&mut self) {
        let workers: Vec<_> = self.links.keys().copied().collect();
        for worker in workers {
            self.signal(worker, Signal::Kill);
        }
    }

    /// Frees the addresses once the last worker of those who were told to leave has gone: before that is
    /// told, because whoever waits may want them. A crew frees them itself when it has finished.
    pub(super) fn close_unserved(&mut self) {
        let wanted = self.crew.stopping || !self.all_gone.is_empty();
        if wanted && self.links.is_empty() && !self.has_crew() {
            // What the user has opened is his as long as he may fork once more.
            let kept: Vec<_> = self.machine.kept().collect();
            self.close_listeners(|it| !kept.contains(&it));
        }
    }

    /// Tells who waited for it that the last worker has gone.
    pub(super) fn tell_all_gone(&mut self) {
        if !self.links.is_empty() {
            return;
        }
        for waiting in self.all_gone.drain(..) {
            // Whoever asked may have stopped waiting.
            let _ = waiting.send(());
        }
        if std::mem::take(&mut self.crew.stopping) && !self.has_crew() {
            // A crew of none has finished at once, and is a crew that was stopped.
            self.start_crew(0);
            self.settle();
        }
    }

    pub(super) fn crew_timeout(&mut self) {
        let Some(crew) = &mut self.crew.machine else {
            return;
        };
        crew.handle_timeout(self.now, &mut self.crew.actions);
        self.crew_settle();
        self.settle();
    }

    /// What the primary's machine noticed is what happened to the crew.
    pub(super) fn crew_hears(&mut self, notice: &PrimaryNotice) {
        let event = match *notice {
            PrimaryNotice::Online { worker } => Event::Online { worker },
            PrimaryNotice::Listening { worker, first: true, .. }
                if self.crew.is_ready_by(&Ready::Listening) =>
            {
                Event::Ready { worker }
            }
            PrimaryNotice::ListenFailed { worker, errno, .. } => {
                Event::CannotListen { worker, errno }
            }
            PrimaryNotice::Misbehaved { worker, .. } => Event::Misbehaved { worker },
            PrimaryNotice::Disconnected { worker, planned } => {
                Event::Disconnected { worker, planned }
            }
            PrimaryNotice::Exited { worker, status, planned } => {
                self.crew.diagnoses.remove(&worker);
                Event::Exited { worker, status, planned }
            }
            // No news of a worker's life.
            _ => return,
        };
        self.crew_tell(event);
    }

    pub(super) fn crew_tell(&mut self, event: Event) {
        let Some(crew) = &mut self.crew.machine else {
            return;
        };
        crew.handle(self.now, event, &mut self.crew.actions);
        self.crew_settle();
    }

    fn crew_settle(&mut self) {
        let mut list = std::mem::take(&mut self.crew.actions);
        while !list.is_empty() {
            for action in list.drain(..) {
                self.crew_perform(&action);
            }
            // Forks are answered when the list that asked for them has been performed, and so are questions.
            for answer in std::mem::take(&mut self.crew.answers) {
                if let Some(crew) = &mut self.crew.machine {
                    crew.handle(self.now, answer, &mut self.crew.actions);
                }
            }
            std::mem::swap(&mut list, &mut self.crew.actions);
        }
    }

    fn crew_perform(&mut self, action: &Action) {
        match *action {
            Action::Fork { ticket, slot, generation } => {
                self.crew_fork(ticket, Place { slot, generation });
            }
            Action::Disconnect { worker } => self.then(PrimaryEvent::Disconnect { worker }),
            Action::Text { worker } => self.tell_by_text(worker),
            Action::DrainSignal { worker } => self.tell_by_signal(worker),
            Action::Signal { worker, force } => {
                self.made_to_leave(worker);
                self.then(PrimaryEvent::GivenUp { worker });
                let signal = match force {
                    Force::Terminate => self.stop_signal(),
                    Force::Report => self.hang_signal(),
                    Force::Kill => Signal::Kill,
                };
                self.signal(worker, signal);
            }
            Action::SeeAnswers => {
                let owing = self.who_owes();
                self.crew.answers.extend(owing);
            }
            Action::AskForBeat { worker } => self.ask_for_beat(worker),
            Action::Examine { worker } => self.examine(worker),
            Action::Notify(Notice::Hangs { worker, reason, found }) => {
                self.tell_of_hang(worker, reason, found);
            }
            Action::Forget { generation } => {
                self.launcher.forget(generation);
            }
            Action::Notify(notice) => {
                if let Notice::ReloadStarted { generation } | Notice::ReloadMerged { generation } =
                    notice
                {
                    // As the settings are now; the serving generation keeps its own. One that is merged with has no
                    // worker yet.
                    self.launcher.begin(generation);
                }
                if let Notice::ReloadCommitted { generation } = notice {
                    self.then(PrimaryEvent::Renewed { generation });
                }
                if let Notice::Ready { worker } = notice {
                    self.then(PrimaryEvent::Serves { worker });
                }
                self.answer_reload(&notice);
                self.policy_hears(&notice);
                self.events.push(crate::Event::Crew(notice));
            }
            Action::Finished(outcome) => {
                self.unlist_the_rest();
                self.close_listeners(|_| true);
                self.events.push(crate::Event::Finished(outcome));
            }
        }
    }

    /// The first of these behind a wish for a reload is the answer to it.
    fn answer_reload(&mut self, notice: &Notice) {
        if let Notice::ReloadStarted { generation }
        | Notice::ReloadMerged { generation }
        | Notice::RolledBack { generation, .. } = notice
        {
            self.crew.reload.get_or_insert(*generation);
        }
    }

    fn crew_fork(&mut self, ticket: Ticket, place: Place) {
        let event = match self.fork(Some(place), Vec::new()) {
            Ok(handle) => Event::Spawned { ticket, worker: handle.id() },
            Err(error) => {
                let permanent = match &error {
                    Error::Spawn(error) => !matches!(error.kind(), SpawnErrorKind::System),
                    _ => false,
                };
                self.events.push(crate::Event::Error { worker: None, error });
                Event::SpawnFailed { ticket, permanent }
            }
        };
        self.crew.answers.push(event);
    }

    /// Who could not be killed may still be heard. It would have a socket bound of which nobody is left to take care.
    fn unlist_the_rest(&mut self) {
        let of_crew = self.links.iter().filter(|it| it.1.place.is_some());
        let left: Vec<_> = of_crew.map(|it| *it.0).collect();
        for worker in left {
            self.unlist(worker);
        }
    }

    /// Nobody is wanted any more: deaths keep addresses for successors, and there will be none.
    fn close_listeners(&mut self, which: impl Fn(ListenerId) -> bool) {
        let open: Vec<_> = self.machine.listeners().map(|view| view.listener).collect();
        for listener in open.into_iter().filter(|it| which(*it)) {
            self.then(PrimaryEvent::CloseListener { listener });
        }
    }
}
