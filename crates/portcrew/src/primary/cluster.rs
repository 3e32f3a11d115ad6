//! The user's handle to a primary.

use std::ffi::OsString;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use portcrew_core::primary::{ListenerName, Primary, Rule, Rules, Settings as MachineSettings};
use portcrew_core::scheduler::Scheduler;
use portcrew_core::supervise::Generation;
use portcrew_core::{Limits, WorkerId};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot};

use super::command::{Command, CrewCommand, Naming, RuleChange, RuleChanges};
use super::driver::{Driver, Parts, Registry};
use super::launcher::Launcher;
use super::policy::{self, Shown};
use super::reserve::Reserve;
use super::{Snapshot, WorkerHandle, events, rights};
use crate::{Builder, Error, Event, Message, Policy, Result, Settings};

/// A primary with its workers: Node's `cluster` object.
///
/// It is driven by a task of the runtime that it was made in. Dropping it asks every worker to leave; the
/// task ends when the last has gone.
///
/// ```no_run
/// # async fn run() -> portcrew::Result<()> {
/// use portcrew::{Cluster, Event, Settings};
///
/// let mut cluster = Cluster::new(Settings::default())?;
/// for _ in 0..4 {
///     cluster.fork().await?;
/// }
/// while let Some(event) = cluster.next_event().await {
///     if let Event::Exit { worker, status, planned: false } = event {
///         eprintln!("worker {worker} died: {status}");
///         cluster.fork().await?;
///     }
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Cluster {
    commands: mpsc::UnboundedSender<Command>,
    events: events::Queue,
    registry: Arc<Registry>,
    /// Held while they are passed on, so that the driver has the same as the last.
    settings: Arc<Shown>,
    reserve: Reserve,
}

impl Cluster {
    /// The shortest way to a crew: see [`Builder`].
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// A primary without workers. What [`Settings::listen`] names is bound when this returns.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a setting that cannot be, [`Error::Io`] outside a tokio runtime; for an address of
    /// [`Settings::listen`] that cannot be had [`Error::Listen`], [`Error::Address`] or [`Error::NotPassed`], and
    /// [`Error::Argument`] for an argument that asks for another socket than these.
    ///
    /// # Panics
    ///
    /// Inside a runtime that was built without time, and, when a worker is started, without IO: a mistake in
    /// the program, as in tokio itself.
    pub fn new(settings: Settings) -> Result<Self> {
        let rule = settings.policy.rule();
        Self::with_rule(settings, rule)
    }

    /// A primary whose connections are dealt out by a scheduler of your own, in place of [`Settings::policy`].
    /// Listeners with a [policy of their own](Settings::policies) keep that.
    ///
    /// ```no_run
    /// use portcrew::scheduler::{Incoming, Pick, WorkerView};
    /// use portcrew::{Cluster, Role, Settings};
    ///
    /// # async fn lead() -> portcrew::Result<()> {
    /// # let Role::Primary(_) = portcrew::role()? else { return Ok(()) };
    /// // The first that is free, in the order of their ids: the last workers stay idle until they are needed.
    /// let first_free = |_: &Incoming, workers: &[WorkerView]| {
    ///     let free = workers.iter().filter(|it| it.is_free()).min_by_key(|it| it.worker);
    ///     free.map_or(Pick::Wait, |it| Pick::Worker(it.worker))
    /// };
    /// let cluster = Cluster::with_scheduler(Settings::default(), first_free)?;
    /// # drop(cluster);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// As [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// As [`new`](Self::new).
    pub fn with_scheduler(settings: Settings, scheduler: impl Scheduler + 'static) -> Result<Self> {
        if !settings.listen.is_empty() {
            return Err(Error::Setting { setting: "listen", reason: Settings::NOBODY_HANDS_OVER });
        }
        Self::with_rule(settings, Rule::handover(scheduler))
    }

