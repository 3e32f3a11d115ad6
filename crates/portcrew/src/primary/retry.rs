//! What is tried again a little later, because nothing announces when it will succeed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portcrew_core::{ListenerId, Time, WorkerId};
use portcrew_ipc::process::Process;

use super::Signal;
use super::driver::Driver;
use super::parting::Parting;
use super::ready::Source;

/// How long to wait when the kernel lacks memory or descriptors, for somebody to give some back.
const TRY_AGAIN: Duration = Duration::from_millis(10);

/// Everything that waits for the next attempt. One worker's want holds up nobody else.
#[derive(Debug, Default)]
pub(super) struct Retries {
    at: Option<Time>,
    /// Workers that cannot be written to now.
    unwritten: BTreeSet<WorkerId>,
    /// Workers whose process could not be looked at.
    unseen: BTreeSet<WorkerId>,
    /// Shared sockets that are not watched now, and when each is to be again.
    unwatched: BTreeMap<ListenerId, Time>,
    /// To be told to leave once they have accepted what waits for them.
    pub(super) parting: Parting,
    /// Killed before they became workers, and not reaped yet.
    unreaped: Vec<Process>,
}

impl Retries {
    /// When the next attempt is due.
    pub(super) fn at(&self) -> Option<Time> {
        self.unwatched.values().copied().chain(self.at).min()
    }

    /// Whether watching a shared socket waits for its time.
    pub(super) fn leaves_unwatched(&self, listener: ListenerId) -> bool {
        self.unwatched.contains_key(&listener)
    }

    /// Whether writing to `worker` waits for the next attempt.
    pub(super) fn holds_back(&self, worker: WorkerId) -> bool {
        self.unwritten.contains(&worker)
    }

    /// Has a worker signalled once nothing waits for it.
    pub(super) fn signal_later(&mut self, worker: WorkerId, signal: Signal, now: Time) {
        self.parting.add(worker, signal, now);
        self.at.get_or_insert(now + TRY_AGAIN);
    }

    pub(super) fn has_unreaped(&self) -> bool {
        !self.unreaped.is_empty()
    }
}

impl Driver {
    pub(super) fn write_later(&mut self, worker: WorkerId) {
        self.retries.unwritten.insert(worker);
        self.retry_soon();
    }

    pub(super) fn look_later(&mut self, worker: WorkerId) {
        self.retries.unseen.insert(worker);
        self.retry_soon();
    }

    pub(super) fn watch_later(&mut self, listener: ListenerId, after: Duration) {
        self.retries.unwatched.insert(listener, self.now + after);
    }

    /// Takes a process that was killed: it must not stay a zombie, and its end is not waited for here.
    pub(super) fn reap_later(&mut self, process: Process) {
        self.retries.unreaped.push(process);
        self.retry_soon();
    }

    /// Makes every attempt that is due.
    pub(super) fn try_again(&mut self) {
        let unwatched = self.retries.unwatched.iter();
        let due: Vec<_> = unwatched.filter(|it| *it.1 <= self.now).map(|it| *it.0).collect();
        for listener in due {
            self.retries.unwatched.remove(&listener);
            self.watch_shared(listener);
        }
        if self.retries.at.is_none_or(|at| at > self.now) {
            return;
        }
        self.retries.at = None;
        self.dirty.extend(std::mem::take(&mut self.retries.unwritten));
        for worker in std::mem::take(&mut self.retries.unseen) {
            self.visit(Source::Process(worker));
        }
        self.signal_parting();
        if !self.retries.parting.is_empty() {
            self.retry_soon();
        }
        // An error means that somebody else has reaped it.
        self.retries.unreaped.retain_mut(|process| matches!(process.try_wait(), Ok(None)));
        if self.retries.has_unreaped() {
            self.retry_soon();
        }
    }

    /// An attempt that is due earlier stays so: want must not put it off for ever.
    fn retry_soon(&mut self) {
        self.retries.at.get_or_insert(self.now + TRY_AGAIN);
    }
}
