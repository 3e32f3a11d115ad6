//! What happens to the crew as a whole.

use portcrew::{CrewNotice, RollbackReason, Signal, WorkerId};
use portcrew_core::supervise::Force;

use super::{Hearing, number};
use crate::crew::causes::how_it_failed;
use crate::crew::outputs::Outputs;
use crate::crew::reload::{self, Reload};
use crate::output::events::{self, ReloadState};
use crate::output::words::{notices, supervision};

impl Hearing<'_> {
    /// What happens to the crew as a whole.
    pub(super) fn crew(&mut self, notice: CrewNotice) {
        match notice {
            CrewNotice::Ready { worker } => {
                self.report.event(&events::Event::Ready { worker: number(worker) });
                self.report.notice(&notices::is_ready(&worker));
            }
            CrewNotice::NotListening { worker, after } => {
                let text = supervision::not_in_time(&worker, after, &self.ready);
                self.trouble(Some(worker), &text);
            }
            CrewNotice::Restarting { reason, delay, .. } => {
                self.report.notice(&match self.gone.take() {
                    Some((worker, how)) => notices::replaced_later(&worker, &how, delay),
                    None => notices::somebody_replaced_later(&how_it_failed(reason), delay),
                });
            }
            CrewNotice::Recycling { .. }
            | CrewNotice::Recycled { .. }
            | CrewNotice::NotRecycled { .. }
            | CrewNotice::Retired { .. } => self.worn(notice),
            CrewNotice::Canary { delay, .. } => self.report.notice(&notices::canary(delay)),
            CrewNotice::Degraded => self.trouble(None, &notices::degraded()),
            CrewNotice::Recovered => self.report.notice(&notices::recovered()),
            CrewNotice::ReloadStarted { generation } => {
                self.reload = Some(Reload::begun(generation));
                self.verdict(ReloadState::Started, None);
                self.report.notice(&notices::reload_started());
            }
            CrewNotice::ReloadMerged { generation } => {
                let is_this = self.reload.is_some_and(|it| it.generation == generation);
                self.report.notice(&notices::reload_merged(is_this));
            }
            CrewNotice::ReloadProgress { replaced, of, .. } => {
                self.report.event(&events::Event::ReloadProgress { replaced, of });
                self.report.notice(&notices::reload_progress(replaced, of));
            }
            CrewNotice::ReloadCommitted { .. } => {
                let took = self.reload.take().map(Reload::took).unwrap_or_default();
                self.verdict(ReloadState::Done, None);
                self.report.notice(&notices::reload_done(took));
            }
            CrewNotice::NotRestored { slot, reason, .. } => {
                self.trouble(None, &notices::not_restored(&slot, &how_it_failed(reason)));
            }
            CrewNotice::Resized { workers } => self.report.notice(&notices::resized(workers)),
            CrewNotice::Forced { worker, force } => self.forced(worker, force),
            CrewNotice::Unkillable { worker } => {
                self.trouble(Some(worker), &notices::unkillable(&worker));
            }
            // Said when the signal came; told with the verdict; heard in `hear`.
            CrewNotice::Stopping { .. }
            | CrewNotice::ReloadFailed { .. }
            | CrewNotice::RolledBack { .. } => {}
            // A notice of a newer library.
            _ => {}
        }
    }

    pub(super) async fn rolled_back(
        &mut self,
        worker: Option<WorkerId>,
        why: RollbackReason,
        outputs: &mut Outputs,
    ) {
        self.reload = None;
        let reason = reload::verdict(worker, why);
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

    fn forced(&self, worker: WorkerId, force: Force) {
        let signal = match force {
            Force::Terminate => self.stop_signal,
            Force::Report => self.hang_signal,
            Force::Kill => Signal::Kill,
        };
        self.report.notice(&notices::made_to_leave(&worker, signal.number()));
    }

    fn verdict(&self, state: ReloadState, reason: Option<&str>) {
        self.report.event(&events::Event::Reload { state, reason });
    }
}
