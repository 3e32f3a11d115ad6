//! The crew as a service manager sees it: when it is ready, reloads, stops, and how it is. Pure.

use std::collections::BTreeSet;

use portcrew::{CrewNotice, Event, Generation, Ready, WorkerId};

use super::notify::Message;
use crate::crew::why_rolled_back;
use crate::output::words::upward as words;

/// What the manager has been told, and what decides about the next word.
#[derive(Debug)]
pub(super) struct Service {
    /// Workers.
    wanted: usize,
    /// Whoever listens is ready.
    is_by_listening: bool,
    ready: BTreeSet<WorkerId>,
    stage: Stage,
    /// Why the last reload was rolled back, unless a later one was not.
    undone: Option<String>,
    told: String,
}

#[derive(Debug)]
enum Stage {
    Starting,
    Ready,
    /// Until the verdict on that generation: what was asked for last.
    Reloading {
        generation: Generation,
        replaced: usize,
    },
    Stopping,
}

impl Service {
    /// `by`: what shows that a worker is ready.
    pub(super) fn new(wanted: usize, by: &Ready) -> Self {
        let (ready, told) = (BTreeSet::new(), String::new());
        let is_by_listening = *by == Ready::Listening;
        Self { wanted, is_by_listening, ready, stage: Stage::Starting, undone: None, told }
    }

    /// What is to be told about this event, if anything.
    pub(super) fn hear(&mut self, event: &Event) -> Option<Message> {
        match event {
            Event::Listening { worker, .. } | Event::SelfBound { worker, .. }
                if self.is_by_listening =>
            {
                self.ready.insert(*worker);
            }
            Event::Disconnect { worker, .. } | Event::Exit { worker, .. } => {
                self.ready.remove(worker);
            }
            Event::Crew(notice) => {
                if let Some(message) = self.crew(notice) {
                    return Some(message);
                }
            }
            Event::Finished(_) => return self.stopping(),
            // The rest changes nothing of that.
            _ => {}
        }
        match self.stage {
            Stage::Starting if self.ready.len() >= self.wanted => Some(self.is_ready()),
            Stage::Starting | Stage::Ready | Stage::Reloading { .. } | Stage::Stopping => {
                self.news().map(Message::Status)
            }
        }
    }

    /// The crew is about to end. Said once.
    pub(super) fn stopping(&mut self) -> Option<Message> {
        if matches!(self.stage, Stage::Stopping) {
            return None;
        }
        self.stage = Stage::Stopping;
        self.news().map(Message::Stopping)
    }

    fn crew(&mut self, notice: &CrewNotice) -> Option<Message> {
        match notice {
            CrewNotice::Ready { worker } => {
                self.ready.insert(*worker);
            }
            // A program that never listens is ready in this way; the crew counts it so too. One that was said to be
            // ready by something else is not, before that.
            CrewNotice::NotListening { worker, .. } if self.is_by_listening => {
                self.ready.insert(*worker);
            }
            CrewNotice::Resized { workers } => self.wanted = *workers,
            CrewNotice::ReloadStarted { generation } | CrewNotice::ReloadMerged { generation } => {
                return self.reloading(*generation);
            }
            CrewNotice::ReloadProgress { replaced: now, .. } => {
                if let Stage::Reloading { replaced, .. } = &mut self.stage {
                    *replaced = *now;
                }
            }
            CrewNotice::ReloadCommitted { generation } => return self.verdict(*generation, None),
            CrewNotice::RolledBack { generation, worker, reason, unrestored: _ } => {
                return self.verdict(*generation, Some(why_rolled_back(*worker, *reason)));
            }
            // Told by what comes of it: workers that are ready, and those that are not.
            _ => {}
        }
        None
    }

    fn reloading(&mut self, generation: Generation) -> Option<Message> {
        match &mut self.stage {
            // The manager waits for the start, and would take it for over.
            Stage::Starting => return None,
            Stage::Stopping => return None,
            // Said again: it may have been asked for anew, and the answer has to be younger than the question.
            Stage::Reloading { generation: last, .. } => *last = generation,
            Stage::Ready => self.stage = Stage::Reloading { generation, replaced: 0 },
        }
        self.told = self.status();
        Some(Message::Reloading(self.told.clone()))
    }

    fn verdict(&mut self, of: Generation, undone: Option<String>) -> Option<Message> {
        match self.stage {
            // What was asked for last is answered by its own verdict.
            Stage::Reloading { generation, .. } if of >= generation => {
                self.undone = undone;
                Some(self.is_ready())
            }
            Stage::Reloading { .. } | Stage::Starting | Stage::Ready | Stage::Stopping => None,
        }
    }

    fn is_ready(&mut self) -> Message {
        self.stage = Stage::Ready;
        self.told = self.status();
        Message::Ready(self.told.clone())
    }

    /// The status, if it was not told yet.
    fn news(&mut self) -> Option<String> {
        let status = self.status();
        if status == self.told {
            return None;
        }
        self.told.clone_from(&status);
        Some(status)
    }

