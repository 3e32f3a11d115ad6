//! From what happens in the crew to what people and programs read about it.

use std::collections::BTreeSet;
use std::process::ExitStatus as Status;
use std::time::Instant;

use portcrew::{CrewNotice, Event, ListenAddress, Outcome, WorkerHandle, WorkerId};
use portcrew_core::primary::Exit;
use portcrew_core::supervise::Force;
use rustix::process::Signal;
use serde_json::value::RawValue;

use super::Kind;
use super::ending::Account;
use super::outputs::Outputs;
use super::reload::{self, Reload};
use crate::exit::ExitStatus;
use crate::output::Report;
use crate::output::events::{self, ReloadState};
use crate::output::words::{chain, notices, signal_name};

/// Hears the crew's events and reports them.
#[derive(Debug)]
pub(super) struct Hearing<'a> {
    report: &'a Report,
    kind: Kind,
    since: Instant,
    /// Addresses of which it was said that they listen, or that they are taken: once is enough.
    told: BTreeSet<String>,
    /// A worker that ended unasked, until the next event tells what comes of it.
    gone: Option<(WorkerId, String)>,
    deaths: u64,
    spawn_failure: Option<ExitStatus>,
    pub(super) reload: Option<Reload>,
}

impl<'a> Hearing<'a> {
    pub(super) fn new(kind: Kind, report: &'a Report) -> Self {
        Self {
            report,
            kind,
            since: Instant::now(),
            told: BTreeSet::new(),
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

    /// What happens to one worker.
    fn worker(&mut self, event: Event) {
        match event {
            Event::Online { worker } => {
                self.report.event(&events::Event::Online { worker: number(worker) });
            }
            Event::Listening { worker, address } => self.listening(worker, &address),
            Event::ListenFailed { worker, address, error } => {
                self.cannot_listen(worker, &address, &error);
            }
            Event::Message { worker, message, handle } => {
                self.message(worker, message.as_str(), handle.is_some());
            }
            // Nobody here can answer; the asker's deadline ends its wait.
            Event::Request { worker, request } => self.message(worker, request.as_str(), false),
            Event::Disconnect { worker, .. } => {
                self.report.event(&events::Event::Disconnect { worker: number(worker) });
            }
            Event::Exit { worker, status, planned } => self.exited(worker, status, planned),
            Event::Error { worker, error } => self.error(worker, &error),
            Event::Misbehaved { worker } => {
                self.trouble(Some(worker), &notices::misbehaved(&worker));
            }
            Event::Lagged { dropped } => {
                self.report.notice(&notices::events_dropped(dropped));
                self.report.event(&events::Event::Dropped { lines: dropped });
            }
            // Said before the first worker already, or heard in `hear`.
            Event::Setup | Event::Fork { .. } | Event::Crew(_) | Event::Finished(_) => {}
            // An event of a newer library.
            _ => {}
        }
    }

    fn forked(&self, worker: WorkerId, process: &WorkerHandle) {
        let (worker, pid) = (number(worker), process.pid());
        self.report.event(&events::Event::Fork { worker, pid });
    }

    fn listening(&mut self, worker: WorkerId, address: &ListenAddress) {
        let address = address.to_string();
        let (worker, text) = (number(worker), address.as_str());
        self.report.event(&events::Event::Listening { worker, address: text });
        if self.told.insert(address.clone()) {
            self.report.notice(&match self.kind {
                Kind::Run => notices::listening(&address),
                Kind::Demo => notices::demo_open(&address),
            });
        }
    }

    fn cannot_listen(&mut self, worker: WorkerId, address: &ListenAddress, error: &std::io::Error) {
        if error.kind() != std::io::ErrorKind::AddrInUse {
            return self.trouble(Some(worker), &notices::cannot_listen(&worker, address, error));
        }
        let text = notices::address_in_use(address);
        let worker = Some(number(worker));
        self.report.event(&events::Event::Error { worker, reason: &text });
        // All workers ask for the same address.
        if self.told.insert(text.clone()) {
            self.report.notice(&text);
        }
    }

    fn message(&self, worker: WorkerId, text: &str, has_handle: bool) {
        // It was parsed when it came, so it is JSON.
        if let Ok(message) = serde_json::from_str::<&RawValue>(text) {
            let worker = number(worker);
            self.report.event(&events::Event::Message { worker, message, has_handle });
        }
    }

    fn exited(&mut self, worker: WorkerId, status: Status, planned: bool) {
        let exit = exit_of(status);
        let (code, signal) = match exit {
            Exit::Code(code) => (Some(code), None),
            Exit::Signal(signal) => (None, Some(signal_name(signal))),
        };
        let number = number(worker);
        let signal = signal.as_deref();
        self.report.event(&events::Event::Exit { worker: number, code, signal, asked: planned });
        if !planned {
            self.deaths += 1;
            self.gone = Some((worker, how_it_ended(exit)));
        }
    }

    fn error(&mut self, worker: Option<WorkerId>, error: &portcrew::Error) {
        if let portcrew::Error::Spawn(failure) = error {
            self.spawn_failure = Some(match failure.exit_status() {
                127 => ExitStatus::NotFound,
                _ => ExitStatus::NotExecutable,
            });
            // Its text is complete: the path, the reason and the system's answer.
            return self.trouble(worker, &failure.to_string());
        }
        let text = chain(error);
        self.trouble(worker, &worker.map_or(text.clone(), |it| notices::about(&it, &text)));
    }

    /// Something went wrong that ends nothing.
    fn trouble(&self, worker: Option<WorkerId>, text: &str) {
        self.report.notice(text);
        let worker = worker.map(number);
        self.report.event(&events::Event::Error { worker, reason: text });
    }

    /// What happens to the crew as a whole.
    fn crew(&mut self, notice: CrewNotice) {
        match notice {
            CrewNotice::NotListening { worker, after } => {
                self.trouble(Some(worker), &notices::not_listening(&worker, after));
            }
            CrewNotice::Restarting { delay, .. } => self.report.notice(&match self.gone.take() {
                Some((worker, how)) => notices::replaced_later(&worker, &how, delay),
                None => notices::starts_later(delay),
            }),
            CrewNotice::Degraded => self.trouble(None, &notices::degraded()),
            CrewNotice::Recovered => self.report.notice(&notices::recovered()),
            CrewNotice::ReloadStarted { .. } => {
                self.reload = Some(Reload::begun());
                self.verdict(ReloadState::Started, None);
                self.report.notice(&notices::reload_started());
            }
            CrewNotice::ReloadProgress { replaced, of } => {
                if let Some(reload) = &mut self.reload {
                    reload.replaced = replaced;
                }
                self.report.notice(&notices::reload_progress(replaced, of));
            }
            CrewNotice::ReloadCommitted { .. } => {
                let took = self.reload.take().map(Reload::took).unwrap_or_default();
                self.verdict(ReloadState::Done, None);
                self.report.notice(&notices::reload_done(took));
            }
            CrewNotice::Resized { workers } => self.report.notice(&notices::resized(workers)),
            CrewNotice::Forced { worker, force } => {
                let signal = match force {
                    Force::Terminate => Signal::TERM,
                    Force::Kill => Signal::KILL,
                };
                self.report.notice(&notices::made_to_leave(&worker, signal.as_raw()));
            }
            // Said when the signal came; and a roll-back is heard in `hear`.
            CrewNotice::Stopping { .. } | CrewNotice::RolledBack { .. } => {}
            // A notice of a newer library.
            _ => {}
        }
    }

    async fn rolled_back(
        &mut self,
        worker: Option<WorkerId>,
        why: portcrew::RollbackReason,
        outputs: &mut Outputs,
    ) {
        self.reload = None;
        let reason = reload::reason(worker, why);
        let last_words = match worker {
            Some(worker) => outputs.last_words(worker, reload::has_ended(why)).await,
            None => Vec::new(),
        };
        self.verdict(ReloadState::RolledBack, Some(&reason));
        self.report.notice(&notices::reload_rolled_back(&reason));
        for line in last_words {
            self.report.notice(&notices::last_words(&line));
        }
    }

    fn verdict(&self, state: ReloadState, reason: Option<&str>) {
        self.report.event(&events::Event::Reload { state, reason });
    }
}

/// How a process ended, in words.
pub(super) fn how_it_ended(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => notices::exited(code),
        Exit::Signal(signal) => notices::killed_by(signal),
    }
}

fn exit_of(status: Status) -> Exit {
    use std::os::unix::process::ExitStatusExt;
    // A process that has ended has one of them.
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code(code),
        (None, signal) => Exit::Signal(signal.unwrap_or_default()),
    }
}

fn number(worker: WorkerId) -> u64 {
    worker.0.into()
}
