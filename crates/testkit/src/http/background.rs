//! A load that runs while something else happens.

use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::error::LoadError;
use super::report::Report;

/// A flag that ends loads: no attempt begins after it was pulled, those under way are finished.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// A flag that is not pulled.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Pulls it. There is no way back.
    pub fn pull(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was pulled.
    #[must_use]
    pub fn is_pulled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// A load that is under way. Dropping it stops the load without waiting for it.
pub struct Background {
    stop: Stop,
    progress: Arc<Progress>,
    thread: Option<JoinHandle<()>>,
    result: Option<oneshot::Receiver<Result<Report, LoadError>>>,
}

impl Background {
    pub(super) fn new(
        stop: Stop,
        progress: Arc<Progress>,
        thread: JoinHandle<()>,
        result: oneshot::Receiver<Result<Report, LoadError>>,
    ) -> Self {
        Self { stop, progress, thread: Some(thread), result: Some(result) }
    }

    /// How many whole answers there have been so far.
    #[must_use]
    pub fn answered(&self) -> u64 {
        self.progress.answered.load(Ordering::Relaxed)
    }

    /// Waits until there have been `count` more whole answers than at the call.
    ///
    /// # Panics
    /// When the load ends before, or `within` passes.
    pub fn wait_answered(&self, count: u64, within: Duration) {
        let wanted = self.answered() + count;
        if let Err(why) = self.progress.wait(wanted, within) {
            panic!("{} of {wanted} answers, then {why}", self.answered());
        }
    }

    /// Stops it, waits for the attempts that are under way, and reports.
    ///
    /// # Panics
    /// When the client itself failed: see [`LoadError::Client`].
    #[must_use]
    pub fn finish(self) -> Report {
        self.stop.pull();
        match self.try_finish() {
            Ok(report) => report,
            Err(error) => panic!("{error}"),
        }
    }

    /// Waits for its own end.
    pub(super) fn try_finish(mut self) -> Result<Report, LoadError> {
        let result = self.result.take().map(oneshot::Receiver::blocking_recv);
        self.join();
        unwrap_result(result.and_then(Result::ok))
    }

    /// As [`try_finish`](Self::try_finish), for an asynchronous caller.
    pub(super) async fn finished(mut self) -> Result<Report, LoadError> {
        let result = match self.result.take() {
            Some(result) => result.await.ok(),
            None => None,
        };
        // The result is the last thing that the thread makes, so this wait is short.
        self.join();
        unwrap_result(result)
    }

    fn join(&mut self) {
        if let Some(Err(panic)) = self.thread.take().map(JoinHandle::join) {
            std::panic::resume_unwind(panic);
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // A finished load has no result left; one that shares its flag must not stop the others then.
        if self.result.is_some() || self.thread.is_some() {
            self.stop.pull();
        }
    }
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Background").field("answered", &self.answered()).finish_non_exhaustive()
    }
}

/// What the load's thread tells while it runs.
#[derive(Debug, Default)]
pub(super) struct Progress {
    answered: AtomicU64,
    wanted: AtomicU64,
    ended: Mutex<bool>,
    changed: Condvar,
}

impl Progress {
    pub(super) fn answer(&self) {
        let answered = self.answered.fetch_add(1, Ordering::SeqCst) + 1;
        // Zero means that nobody waits. The load of a benchmark takes no lock here.
        let wanted = self.wanted.load(Ordering::SeqCst);
        if wanted != 0 && answered >= wanted {
            self.wake();
        }
    }

    pub(super) fn end(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.changed.notify_all();
    }

    fn wake(&self) {
        // Taking the lock closes the gap between a waiter's look at the count and its sleep.
        drop(self.ended.lock().unwrap_or_else(PoisonError::into_inner));
        self.changed.notify_all();
    }

    fn wait(&self, wanted: u64, within: Duration) -> Result<(), &'static str> {
        let deadline = Instant::now() + within;
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            // The least demand of all waiters is what wakes them; who is content makes the others set theirs anew. It
            // is set before the count is read: an answer in between wakes, or is seen.
            let least = self.wanted.load(Ordering::SeqCst);
            if least == 0 || wanted < least {
                self.wanted.store(wanted, Ordering::SeqCst);
            }
            if self.answered.load(Ordering::SeqCst) >= wanted {
                self.wanted.store(0, Ordering::SeqCst);
                self.changed.notify_all();
                return Ok(());
            }
            if *ended {
                return Err("the load ended");
            }
            let left =
                deadline.checked_duration_since(Instant::now()).ok_or("the time was over")?;
            let woken = self.changed.wait_timeout(ended, left);
            ended = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

fn unwrap_result(result: Option<Result<Report, LoadError>>) -> Result<Report, LoadError> {
    // The thread sends a result on every path but a panic, and a panic was passed on by the join.
    result.unwrap_or_else(|| {
        Err(LoadError::Setting("the load's thread ended without a result".to_owned()))
    })
}
