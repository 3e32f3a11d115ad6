//! From what happens in the crew to what people and programs read about it.

mod crew;
mod worker;

use std::collections::BTreeSet;
use std::time::Instant;

use portcrew::{CrewNotice, Event, Outcome, WorkerId};

use super::Kind;
use super::ending::Account;
use super::outputs::Outputs;
use super::reload::Reload;
use crate::exit::ExitStatus;
use crate::output::words::notices;
use crate::output::{Report, events};

/// Hears the crew's events and reports them.
#[derive(Debug)]
pub(super) struct Hearing<'a> {
    report: &'a Report,
    kind: Kind,
    since: Instant,
    /// Addresses of which it was said that they listen, or that they are taken: once is enough.
    told: BTreeSet<String>,
    /// It was said that the program binds its addresses by itself.
    told_self_bound: bool,
    /// A worker that ended unasked, until the next event tells what comes of it.
    gone: Option<(WorkerId, String)>,
    deaths: u64,
    spawn_failure: Option<ExitStatus>,
    reload: Option<Reload>,
}

impl<'a> Hearing<'a> {
    pub(super) fn new(kind: Kind, report: &'a Report) -> Self {
        Self {
            report,
            kind,
            since: Instant::now(),
            told: BTreeSet::new(),
            told_self_bound: false,
            gone: None,
            deaths: 0,
            spawn_failure: None,
            reload: None,
        }
    }

    pub(super) fn account(&self) -> Account {
        Account {
            deaths: self.deaths,
            age: self.since.elapsed(),
            spawn_failure: self.spawn_failure,
        }
    }

    /// Reports one event. Gives the outcome when it was the crew's last.
    pub(super) async fn hear(&mut self, event: Event, outputs: &mut Outputs) -> Option<Outcome> {
        if !matches!(event, Event::Crew(CrewNotice::Restarting { .. })) {
            self.no_more_events();
        }
        match event {
            Event::Fork { worker, process } => {
                outputs.attach(&process, self.report);
                self.forked(worker, &process);
            }
            Event::Crew(CrewNotice::RolledBack { worker, reason, .. }) => {
                self.rolled_back(worker, reason, outputs).await;
            }
            Event::Crew(notice) => self.crew(notice),
            Event::Finished(outcome) => return Some(outcome),
            event => self.worker(event),
        }
        None
    }

    /// Says what waited for a following event that has not come.
    pub(super) fn no_more_events(&mut self) {
        if let Some((worker, how)) = self.gone.take() {
            self.report.notice(&notices::gone(&worker, &how));
        }
    }

    /// Something went wrong that ends nothing.
    fn trouble(&self, worker: Option<WorkerId>, text: &str) {
        self.report.notice(text);
        let worker = worker.map(number);
        self.report.event(&events::Event::Error { worker, reason: text });
    }
}

fn number(worker: WorkerId) -> u64 {
    worker.0.into()
}