    fn status(&self) -> String {
        // During a reload old and new are ready side by side.
        let ready = self.ready.len().min(self.wanted);
        match self.stage {
            Stage::Starting | Stage::Ready => {
                words::ready(ready, self.wanted, self.undone.as_deref())
            }
            Stage::Reloading { replaced, .. } => words::reloading(replaced, self.wanted),
            Stage::Stopping => words::stopping(),
        }
    }
}

#[cfg(test)]
mod tests {
    use portcrew::{AddressType, ListenAddress, Outcome, RollbackReason};

    use super::*;

    const LATEST: Generation = Generation(7);

    fn listening(worker: u32) -> Event {
        let address_type = AddressType::Tcp4;
        let address = ListenAddress { address: None, port: Some(80), address_type, fd: None };
        Event::Listening { worker: WorkerId(worker), address }
    }

    fn status(text: &str) -> Option<Message> {
        Some(Message::Status(text.to_owned()))
    }

    fn ready(text: &str) -> Option<Message> {
        Some(Message::Ready(text.to_owned()))
    }

    /// Two workers, both ready.
    fn started() -> Service {
        let mut service = Service::new(2, &Ready::Listening);
        assert_eq!(service.hear(&listening(1)), status("1 of 2 workers ready"));
        assert_eq!(service.hear(&listening(1)), None, "it listens to a second port");
        assert_eq!(service.hear(&listening(2)), ready("2 of 2 workers ready"));
        service
    }

    fn reload(service: &mut Service, notice: CrewNotice) -> Option<Message> {
        service.hear(&Event::Crew(notice))
    }

    #[test]
    fn a_crew_is_ready_once_all_its_workers_are_and_stays_so_when_one_dies() {
        let mut service = started();
        let gone = Event::Disconnect { worker: WorkerId(1), planned: false };
        assert_eq!(service.hear(&gone), status("1 of 2 workers ready"));
        assert_eq!(service.hear(&listening(3)), status("2 of 2 workers ready"));
    }

    #[test]
    fn where_something_else_makes_ready_neither_listening_nor_the_end_of_patience_does() {
        let mut service = Service::new(1, &Ready::Message);
        assert_eq!(service.hear(&listening(1)), status("0 of 1 worker ready"));
        let (worker, after) = (WorkerId(1), std::time::Duration::from_secs(30));
        assert_eq!(reload(&mut service, CrewNotice::NotListening { worker, after }), None);
        assert_eq!(
            reload(&mut service, CrewNotice::Ready { worker }),
            ready("1 of 1 worker ready")
        );
    }

    #[test]
    fn a_reload_is_told_with_its_begin_and_its_verdict() {
        let mut service = started();
        let (generation, slot) = (LATEST, portcrew::SlotId(0));
        let begun = reload(&mut service, CrewNotice::ReloadStarted { generation });
        assert_eq!(begun, Some(Message::Reloading("reload: 0 of 2 replaced".to_owned())));
        assert_eq!(service.hear(&listening(3)), None);
        let progress = CrewNotice::ReloadProgress { generation, slot, replaced: 1, of: 2 };
        assert_eq!(reload(&mut service, progress), status("reload: 1 of 2 replaced"));
        let (worker, reason) = (Some(WorkerId(3)), RollbackReason::Left);
        let undone = CrewNotice::RolledBack { generation, worker, reason, unrestored: 0 };
        let why = why_rolled_back(worker, reason);
        let expected = format!("2 of 2 workers ready; the last reload was rolled back: {why}");
        assert_eq!(reload(&mut service, undone), ready(&expected));
        reload(&mut service, CrewNotice::ReloadStarted { generation });
        let done = CrewNotice::ReloadCommitted { generation };
        assert_eq!(reload(&mut service, done), ready("2 of 2 workers ready"));
    }

    #[test]
    fn a_reload_that_was_asked_for_meanwhile_is_over_with_its_own_verdict() {
        let mut service = started();
        let first = Generation(LATEST.0 - 1);
        reload(&mut service, CrewNotice::ReloadStarted { generation: first });
        let merged = reload(&mut service, CrewNotice::ReloadMerged { generation: LATEST });
        assert!(matches!(merged, Some(Message::Reloading(_))), "{merged:?}");
        let first = CrewNotice::ReloadCommitted { generation: first };
        assert_eq!(reload(&mut service, first), None);
        let last = CrewNotice::ReloadCommitted { generation: LATEST };
        assert!(matches!(reload(&mut service, last), Some(Message::Ready(_))));
    }

    #[test]
    fn the_end_is_told_once_whether_it_was_asked_for_or_not() {
        let mut service = started();
        let stopping = Some(Message::Stopping("stopping".to_owned()));
        assert_eq!(service.stopping(), stopping);
        assert_eq!(service.hear(&Event::Finished(Outcome::Stopped)), None);
        assert_eq!(started().hear(&Event::Finished(Outcome::CannotStart)), stopping);
    }
}
