//! The run of a load: one thread, one runtime, one task per client.

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Mutex, Notify, mpsc, oneshot};
use tokio::task::{JoinHandle, LocalSet};

use super::arrivals;
use super::background::{Background, Progress, Stop};
use super::client::Client;
use super::error::LoadError;
use super::outcome::Outcome;
use super::plan::{Pace, Plan};
use super::report::{FailureSample, MAX_SAMPLES, Report};
use super::response::Response;
use super::share::{self, Share};

/// A client's pause is cut into pieces of this length to look at the stop flag.
const LOOK_AT_STOP: Duration = Duration::from_millis(20);

/// Starts a checked plan on its own thread.
pub(super) fn start(plan: Plan, stop: Stop) -> Result<Background, LoadError> {
    let progress = Arc::new(Progress::default());
    let (sender, result) = oneshot::channel();
    let (its_stop, its_progress) = (stop.clone(), Arc::clone(&progress));
    let thread = std::thread::Builder::new().name("load".to_owned()).spawn(move || {
        // Told on every way out, a panic included, so that nobody waits for answers that cannot come.
        let _told = Told(Arc::clone(&its_progress));
        // A receiver that has gone wants no report.
        let _ = sender.send(drive(plan, its_stop, its_progress));
    });
    let thread = thread.map_err(LoadError::Client)?;
    Ok(Background::new(stop, progress, thread, result))
}

struct Told(Arc<Progress>);

impl Drop for Told {
    fn drop(&mut self) {
        self.0.end();
    }
}

fn drive(plan: Plan, stop: Stop, progress: Arc<Progress>) -> Result<Report, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build();
    let runtime = runtime.map_err(LoadError::Client)?;
    let clients = plan.clients;
    let (run, clock) = Run::begin(plan, stop, progress);
    let run = Rc::new(run);
    LocalSet::new().block_on(&runtime, async {
        let task = |_| tokio::task::spawn_local(Client::new(Rc::clone(&run)).work());
        let tasks: Vec<_> = (0..clients).map(task).collect();
        tokio::select! {
            () = finished(tasks) => {}
            // What the other clients still wait for does not matter any more; they end with their tasks.
            () = run.failed_itself.notified() => {}
        }
    });
    run.tickets.close(&runtime);
    if let Some(clock) = clock {
        // It ends because its receiver is closed; its only panic would be a bug that its own message tells.
        let _ = clock.join();
    }
    run.finish()
}

async fn finished(tasks: Vec<JoinHandle<()>>) {
    for task in tasks {
        match task.await {
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            // Nobody aborts a task while it is awaited here.
            Ok(()) | Err(_) => {}
        }
    }
}

/// What the clients of one run share. They are tasks of one thread.
pub(super) struct Run {
    pub(super) plan: Plan,
    pub(super) request: Vec<u8>,
    tickets: Tickets,
    left: Cell<u64>,
    started: Instant,
    end: Instant,
    stop: Stop,
    progress: Arc<Progress>,
    tally: RefCell<Tally>,
    fatal: RefCell<Option<io::Error>>,
    failed_itself: Notify,
}

/// When a client may begin its next attempt.
enum Tickets {
    Closed { think: Duration },
    Open(Mutex<mpsc::Receiver<Instant>>),
}

impl Tickets {
    fn close(&self, runtime: &tokio::runtime::Runtime) {
        if let Self::Open(due) = self {
            runtime.block_on(async { due.lock().await.close() });
        }
    }
}

impl Run {
    /// The state at the start, and the clock of an open loop.
    fn begin(
        plan: Plan,
        stop: Stop,
        progress: Arc<Progress>,
    ) -> (Self, Option<std::thread::JoinHandle<()>>) {
        let started = Instant::now();
        let end = started + plan.time_limit();
        let count = plan.requests.unwrap_or(u64::MAX);
        let (tickets, clock) = match plan.pace {
            Pace::Closed { think } => (Tickets::Closed { think }, None),
            Pace::Open { per_second, seed } => {
                let (due, thread) = arrivals::start(per_second, seed, count, end, stop.clone());
                (Tickets::Open(Mutex::new(due)), Some(thread))
            }
        };
        let run = Self {
            request: plan.request(),
            plan,
            tickets,
            left: Cell::new(count),
            started,
            end,
            stop,
            progress,
            tally: RefCell::new(Tally::new()),
            fatal: RefCell::default(),
            failed_itself: Notify::new(),
        };
        (run, clock)
    }