    fn with_rule(settings: Settings, rule: Rule) -> Result<Self> {
        settings.check()?;
        let runtime = tokio::runtime::Handle::try_current().map_err(|error| {
            Error::io("start a primary; it needs a tokio runtime")(std::io::Error::other(error))
        })?;
        // Who cannot be handed connections takes them by itself, whatever the environment says.
        let hands_over = settings.listen.is_empty();
        let is_possible = |it: &Policy| hands_over || it.is_without_primary();
        let rule = if is_possible(&settings.policy) { rule } else { Rule::shared() };
        let own = settings.policies.iter().filter(|it| is_possible(it.1));
        let rules = own.fold(Rules::new(rule), |rules, (name, policy)| {
            rules.with(name.clone(), policy.rule())
        });
        let mut limits = Limits::default();
        limits.summary_every = settings.summary_every;
        limits.shed = if settings.shed { Limits::SHED } else { 0 };
        let confinement = rights::lent(settings.allow.clone());
        let machine = MachineSettings { rules, limits, confinement };
        let settings = Arc::new(settings);
        let (commands, receiver) = mpsc::unbounded_channel();
        let (sender, events) = events::queue();
        let registry = Arc::new(Registry::default());
        let shown = Arc::new(Shown::new(Arc::clone(&settings)));
        let reserve = Reserve::new();
        let mut driver = Driver::new(Parts {
            machine: Primary::new(machine),
            launcher: Launcher::new(Arc::clone(&settings)),
            registry: Arc::clone(&registry),
            shown: Arc::clone(&shown),
            reserve: reserve.clone(),
            events: sender,
            commands: receiver,
            command_sender: commands.downgrade(),
        });
        driver.open(&shown.lock())?;
        runtime.spawn(driver);
        Ok(Self { commands, events, registry, settings: shown, reserve })
    }

    /// Descriptors that are kept for when no others are left, for your own part of steering the crew.
    #[must_use]
    pub fn reserve(&self) -> Reserve {
        self.reserve.clone()
    }

