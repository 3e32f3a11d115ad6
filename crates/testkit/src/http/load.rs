//! What a load shall do.

use std::time::Duration;

use super::background::{Background, Stop};
use super::error::LoadError;
use super::plan::{Pace, Plan, Reuse};
use super::report::Report;
use super::run;
use super::share::WorkerKeys;
use super::target::Target;

/// A load, to be run in one of four ways: [`run`](Self::run), [`try_run`](Self::try_run),
/// [`run_async`](Self::run_async) or [`background`](Self::background).
///
/// By default one client makes one request after another, each on its own connection with `Connection: close`, each
/// within 2 s, all within 60 s.
#[derive(Clone, Debug)]
#[must_use = "nothing is sent before it is run"]
pub struct Load {
    plan: Plan,
    stop: Option<Stop>,
}

impl Load {
    /// A load on a loopback address or a Unix socket.
    pub fn new(target: impl Into<Target>) -> Self {
        let plan = Plan {
            target: target.into(),
            clients: 1,
            requests: None,
            time_limit: None,
            stoppable: false,
            per_try: Duration::from_secs(2),
            reuse: Reuse::Close,
            pace: Pace::Closed { think: Duration::ZERO },
            reset_on_close: false,
            half_close: false,
            path: "/".to_owned(),
            headers: Vec::new(),
            keys: WorkerKeys::default(),
        };
        Self { plan, stop: None }
    }

    /// So many clients at once. In an open loop it is the most requests under way at a time.
    pub fn clients(mut self, clients: usize) -> Self {
        self.plan.clients = clients;
        self
    }

    /// So many attempts in all, over all clients.
    pub fn requests(mut self, requests: u64) -> Self {
        self.plan.requests = Some(requests);
        self
    }

    /// No attempt begins later than this after the start.
    pub fn time_limit(mut self, limit: Duration) -> Self {
        self.plan.time_limit = Some(limit);
        self
    }

    /// No attempt begins after `stop` was pulled; the time limit holds as well.
    pub fn until(mut self, stop: &Stop) -> Self {
        self.plan.stoppable = true;
        self.stop = Some(stop.clone());
        self
    }

    /// Keeps each connection for so many requests; the client closes it after the last.
    pub fn keep_alive(mut self, requests_per_connection: u32) -> Self {
        self.plan.reuse = Reuse::KeepAlive(requests_per_connection);
        self
    }

    /// Each client waits so long between an answer and its next request. Ends an [`open_loop`](Self::open_loop).
    pub fn think(mut self, pause: Duration) -> Self {
        self.plan.pace = Pace::Closed { think: pause };
        self
    }

    /// Requests arrive at random (Poisson), so many per second, whatever the server does. The latency counts from the
    /// moment at which a request was due, so a slow server cannot hide its queue. The same seed gives the same gaps.
    pub fn open_loop(mut self, per_second: f64, seed: u64) -> Self {
        self.plan.pace = Pace::Open { per_second, seed };
        self
    }

    /// A try that has no whole answer after this time, from its connect on, is a timeout.
    pub fn per_try_timeout(mut self, limit: Duration) -> Self {
        self.plan.per_try = limit;
        self
    }

    /// After the server has closed its side, closes the client's side with a reset, so that no port stays in
    /// TIME_WAIT. For benchmarks; has no effect on a connection that the server did not close.
    pub fn reset_on_close(mut self, reset: bool) -> Self {
        self.plan.reset_on_close = reset;
        self
    }

    /// Closes the client's direction behind the request, and waits for the answer: the server reads an end. Does not go
    /// with [`keep_alive`](Self::keep_alive).
    pub fn half_close(mut self, half: bool) -> Self {
        self.plan.half_close = half;
        self
    }

    /// The path that is asked for, with its query.
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.plan.path = path.into();
        self
    }

    /// Adds a header to each request.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.plan.headers.push((name.into(), value.into()));
        self
    }

    /// The text in the body behind which the worker's name stands, where there is no header `x-worker`; by default
    /// `worker`, then `pid`.
    pub fn worker_key(mut self, key: &str) -> Self {
        self.plan.keys = WorkerKeys::only(key);
        self
    }

    /// Runs it on a thread of its own and waits for the end.
    ///
    /// # Panics
    /// When the load itself is at fault: see [`try_run`](Self::try_run).
    #[must_use]
    pub fn run(self) -> Report {
        match self.try_run() {
            Ok(report) => report,
            Err(error) => panic!("{error}"),
        }
    }

    /// Runs it on a thread of its own and waits for the end.
    ///
    /// # Errors
    /// A target or setting that is refused, or this machine's own lack of descriptors, ports or memory. Whatever the
    /// server does is in the report.
    pub fn try_run(self) -> Result<Report, LoadError> {
        self.start()?.try_finish()
    }

    /// Runs it on a thread of its own, so that the caller's runtime stays free for the server.
    ///
    /// # Errors
    /// As [`try_run`](Self::try_run).
    ///
    /// # Cancel safety
    /// Dropping the future stops the load: attempts under way are finished on its thread, and no new one begins.
    pub async fn run_async(self) -> Result<Report, LoadError> {
        self.start()?.finished().await
    }

    /// Starts it on a thread of its own, to serve while something else happens. Without a number of requests it goes
    /// on until [`Background::finish`], at most for the time limit.
    ///
    /// # Panics
    /// When the target or a setting is refused.
    pub fn background(mut self) -> Background {
        self.plan.stoppable = true;
        match self.start() {
            Ok(running) => running,
            Err(error) => panic!("{error}"),
        }
    }

    fn start(self) -> Result<Background, LoadError> {
        self.plan.check()?;
        run::start(self.plan, self.stop.unwrap_or_default())
    }
}
