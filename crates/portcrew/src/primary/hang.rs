//! Workers that may hang: who owes an answer, who is asked for a beat, and what one is doing that is suspected.

use portcrew_core::primary::Event as PrimaryEvent;
use portcrew_core::supervise::{Event, Found, Reason};
use portcrew_core::{Time, WorkerId};
use portcrew_ipc::lane::Beat;

use super::Signal;
use super::command::Command;
use super::diagnosis::{self, Diagnosis};
use super::driver::Driver;

impl Driver {
    /// Which workers of the crew owe an answer, and since when. One that has an inspector may stand at a breakpoint, of
    /// which the kernel shows nothing: it owes none.
    pub(super) fn who_owes(&self) -> Vec<Event> {
        let of_crew = self.links.values().filter(|it| it.place.is_some()).map(|it| &it.shared);
        let workers = of_crew.filter(|it| it.inspector.is_none()).map(|it| it.id);
        let owing = workers.filter_map(|worker| Some((worker, self.owes_since(worker)?)));
        owing.map(|(worker, since)| Event::Owes { worker, since }).collect()
    }

    /// What the primary holds back itself is owed by nobody.
    fn owes_since(&self, worker: WorkerId) -> Option<Time> {
        self.links.get(&worker)?.owes_since(self.machine.oldest_offer(worker)?)
    }

    /// Asks a worker whether its runtime turns.
    pub(super) fn ask_for_beat(&mut self, worker: WorkerId) {
        if let Some(link) = self.links.get_mut(&worker) {
            link.ask_for_beat();
            self.mark_dirty(worker);
        }
    }

    /// It does.
    pub(super) fn heard_beat(&mut self, worker: WorkerId, beat: Beat) {
        let answers = self.links.get_mut(&worker).is_some_and(|it| it.takes_beat(beat));
        if answers {
            self.crew_tell(Event::Beat { worker });
        } else {
            // Nobody has asked.
            self.tell(PrimaryEvent::Offence { worker });
        }
    }

    /// Finds out what a worker is doing, on a thread that may take its time. When the answer comes for one that has
    /// ended meanwhile, whoever has its pid by then, the crew's machine does not know it any more.
    ///
    /// One that has an inspector may stand at a breakpoint, of which the kernel shows nothing: it is debugged.
    pub(super) fn examine(&mut self, worker: WorkerId) {
        self.crew.diagnoses.remove(&worker);
        let Some(link) = self.links.get(&worker).filter(|it| !it.shared.has_exited()) else {
            return;
        };
        if link.shared.inspector.is_some() {
            let (found, owes) = (Found::Traced, self.owes_since(worker));
            return self.crew.answers.push(Event::Examined { worker, found, owes });
        }
        let (pid, to) = (link.shared.pid, self.command_sender.clone());
        tokio::task::spawn_blocking(move || {
            let diagnosis = Box::new(diagnosis::read(pid));
            if let Some(to) = to.upgrade() {
                // A driver that is gone has no workers left.
                let _ = to.send(Command::Examined { worker, diagnosis });
            }
        });
    }

    /// That is known now.
    pub(super) fn examined(&mut self, worker: WorkerId, diagnosis: Box<Diagnosis>) {
        if !self.links.contains_key(&worker) {
            return;
        }
        let (found, owes) = (diagnosis.found(), self.owes_since(worker));
        self.crew.diagnoses.insert(worker, diagnosis);
        self.crew_tell(Event::Examined { worker, found, owes });
        self.settle();
    }

    /// The crew's machine says that a worker hangs: users are told with what was just found out, if it was.
    pub(super) fn tell_of_hang(&mut self, worker: WorkerId, reason: Reason, found: Found) {
        let diagnosis = self.crew.diagnoses.remove(&worker).unwrap_or_default();
        self.events.push(crate::Event::Hangs { worker, reason, found, diagnosis });
    }

    /// What a worker gets that hangs.
    pub(super) fn hang_signal(&self) -> Signal {
        let chosen = self.crew.settings().and_then(|it| it.hang_signal);
        chosen.unwrap_or_else(|| self.stop_signal())
    }
}
