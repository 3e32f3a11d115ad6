//! What the crew's leader knows for those who ask on the control socket, and whom it owes an answer.
//!
//! Most of it is the library's snapshot. Here is what a snapshot cannot say: what befell the crew, and who waits for
//! which verdict.

mod announce;
mod history;
mod noted;
mod policies;
mod status;
mod verdicts;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use portcrew::{CrewNotice, Ready, WorkerId};

pub(crate) use announce::{Announce, READY, SILENT};
use history::History;
pub(super) use noted::Noted;
use policies::Policies;
pub(super) use verdicts::Verdicts;

use super::causes::how_it_failed;
use super::outputs::Outputs;
use crate::control::v1::{Logs, Progress};
use crate::output::words::control as words;
use crate::plan;

/// Addresses that are remembered; a program that listens on more is described by the first of them.
const MOST_ADDRESSES: usize = 64;

/// What does not change while the crew runs.
#[derive(Debug, Clone)]
pub(crate) struct About {
    pub(crate) name: String,
    /// The program with its arguments, for people.
    pub(crate) program: String,
    pub(crate) directory: String,
    /// Where the output goes when the crew runs detached.
    pub(crate) logs: Option<Logs>,
}

/// The facts and the debts.
#[derive(Debug)]
pub(super) struct Desk {
    about: About,
    since: Instant,
    pub(super) verdicts: Verdicts,
    pub(super) history: History,
    announce: Option<Announce>,
    /// Where the primary listens for workers that say nothing: at most [`MOST_ADDRESSES`], as the library has it.
    opened: BTreeSet<String>,
    /// Who listens where.
    addresses: BTreeMap<String, BTreeSet<WorkerId>>,
    /// Whoever listens is ready.
    is_by_listening: bool,
    ready: BTreeSet<WorkerId>,
    restarts: BTreeMap<&'static str, u64>,
    progress: Option<Progress>,
    /// Every wanted worker was ready at once, at least once.
    was_complete: bool,
    pub(super) policies: Policies,
}

impl Desk {
    /// `ready`: what shows that a worker is.
    pub(super) fn new(
        about: About,
        announce: Option<Announce>,
        at_start: plan::Policies,
        ready: &Ready,
    ) -> Self {
        Self {
            is_by_listening: *ready == Ready::Listening,
            about,
            since: Instant::now(),
            verdicts: Verdicts::default(),
            history: History::default(),
            announce,
            opened: BTreeSet::new(),
            addresses: BTreeMap::new(),
            ready: BTreeSet::new(),
            restarts: BTreeMap::new(),
            progress: None,
            was_complete: false,
            policies: Policies::new(at_start),
        }
    }

    /// Takes in what has happened and was reported. `wanted` is how many workers are to be there.
    pub(super) fn note(&mut self, noted: Noted, outputs: &Outputs, wanted: usize) {
        match noted {
            Noted::Forked { worker, pid } => self.history.forked(worker, pid),
            Noted::Opened { address } => {
                self.opened.insert(address);
            }
            Noted::Listening { worker, address } => self.listens(worker, address, wanted),
            Noted::Gone { worker } => self.gone(worker),
            Noted::Lost { worker, how } => {
                self.gone(worker);
                self.history.lost(worker, how, outputs.tail(worker));
            }
            Noted::Hangs { worker, how, left } => {
                self.history.hangs(worker, how, left, outputs.tail(worker));
            }
            Noted::DiedInside { worker, open } => self.history.died_inside(worker, open),
            Noted::Crew(CrewNotice::Ready { worker }) => self.is_ready(worker, wanted),
            Noted::Crew(notice) => self.crew(notice, outputs),
            // Better no verdict than one that never comes.
            Noted::Lagged => self.verdicts.lost(),
            Noted::Nothing => {}
        }
    }

    fn listens(&mut self, worker: WorkerId, address: String, wanted: usize) {
        if self.addresses.len() < MOST_ADDRESSES || self.addresses.contains_key(&address) {
            self.addresses.entry(address).or_default().insert(worker);
        }
        if self.is_by_listening {
            self.is_ready(worker, wanted);
        }
    }

    fn is_ready(&mut self, worker: WorkerId, wanted: usize) {
        self.ready.insert(worker);
        if self.ready.len() >= wanted {
            self.was_complete = true;
            if let Some(announce) = self.announce.take() {
                announce.ready();
            }
        }
    }

    fn gone(&mut self, worker: WorkerId) {
        self.ready.remove(&worker);
        self.addresses.retain(|_, workers| {
            workers.remove(&worker);
            !workers.is_empty()
        });
    }

    fn crew(&mut self, notice: CrewNotice, outputs: &Outputs) {
        match notice {
            CrewNotice::NotListening { after, .. } => {
                if let Some(announce) = self.announce.take() {
                    announce.silent(after);
                }
            }
            CrewNotice::Restarting { slot, reason, delay, .. } => {
                *self.restarts.entry(noted::reason(reason)).or_default() += 1;
                self.history.replaced(slot, &how_it_failed(reason), delay);
            }
            CrewNotice::Degraded => self.history.degraded(),
            CrewNotice::Recovered => self.history.recovered(),
            CrewNotice::ReloadStarted { generation } => {
                self.progress = Some(Progress { generation: generation.0, replaced: 0, of: 0 });
            }
            CrewNotice::ReloadProgress { generation, replaced, of, .. } => {
                self.progress = Some(Progress { generation: generation.0, replaced, of });
            }
            CrewNotice::ReloadCommitted { generation } => {
                self.progress = None;
                self.policies.committed(generation);
                self.history.reloaded(generation);
                self.verdicts.committed(generation);
            }
            CrewNotice::RolledBack { generation, worker, reason, .. } => {
                self.progress = None;
                self.policies.rolled_back(generation);
                let why = super::reload::verdict(worker, reason);
                let tail = worker.and_then(|it| outputs.tail(it));
                let output = tail.as_ref().map(|it| it.lines()).unwrap_or_default();
                self.verdicts.rolled_back(generation, &words::rolled_back(&why, output));
                self.history.rolled_back(generation, worker, why, tail);
            }
            // Heard in `note`; nobody waits for the others, and they are no cause of anything.
            CrewNotice::Ready { .. }
            | CrewNotice::Canary { .. }
            | CrewNotice::ReloadMerged { .. }
            | CrewNotice::ReloadFailed { .. }
            | CrewNotice::Resized { .. }
            | CrewNotice::Stopping { .. }
            | CrewNotice::Forced { .. }
            | CrewNotice::Unkillable { .. } => {}
            // A notice of a newer library.
            _ => {}
        }
    }
}
