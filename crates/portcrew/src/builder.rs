//! The shortest way to a crew: one closure that serves.

use std::error::Error as StdError;
use std::fmt;

use tokio::runtime::{Builder as Runtime, Runtime as Running};
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    Error, Event, Outcome, Policy, Result, Role, Settings, Worker, Workers, blocking, role,
};

/// A crew in one expression. Made by [`Cluster::builder`](crate::Cluster::builder).
///
/// The same executable is primary and worker; [`run`](Self::run) finds out which. Call it at the top of a
/// plain `fn main`, before any runtime or thread exists.
///
/// ```no_run
/// use portcrew::{Cluster, Worker, Workers};
///
/// fn main() -> portcrew::Result<()> {
///     Cluster::builder().workers(Workers::PerCpu).run(async |worker: Worker| {
///         let listener = worker.listen("127.0.0.1:3000").await?;
///         loop {
///             let (stream, _peer) = listener.accept().await?;
///             drop(stream);
///         }
///         # #[allow(unreachable_code)]
///         Ok::<(), portcrew::Error>(())
///     })
/// }
/// ```
#[derive(Debug)]
#[must_use = "nothing starts before run() is called"]
pub struct Builder {
    workers: Workers,
    settings: Option<Settings>,
    policy: Option<Policy>,
    threads: usize,
    signals: bool,
    on_event: Option<OnEvent>,
}

impl Builder {
    pub(crate) const fn new() -> Self {
        Self {
            workers: Workers::PerCpu,
            settings: None,
            policy: None,
            threads: 1,
            signals: true,
            on_event: None,
        }
    }

    /// How many workers. Default: [`Workers::PerCpu`].
    pub const fn workers(mut self, workers: Workers) -> Self {
        self.workers = workers;
        self
    }

    /// How workers are started. Default: [`Settings::default`].
    pub fn settings(mut self, settings: Settings) -> Self {
        self.settings = Some(settings);
        self
    }

    /// Who gets the next connection; wins over the settings.
    pub fn policy(mut self, policy: Policy) -> Self {
        self.policy = Some(policy);
        self
    }

    /// Threads of each worker's runtime. Default 1: the crew is the parallelism, and one thread hands a
    /// connection to its task without crossing cores.
    #[cfg(feature = "threads")]
    #[cfg_attr(docsrs, doc(cfg(feature = "threads")))]
    pub const fn worker_threads(mut self, threads: usize) -> Self {
        self.threads = threads;
        self
    }

    /// Whether the primary handles signals. Default `true`: SIGINT and SIGTERM stop the crew (a second one
    /// at once), SIGHUP replaces all workers one by one.
    pub const fn handle_signals(mut self, handle: bool) -> Self {
        self.signals = handle;
        self
    }

    /// Hears every event of the primary, for a log. Without it nothing is said of what happens, not even of
    /// workers that die. It runs between two events, so it should not wait.
    ///
    /// ```no_run
    /// use portcrew::{Cluster, Event};
    ///
    /// let builder = Cluster::builder().on_event(|event| {
    ///     if let Event::Exit { worker, status, planned: false } = event {
    ///         eprintln!("worker {worker} died: {status}");
    ///     }
    /// });
    /// # drop(builder);
    /// ```
    pub fn on_event(mut self, hear: impl FnMut(&Event) + Send + 'static) -> Self {
        self.on_event = Some(OnEvent(Box::new(hear)));
        self
    }

