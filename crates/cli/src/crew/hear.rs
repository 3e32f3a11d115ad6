//! From what happens in the crew to what people and programs read about it.

mod crew;
mod hang;
mod scheduling;
mod worker;
mod worn;

pub(super) use worker::exit_of;

use std::time::{Duration, Instant};

use portcrew::{CrewNotice, Event, Outcome, Ready, Signal, Snapshot, WorkerId};

use super::dealing::Dealing;
use super::ending::Account;
use super::explain::Explaining;
use super::once::{News, Once};
use super::outputs::Outputs;
use super::reload::Reload;
use super::{Kind, Wish};
use crate::exit::ExitStatus;
use crate::output::words::notices;
use crate::output::{Report, events};
use crate::plan::Policies;

/// Hears the crew's events and reports them.
#[derive(Debug)]
pub(super) struct Hearing<'a> {
    report: &'a Report,
    kind: Kind,
    /// What shows that a worker is ready.
    ready: Ready,
    /// What a worker gets that does not leave.
    stop_signal: Signal,
    /// What one gets that hangs.
    hang_signal: Signal,
    since: Instant,
    /// Addresses of which it was said that they listen: once is enough.
    told_listening: Once,
    /// Those of which it was said that they are taken.
    told_taken: Once,
    /// Those of which it was said how they are allowed.
    told_denied: Once,
    /// It was said that the program binds its addresses by itself.
    told_self_bound: bool,
    /// A worker that ended unasked, until the next event tells what comes of it.
    gone: Option<(WorkerId, String)>,
    deaths: u64,
    spawn_failure: Option<ExitStatus>,
    /// Why the last listener was not had, in words.
    no_listener: Option<String>,
    reload: Option<Reload>,
    dealing: Dealing,
    explaining: Option<Explaining>,
}

impl<'a> Hearing<'a> {
    pub(super) fn new(wish: &Wish, report: &'a Report) -> Self {
        Self {
            report,
            kind: wish.kind,
            ready: wish.settings.ready.clone(),
            stop_signal: wish.settings.stop_signal,
            hang_signal: wish.settings.hang_signal.unwrap_or(wish.settings.stop_signal),
            since: Instant::now(),
            told_listening: Once::default(),
            told_taken: Once::default(),
            told_denied: Once::default(),
            told_self_bound: false,
            gone: None,
            deaths: 0,
            spawn_failure: None,
            no_listener: None,
            reload: None,
            dealing: Dealing::new(wish.policies.clone()),
            explaining: wish.explain.then(|| Explaining::new(wish.policies.clone())),
        }
    }

    pub(super) fn account(&self) -> Account {
        Account {
            deaths: self.deaths,
            age: self.since.elapsed(),
            spawn_failure: self.spawn_failure,
            no_listener: self.no_listener.clone(),
        }
    }

    /// Reports one event. Gives the outcome when it was the crew's last.
    pub(super) async fn hear(&mut self, event: Event, outputs: &mut Outputs) -> Option<Outcome> {
        if !matches!(event, Event::Crew(CrewNotice::Restarting { .. })) {
            self.no_more_events();
        }
        if let Some(explaining) = &mut self.explaining {
            explaining.hear(&event);
        }
        match event {
            Event::Fork { worker, process } => {
                outputs.attach(&process, self.report);
                self.forked(worker, &process);
            }
            Event::Crew(CrewNotice::RolledBack { worker, reason, .. }) => {
                self.rolled_back(worker, reason, outputs).await;
            }
            Event::Hangs { worker, reason, found, diagnosis, .. } => {
                self.hangs(worker, reason, found, &diagnosis, outputs).await;
            }
            Event::Crew(notice) => self.crew(notice),
            Event::Finished(outcome) => return Some(outcome),
            Event::Scheduling { listener, address, news } => {
                self.scheduling(listener, &address, news);
            }
            event => self.worker(event),
        }
        None
    }

    /// Whether something has come that a snapshot explains; asked once for each time.
    pub(super) fn has_to_explain(&mut self) -> bool {
        self.explaining.as_mut().is_some_and(Explaining::take_due)
    }

    pub(super) fn explain(&mut self, snapshot: &Snapshot) {
        let lines = self.explaining.as_mut().map(|it| it.lines(snapshot)).unwrap_or_default();
        lines.iter().for_each(|line| self.report.notice(line));
    }

    /// The policies are others than before.
    pub(super) fn policies_are(&mut self, policies: &Policies) {
        if let Some(explaining) = &mut self.explaining {
            explaining.policies_are(policies.clone());
        }
    }

    /// Says what waited for a following event that has not come.
    pub(super) fn no_more_events(&mut self) {
        if let Some((worker, how)) = self.gone.take() {
            self.report.notice(&notices::gone(&worker, &how));
        }
    }

    /// Says which policies nobody has asked for, so long after the start.
    pub(super) fn say_unmet(&self, after: Duration) {
        self.dealing.unmet(after).for_each(|text| self.report.notice(&text));
    }

    /// Something went wrong that ends nothing.
    fn trouble(&self, worker: Option<WorkerId>, text: &str) {
        self.report.notice(text);
        let worker = worker.map(number);
        self.report.event(&events::Event::Error { worker, reason: text });
    }
}

/// Says that of which there is news, or once that more of its kind is not said.
fn say(report: &Report, news: News, text: &str) {
    match news {
        News::New => report.notice(text),
        News::TooMany => report.notice(&notices::further_ones(text)),
        // It was said.
        News::Nothing => {}
    }
}

fn number(worker: WorkerId) -> u64 {
    worker.0.into()
}