    /// How workers are started now: Node's `cluster.settings`. (Node's are empty until the first setup; here a
    /// cluster is made with some.)
    #[must_use]
    pub fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.settings.lock())
    }

    /// Replaces all settings, for workers that are started from now on. The policies, what is
    /// [allowed](Settings::allow) and what is [listened on](Settings::listen) stay what they were. A crew
    /// begins to use them with its next [`reload`](Self::reload).
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a setting that cannot be, and then nothing has changed; [`Error::Disconnected`]
    /// when the runtime that drove this cluster has ended.
    pub fn setup(&self, mut settings: Settings) -> Result<()> {
        settings.check()?;
        let mut present = self.settings.lock();
        settings.policy = present.policy.clone();
        settings.policies.clone_from(&present.policies);
        settings.allow.clone_from(&present.allow);
        settings.listen.clone_from(&present.listen);
        let settings = Arc::new(settings);
        self.command(Command::SetUp(Arc::clone(&settings)))?;
        *present = settings;
        Ok(())
    }

    /// Changes some settings and leaves the others: Node's `setupPrimary`, as often as it is called.
    ///
    /// # Errors
    ///
    /// As [`setup`](Self::setup).
    pub fn setup_with(&self, change: impl FnOnce(&mut Settings)) -> Result<()> {
        let mut settings = Settings::clone(&self.settings());
        change(&mut settings);
        self.setup(settings)
    }

    /// Changes the policy of all listeners that have none of their own, while they serve. Nothing is lost:
    /// connections that wait are dealt out by the new policy, those that are offered stay where they are.
    ///
    /// To and from [`Policy::Shared`] the workers of a crew are replaced one by one, as by
    /// [`reload`](Self::reload); if that is rolled back, so is the policy,
    /// also in [`settings`](Self::settings). Workers that were forked by hand go on in
    /// their own way, and those forked later follow the policy.
    ///
    /// There is no way to and from [`Policy::Kernel`]: that is chosen when the cluster is made.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`] for a policy that cannot be, or cannot be any more, and then nothing has changed; [`Error::Disconnected`] when the
    /// runtime that drove this cluster has ended.
    pub fn set_policy(&self, policy: Policy) -> Result<()> {
        self.change_policies([(None, policy)], None)
    }

    /// The same, and says which generation's verdict decides about it, as [`request_reload`](Self::request_reload)
    /// does; `None` where the policy is in force at once.
    ///
    /// # Errors
    ///
    /// As [`set_policy`](Self::set_policy).
    ///
    /// # Cancel safety
    ///
    /// A change that was asked for happens, whether or not its answer is awaited.
    pub async fn request_policy(&self, policy: Policy) -> Result<Option<Generation>> {
        self.request_policies([(None, policy)]).await
    }

    /// The same for several at once: each is of one listener, or without a name of all that have none of their own.
    /// They are one change. If one of them cannot be, none is made; if workers have to be replaced for one of them and
    /// that is rolled back, all of them are.
    ///
    /// # Errors
    ///
    /// As [`set_policy`](Self::set_policy).
    ///
    /// # Cancel safety
    ///
    /// A change that was asked for happens, whether or not its answer is awaited.
    pub async fn request_policies(
        &self,
        policies: impl IntoIterator<Item = (Option<ListenerName>, Policy)>,
    ) -> Result<Option<Generation>> {
        let (sender, answer) = oneshot::channel();
        self.change_policies(policies, Some(sender))?;
        answer.await.map_err(|_| Error::Disconnected)
    }

    /// The same as `set_policy` for one listener, which has a policy of its own from then on.
    ///
    /// # Errors
    ///
    /// As [`set_policy`](Self::set_policy).
    pub fn set_policy_of(&self, listener: ListenerName, policy: Policy) -> Result<()> {
        self.change_policies([(Some(listener), policy)], None)
    }

    /// As [`set_policy`](Self::set_policy), with a scheduler of your own. [`settings`](Self::settings) have no name
    /// for it and go on with the policy before.
    ///
    /// # Errors
    ///
    /// [`Error::Disconnected`] when the runtime that drove this cluster has ended.
    pub fn set_scheduler(&self, scheduler: impl Scheduler + 'static) -> Result<()> {
        self.set_rule(None, Rule::handover(scheduler))
    }

    /// As [`set_policy_of`](Self::set_policy_of), with a scheduler of your own.
    ///
    /// # Errors
    ///
    /// [`Error::Disconnected`] when the runtime that drove this cluster has ended.
    pub fn set_scheduler_of(
        &self,
        listener: ListenerName,
        scheduler: impl Scheduler + 'static,
    ) -> Result<()> {
        self.set_rule(Some(listener), Rule::handover(scheduler))
    }

    fn change_policies(
        &self,
        policies: impl IntoIterator<Item = (Option<ListenerName>, Policy)>,
        answer: Option<oneshot::Sender<Option<Generation>>>,
    ) -> Result<()> {
        let policies: Vec<_> = policies.into_iter().collect();
        // Held until the settings name the policies: the driver may undo them as soon as it hears of them.
        let mut present = self.settings.lock();
        let wrong = |(name, it): &(_, Policy)| policy::wrong(&present, Option::as_ref(name), it);
        if let Some(reason) = policies.iter().find_map(wrong) {
            return Err(Error::Setting { setting: "policy", reason });
        }
        let hands_over = policies.iter().any(|it| !it.1.is_without_primary());
        if !present.listen.is_empty() && hands_over {
            return Err(Error::Setting { setting: "policy", reason: Settings::NOBODY_HANDS_OVER });
        }
        let mut settings = Settings::clone(&present);
        let changes = policies.into_iter().map(|(name, policy)| {
            let rule = policy.rule();
            let before = policy::replace(&mut settings, name.as_ref(), Some(policy.clone()));
            RuleChange { name, rule, naming: Some(Naming { policy, before }) }
        });
        let changes = changes.collect();
        self.command(Command::SetRules(RuleChanges { changes, answer }))?;
        *present = Arc::new(settings);
        Ok(())
    }

    fn set_rule(&self, name: Option<ListenerName>, rule: Rule) -> Result<()> {
        if !self.settings().listen.is_empty() {
            return Err(Error::Setting { setting: "policy", reason: Settings::NOBODY_HANDS_OVER });
        }
        let changes = vec![RuleChange { name, rule, naming: None }];
        self.command(Command::SetRules(RuleChanges { changes, answer: None }))
    }

    /// Starts a worker. It is not replaced when it dies; see [`start`](Self::start) for that.
    ///
    /// # Errors
    ///
    /// [`Error::Spawn`] with the path and the reason when the program cannot be started.
    ///
    /// # Cancel safety
    ///
    /// A fork that was asked for happens, whether or not its answer is awaited.
    pub async fn fork(&self) -> Result<WorkerHandle> {
        self.fork_with(Vec::<(OsString, OsString)>::new()).await
    }

    /// Starts a worker with variables of its own on top of the settings'.
    ///
    /// # Errors
    ///
    /// As [`fork`](Self::fork).
    ///
    /// # Cancel safety
    ///
    /// As [`fork`](Self::fork).
    pub async fn fork_with<N, V>(
        &self,
        env: impl IntoIterator<Item = (N, V)>,
    ) -> Result<WorkerHandle>
    where
        N: Into<OsString>,
        V: Into<OsString>,
    {
        let env = env.into_iter().map(|(name, value)| (name.into(), value.into())).collect();
        self.ask(|answer| Command::Fork { env, answer }).await?
    }

    /// Node's `cluster.workers`: those not yet both disconnected and exited, by id. Those that were told to leave are
    /// among them until they have.
    #[must_use]
    pub fn workers(&self) -> Vec<WorkerHandle> {
        self.registry.lock().values().cloned().collect()
    }

    /// One of [`workers`](Self::workers).
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchWorker`] when it was never started, or is disconnected and exited.
    pub fn worker(&self, id: WorkerId) -> Result<WorkerHandle> {
        self.registry.lock().get(&id).cloned().ok_or(Error::NoSuchWorker(id))
    }

    /// The next thing that happened; `None` when the runtime that drove this cluster has ended. After [`Event::Finished`]
    /// nothing comes of this crew: a loop ends there, and not at `None`.
    ///
    /// # Cancel safety
    ///
    /// No event is lost by dropping the future.
    pub async fn next_event(&mut self) -> Option<Event> {
        poll_fn(|cx| self.poll_event(cx)).await
    }

    /// [`next_event`](Self::next_event) for hand-written futures. The last waker is the one that is woken.
    pub fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Option<Event>> {
        self.events.poll_recv(cx)
    }

    /// Sends a value to every connected worker. Says how many got it into their queue.
    ///
    /// # Errors
    ///
    /// [`Error::Message`] when the value has no JSON form.
    pub fn broadcast<T: Serialize + ?Sized>(&self, value: &T) -> Result<usize> {
        let message = Message::new(value)?;
        let workers = self.workers();
        Ok(workers.iter().filter(|it| it.send_message(message.clone(), None).is_ok()).count())
    }

    /// Node's `cluster.disconnect()`: asks every worker to leave and waits until all are disconnected and
    /// have exited. (Node's callback comes with the first one already.)
    ///
    /// # Cancel safety
    ///
    /// The workers leave, whether or not this is awaited to its end.
    pub async fn disconnect(&self) {
        // A driver that is gone has no workers left.
        let _ = self.ask(|answer| Command::DisconnectAll { answer }).await;
    }

    /// Keeps `workers` workers running from now on: the dead are replaced, with growing delays if they die
    /// young.
    ///
    /// # Errors
    ///
    /// [`Error::Disconnected`] when the runtime that drove this cluster has ended.
    pub fn start(&self, workers: usize) -> Result<()> {
        self.command(Command::Crew(CrewCommand::Start { workers }))
    }

    /// More workers, or fewer (never less than one).
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn scale(&self, by: isize) -> Result<()> {
        self.command(Command::Crew(CrewCommand::Scale { by }))
    }

    /// Replaces every worker by a new one, one by one, new before old. If a new one fails or does not
    /// listen in time, the old ones stay; [`Event::Crew`] tells the verdict and the reason.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn reload(&self) -> Result<()> {
        self.command(Command::Crew(CrewCommand::Reload))
    }

    /// The same, and says which generation's verdict answers this call: that of the reload that begins now, or of the
    /// one that it was merged with. [`CrewNotice::ReloadCommitted`](crate::CrewNotice::ReloadCommitted) or
    /// [`RolledBack`](crate::CrewNotice::RolledBack) with that generation comes behind. `None` where there is no crew,
    /// or none any more: then nothing follows.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    ///
    /// # Cancel safety
    ///
    /// A reload that was asked for happens, whether or not its answer is awaited.
    pub async fn request_reload(&self) -> Result<Option<Generation>> {
        self.ask(|answer| Command::Reload { answer }).await
    }

    /// Ends the crew: workers finish within [`Settings::grace`], then they are made to, and after
    /// [`Settings::kill_after`] more they are killed. [`Event::Finished`] comes last. Called again it does not wait.
    /// Workers that were only [forked](Self::fork) are asked to leave, and nothing bounds how long that may take.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn stop(&self) -> Result<()> {
        self.command(Command::Crew(CrewCommand::Stop))
    }

    /// Ends the crew at once, and kills workers that were only [forked](Self::fork).
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn stop_now(&self) -> Result<()> {
        self.command(Command::Crew(CrewCommand::StopNow))
    }

    /// How things are.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub async fn snapshot(&self) -> Result<Snapshot> {
        self.ask(|answer| Command::Snapshot { answer }).await
    }

    fn command(&self, command: Command) -> Result<()> {
        self.commands.send(command).map_err(|_| Error::Disconnected)
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T> {
        let (sender, answer) = oneshot::channel();
        self.command(command(sender))?;
        answer.await.map_err(|_| Error::Disconnected)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The queue never ends by itself while a worker lives: its handle sends into it too. A driver that
        // is gone has no workers left.
        let _ = self.commands.send(Command::Abandon);
    }
}