    /// Serves: in a worker runs `serve`, in the primary keeps the workers running until it is stopped.
    ///
    /// A worker is told to leave through [`Worker::draining`]; when `serve` returns, the worker says
    /// farewell and ends.
    ///
    /// # Errors
    ///
    /// As [`role`]; [`Error::Serve`] with what `serve` returned; in the primary [`Error::Crew`] when the
    /// crew ended otherwise than by being stopped.
    pub fn run<F, E>(self, serve: F) -> Result<()>
    where
        F: AsyncFnOnce(Worker) -> Result<(), E>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        match role()? {
            Role::Worker(worker) => self.work(&worker, serve),
            Role::Primary(primary) => runtime(1)?.block_on(self.lead(&primary)),
        }
    }

    /// As [`run`](Self::run), for a threaded server: `serve` runs on the worker's main thread and may block.
    ///
    /// # Errors
    ///
    /// As [`run`](Self::run).
    pub fn run_blocking<F, E>(self, serve: F) -> Result<()>
    where
        F: FnOnce(&blocking::Worker) -> Result<(), E>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        match role()? {
            Role::Worker(worker) => {
                let worker = blocking::Worker::new(worker)?;
                let served = serve(&worker);
                worker.disconnect();
                served.map_err(|error| Error::Serve(error.into()))
            }
            Role::Primary(primary) => runtime(1)?.block_on(self.lead(&primary)),
        }
    }

    fn work<F, E>(&self, worker: &Worker, serve: F) -> Result<()>
    where
        F: AsyncFnOnce(Worker) -> Result<(), E>,
        E: Into<Box<dyn StdError + Send + Sync>>,
    {
        runtime(self.threads)?.block_on(async {
            worker.start()?;
            let served = serve(worker.clone()).await;
            // Said also after a failure: the primary then knows that nothing more comes from here.
            worker.disconnect().await;
            served.map_err(|error| Error::Serve(error.into()))
        })
    }

    fn hear(&mut self, event: &Event) {
        if let Some(OnEvent(hear)) = &mut self.on_event {
            hear(event);
        }
    }

    async fn lead(mut self, primary: &crate::Primary) -> Result<()> {
        let mut settings = self.settings.take().unwrap_or_default();
        if let Some(policy) = self.policy.take() {
            settings.policy = policy;
        }
        let mut cluster = primary.cluster(settings)?;
        let mut signals = self.signals.then(Signals::new).transpose()?;
        cluster.start(self.workers.count())?;
        loop {
            let wish = async {
                match &mut signals {
                    Some(signals) => signals.next().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = cluster.next_event() => {
                    let event = event.ok_or(Error::Disconnected)?;
                    self.hear(&event);
                    match event {
                        Event::Finished(Outcome::Stopped) => return Ok(()),
                        Event::Finished(outcome) => return Err(Error::Crew(outcome)),
                        _ => {}
                    }
                }
                wish = wish => match wish {
                    Wish::Stop => cluster.stop()?,
                    Wish::Reload => cluster.reload()?,
                },
            }
        }
    }
}

/// What the user wants to do with events.
struct OnEvent(Box<dyn FnMut(&Event) + Send>);

impl fmt::Debug for OnEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OnEvent(..)")
    }
}

/// What a signal asks for.
#[derive(Debug, Clone, Copy)]
enum Wish {
    Stop,
    Reload,
}

struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    hangup: tokio::signal::unix::Signal,
}

impl Signals {
    fn new() -> Result<Self> {
        let listen = |kind| signal(kind).map_err(Error::io("listen for signals"));
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    async fn next(&mut self) -> Wish {
        tokio::select! {
            _ = self.interrupt.recv() => Wish::Stop,
            _ = self.terminate.recv() => Wish::Stop,
            _ = self.hangup.recv() => Wish::Reload,
        }
    }
}

fn runtime(threads: usize) -> Result<Running> {
    let mut builder = runtime_of(threads);
    builder.enable_all().build().map_err(Error::io("start a runtime"))
}

#[cfg(feature = "threads")]
fn runtime_of(threads: usize) -> Runtime {
    match threads {
        0 | 1 => Runtime::new_current_thread(),
        2.. => {
            let mut builder = Runtime::new_multi_thread();
            builder.worker_threads(threads);
            builder
        }
    }
}

/// Without the feature nobody can ask for more than one.
#[cfg(not(feature = "threads"))]
fn runtime_of(_one: usize) -> Runtime {
    Runtime::new_current_thread()
}