    /// Waits until an attempt is due and returns the moment that its latency counts from; none when the load is over.
    pub(super) async fn ticket(&self, first: bool) -> Option<Instant> {
        let due = match &self.tickets {
            Tickets::Open(due) => Some(due.lock().await.recv().await?),
            Tickets::Closed { think } => {
                if !first {
                    self.pause(*think).await;
                }
                None
            }
        };
        let now = Instant::now();
        let over = now >= self.end || self.stop.is_pulled() || self.fatal.borrow().is_some();
        if over || self.left.get() == 0 {
            return None;
        }
        self.left.set(self.left.get() - 1);
        Some(due.unwrap_or(now))
    }

    /// Waits for `pause`, or less when the load ends meanwhile.
    async fn pause(&self, pause: Duration) {
        let until = (Instant::now() + pause).min(self.end);
        while !self.stop.is_pulled() {
            match until.checked_duration_since(Instant::now()) {
                Some(left) if !left.is_zero() => tokio::time::sleep(left.min(LOOK_AT_STOP)).await,
                _ => break,
            }
        }
    }

    /// Books an attempt that was answered.
    pub(super) fn answered(&self, begun: Instant, response: &Response, first_on_connection: bool) {
        let worker = self.plan.keys.name(response);
        let took = begun.elapsed();
        let mut tally = self.tally.borrow_mut();
        tally.report.ok += 1;
        tally.report.latency.record(took);
        tally.report.slowest_attempt = tally.report.slowest_attempt.max(took);
        tally.by_worker.count(worker);
        share::generation(response).into_iter().for_each(|it| tally.by_generation.count(it));
        if first_on_connection {
            tally.connections_by_worker.count(worker);
        }
        drop(tally);
        self.progress.answer();
    }

    /// Books an attempt that was not.
    pub(super) fn failed(&self, begun: Instant, outcome: Outcome, why: &str) {
        let took = begun.elapsed();
        let report = &mut self.tally.borrow_mut().report;
        *report.count_mut(outcome) += 1;
        report.slowest_attempt = report.slowest_attempt.max(took);
        if report.samples.len() < MAX_SAMPLES {
            let at = self.started.elapsed();
            report.samples.push(FailureSample { at, took, outcome, why: why.to_owned() });
        }
    }

    /// Books something about a connection that is not an attempt's class.
    pub(super) fn note(&self, note: impl FnOnce(&mut Report)) {
        note(&mut self.tally.borrow_mut().report);
    }

    /// Ends the load: the client's own machine failed. The attempt was none.
    pub(super) fn give_up(&self, error: io::Error) {
        self.fatal.borrow_mut().get_or_insert(error);
        self.failed_itself.notify_one();
    }

    fn finish(&self) -> Result<Report, LoadError> {
        if let Some(error) = self.fatal.take() {
            return Err(LoadError::Client(error));
        }
        let Tally { mut report, by_worker, by_generation, connections_by_worker } =
            self.tally.replace(Tally::new());
        report.elapsed = self.started.elapsed();
        report.by_worker = by_worker.into_map();
        report.by_generation = by_generation.into_map();
        report.connections_by_worker = connections_by_worker.into_map();
        report.unstarted = self.plan.requests.map_or(0, |_| self.left.get());
        Ok(report)
    }
}

struct Tally {
    report: Report,
    by_worker: Share,
    by_generation: Share,
    connections_by_worker: Share,
}

impl Tally {
    fn new() -> Self {
        Self {
            report: Report::new(),
            by_worker: Share::default(),
            by_generation: Share::default(),
            connections_by_worker: Share::default(),
        }
    }
}
