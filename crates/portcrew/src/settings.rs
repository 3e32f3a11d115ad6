//! How workers are started: the settings of Node's `setupPrimary`, and the policy.

mod check;
mod drain;
mod inspect_port;
mod listen;
mod liveness;
mod policy;
mod ready;
mod show;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use portcrew_core::primary::ListenerName;
use portcrew_ipc::account::User;

use crate::Signal;

pub use drain::Drain;
pub use inspect_port::InspectPort;
pub use listen::ListenOn;
pub(crate) use listen::MOST as MOST_LISTENERS;
pub use liveness::Liveness;
pub use policy::Policy;
pub use ready::{HttpGet, Probing, Ready};

/// What a worker's standard stream is connected to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stdio {
    /// The primary's own.
    #[default]
    Inherit,
    /// A pipe to the primary. Node: `silent`.
    Piped,
    /// `/dev/null`.
    Null,
}

/// What a descriptor of a worker above the three standard ones is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum ExtraFd {
    /// A Unix stream socket to the primary, which carries bytes both ways: Node's `pipe`. The primary's end is
    /// in [`WorkerHandle::take_fd`](crate::WorkerHandle::take_fd).
    Piped,
    /// `/dev/null`.
    Null,
    /// This descriptor, for every worker the same.
    Given(Arc<OwnedFd>),
}

/// How messages are written on a worker's channel: Node's `serialization`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Serialization {
    /// A line of JSON for each message. Node's default.
    #[default]
    Json,
    /// V8's binary format. **Not spoken here yet**: [`Cluster::new`](crate::Cluster::new) and
    /// [`Cluster::setup`](crate::Cluster::setup) refuse it.
    Advanced,
}

/// How many workers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Workers {
    /// One for each processor that this process may use.
    #[default]
    PerCpu,
    /// This many; 0 is taken for 1.
    Exactly(usize),
}

impl Workers {
    /// The number.
    #[must_use]
    pub fn count(self) -> usize {
        match self {
            // Respects affinity and cgroup quota.
            Self::PerCpu => std::thread::available_parallelism().map_or(1, Into::into),
            Self::Exactly(count) => count.max(1),
        }
    }
}

/// How workers are started. A change affects workers started later.
#[derive(Clone)]
#[non_exhaustive]
pub struct Settings {
    /// The program. Default: the running executable, found once at the start. A name without a slash is looked
    /// for in `PATH` by the first worker that is started with these settings; those after it run the same file.
    pub exec: Option<PathBuf>,
    /// Its arguments, Node's `execArgv`, `exec` and `args` in one. Default: those of this process.
    pub args: Vec<OsString>,
    /// Variables set on top of this process's environment, for every worker; those of
    /// [`fork_with`](crate::Cluster::fork_with) come on top of these. What describes the worker's descriptors
    /// and its id cannot be set.
    pub env: Vec<(OsString, OsString)>,
    /// The working directory. Default: this process's.
    pub cwd: Option<PathBuf>,
    /// The user that workers run as, without any capability; root is refused. Needs privileges and a
    /// [`gid`](Self::gid); [`run_as`](Self::run_as) sets all three. Workers with fewer rights than this process get no
    /// listener that would give them more, unless it is [allowed](Self::allow). Default: this process's.
    pub uid: Option<u32>,
    /// The group that workers run as; all supplementary groups but [`groups`](Self::groups) are dropped.
    /// Default: this process's.
    pub gid: Option<u32>,
    /// Supplementary groups that go with [`gid`](Self::gid). A primary without privileges whose workers are to
    /// have its own user and group cannot drop its groups: they keep them, and one that it lacks is refused.
    pub groups: Vec<u32>,
    /// Whether programs that workers execute may gain no rights: `no_new_privs`, by which the set-user-id bit (of `sudo`,
    /// and in places of `ping`) and capabilities of files mean nothing. Default: none gained where a
    /// [user](Self::uid) is set; elsewhere what this process itself has.
    pub no_new_privs: Option<bool>,
    /// What workers with fewer rights than this process (see [`uid`](Self::uid)) may listen on all the same: ports
    /// below `net.ipv4.ip_unprivileged_port_start` (for UDP too), Unix-domain paths as the worker writes them, descriptors
    /// of this process. Refused to them is also a UDP port with `SO_REUSEPORT`, which this process could share with
    /// programs of its own user. They hear EACCES. Read once, when the cluster is made. Default: none.
    pub allow: BTreeSet<ListenerName>,
    /// Standard input. Default: [`Stdio::Null`], so that a terminal's keys reach the primary alone.
    pub stdin: Stdio,
    /// Standard output. Default: [`Stdio::Inherit`].
    pub stdout: Stdio,
    /// Standard error. Default: [`Stdio::Inherit`].
    pub stderr: Stdio,
    /// Further descriptors by their numbers in the worker, from 3 to 255. The channel and the lane take the lowest
    /// numbers that these leave free, and say so in their variables. Default: none.
    pub fds: BTreeMap<i32, ExtraFd>,
    /// What the primary listens on by itself, for programs that know nothing of it. Not empty, each worker is started with
    /// all these sockets, from descriptor 3 on, and told so by `LISTEN_FDS`, `LISTEN_PID` and `LISTEN_FDNAMES` (systemd's
    /// protocol), by `EINHORN_FD_COUNT`, `EINHORN_FD_0` … (einhorn's), by `PORTCREW_FD_0` …, and in its
    /// [arguments](Self::args), where `{fd}` becomes the number of the first, `{fd0}`, `{fd1}` that of one by its order
    /// and `{fd:NAME}` that of one by its name. They block, until a worker sets their mode, which is then that of all.
    ///
    /// Such a worker has no channel: it is [ready](Self::ready) by age ([`Ready::Listening`] means that), by its notify
    /// socket or a probe, and is told to leave by [`stop_signal`](Self::stop_signal) ([`Drain::Disconnect`] means that),
    /// or by another. It accepts by itself: under [`Policy::Kernel`] from a socket of its own, under whatever else
    /// [`policy`](Self::policy) and [`policies`](Self::policies) say from one that all have ([`Policy::Shared`]). SIGKILL
    /// comes to it when this process ends, so that no orphan keeps an address.
    ///
    /// Bound by [`Cluster::new`](crate::Cluster::new), and open until the crew has finished or the cluster is dropped, also
    /// while no worker lives. Read once, when the cluster is made. Default: none.
    pub listen: Vec<ListenOn>,
    /// Whether these sockets do not block (`O_NONBLOCK`) when the first worker gets them, as systemd's `NonBlocking=`: for
    /// programs that expect it and do not set it, such as nginx. Default: no, as systemd's. Read once too.
    pub listen_nonblocking: bool,
    /// Whether the program may speak the lane, portcrew's fast path. One that does not only sees a
    /// descriptor more. Default: `true`.
    pub lane: bool,
    /// How messages are written on the channel. Default: [`Serialization::Json`], the only one for now.
    pub serialization: Serialization,
    /// The port of the inspector, where the program is Node and its options speak of it. Default:
    /// [`InspectPort::Auto`].
    pub inspect_port: InspectPort,
    /// Who gets the next connection, where [`policies`](Self::policies) says nothing else. Read once, when the
    /// cluster is made; [`Cluster::set_policy`](crate::Cluster::set_policy) changes it. Default: from
    /// `NODE_CLUSTER_SCHED_POLICY`, else round-robin.
    pub policy: Policy,
    /// The same for single listeners, read once too. Default: none.
    pub policies: BTreeMap<ListenerName, Policy>,
    /// How often [`Event::Scheduling`](crate::Event::Scheduling) tells the counts of each listener, while they change.
    /// Read once, when the cluster is made. Default: never.
    pub summary_every: Option<Duration>,
    /// Whether connections are closed at once for which there is no room, each counted as
    /// [`CloseReason::Shed`](crate::CloseReason::Shed): when 256 wait for a worker on one listener, or no descriptor is
    /// left. At most 64 in 50 ms, per listener. The client finds its connection closed, or reset if it had sent
    /// something, and gets no answer in its own protocol. Otherwise they wait in the kernel's backlog. Read once, when
    /// the cluster is made. Default: no.
    pub shed: bool,
    /// The executable that plays the exec helper, needed with [`cwd`](Self::cwd), [`uid`](Self::uid),
    /// [`gid`](Self::gid) and [`no_new_privs`](Self::no_new_privs). It must call [`role`](crate::role) first thing.
    /// Default: the running executable.
    pub helper: Option<PathBuf>,
    /// What shows that a worker of a crew is ready. Read once, when the crew is started. Default:
    /// [`Ready::Listening`].
    pub ready: Ready,
    /// How often a worker is probed where [`ready`](Self::ready) is a probe. Read once, as that.
    pub probing: Probing,
    /// How a worker is looked at after it was ready. Read once, as that. Default: by its answers alone.
    pub liveness: Liveness,
    /// How long the first worker of a crew that begins starts alone, so that the first answer does not wait for the starts
    /// of others. Beyond it, or when it is ready, the others start too, four at a time. Zero: all begin together. Read
    /// once, when the crew is started. Default 100 ms.
    pub head_start: Duration,
    /// How many new workers a reload may have beside the old ones at once. 0 is taken for 1 where
    /// [`max_unavailable`](Self::max_unavailable) is 0 too. Read once, when the crew is started. Default 1.
    pub surge: usize,
    /// How many slots a reload may leave without a ready worker: so many old workers leave before their successors
    /// come. Read once, when the crew is started. Default 0: never fewer ready workers than wanted.
    pub max_unavailable: usize,
    /// Whether an old and a new worker of a program that [never listens](Ready::Alive) may run at once. If not, each
    /// slot is stopped before it is started again. Other programs always overlap: their connections need it. Read
    /// once, when the crew is started. Default `false`.
    pub overlap: bool,
    /// How long a worker may live, spread by a fifth either way. Beyond it it is replaced: a new one first, then it
    /// leaves; one worker at a time, and never during a reload. Read once, when the crew is started. Default: for ever.
    pub max_age: Option<Duration>,
    /// How many connections a worker may take from the primary; then it is replaced in the same way. Of those that it
    /// accepts itself ([`Policy::Shared`]) nobody knows. Read once, as that. Default: any number.
    pub max_connections: Option<u64>,
    /// How much memory of its own a worker may have, in bytes; beyond it it is replaced in the same way. Looked at every
    /// 5 s: the proportional set size of its process, without processes that it has started; for a worker of another
    /// user that the kernel does not show, the resident size. Read once, as that. Default: any amount.
    pub max_memory: Option<u64>,
    /// Exit codes after which a worker is not replaced before the next reload, PM2's `stop_exit_codes`. When no slot is
    /// to have a worker any more the crew has finished. Read once, as that. Default: none.
    pub stop_exit_codes: Vec<i32>,
    /// How a worker of a crew is told to leave. Read once, when the crew is started. Default:
    /// [`Drain::Disconnect`].
    pub drain: Drain,
    /// What a worker of a crew gets that has not left within its [`grace`](Self::grace);
    /// [`kill_after`](Self::kill_after) that SIGKILL. Read once, as that. Default:
    /// [`Signal::Terminate`](crate::Signal::Terminate).
    pub stop_signal: Signal,
    /// What a worker of a crew gets that [hangs](Liveness), such as SIGABRT for a core file or a report;
    /// [`kill_after`](Self::kill_after) that SIGKILL. That is also the time for writing the core file: for workers with
    /// much memory 2 s are too few, and SIGKILL leaves half of it. Read once, as that. Default: [`stop_signal`](Self::stop_signal).
    pub hang_signal: Option<Signal>,
    /// How long a leaving worker may take to finish its connections before it gets
    /// [`stop_signal`](Self::stop_signal). A worker of this library whose primary has died has as long, and ends itself
    /// then; it finds the time in `PORTCREW_GRACE_MS`. Default 10 s.
    pub grace: Duration,
    /// How long it may then take to end, before it gets SIGKILL with its whole process group: a worker that is to
    /// leave has [`grace`](Self::grace) and this. With [`Duration::ZERO`] the signal is hardly seen. Read once, when the
    /// crew is started. Default 2 s.
    pub kill_after: Duration,
    /// How long a worker may take to be [ready](Self::ready) before this is reported, and before a reload gives
    /// up. Default 30 s.
    pub start_deadline: Duration,
    /// How long a new worker must live on before a reload counts it. Default 1 s.
    pub stable_for: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            exec: None,
            args: std::env::args_os().skip(1).collect(),
            env: Vec::new(),
            cwd: None,
            uid: None,
            gid: None,
            groups: Vec::new(),
            no_new_privs: None,
            allow: BTreeSet::new(),
            stdin: Stdio::Null,
            stdout: Stdio::Inherit,
            stderr: Stdio::Inherit,
            fds: BTreeMap::new(),
            listen: Vec::new(),
            listen_nonblocking: false,
            lane: true,
            serialization: Serialization::Json,
            inspect_port: InspectPort::Auto,
            policy: Policy::from_env(),
            policies: BTreeMap::new(),
            summary_every: None,
            shed: false,
            helper: None,
            ready: Ready::default(),
            probing: Probing::default(),
            liveness: Liveness::default(),
            head_start: Duration::from_millis(100),
            surge: 1,
            max_unavailable: 0,
            overlap: false,
            max_age: None,
            max_connections: None,
            max_memory: None,
            stop_exit_codes: Vec::new(),
            drain: Drain::Disconnect,
            stop_signal: Signal::Terminate,
            hang_signal: None,
            grace: Duration::from_secs(10),
            kill_after: Duration::from_secs(2),
            start_deadline: Duration::from_secs(30),
            stable_for: Duration::from_secs(1),
        }
    }
}

impl Settings {
    /// The defaults, with another program and its arguments.
    #[must_use]
    pub fn program<A: Into<OsString>>(
        exec: impl Into<PathBuf>,
        args: impl IntoIterator<Item = A>,
    ) -> Self {
        Self {
            exec: Some(exec.into()),
            args: args.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// Connects standard output and error to pipes, as Node's `silent` does.
    #[must_use]
    pub fn silent(mut self) -> Self {
        self.stdout = Stdio::Piped;
        self.stderr = Stdio::Piped;
        self
    }

    /// Has workers run as this user, by its name or number: with its own group and all groups that it is in.
    ///
    /// # Errors
    ///
    /// [`Error::Setting`](crate::Error::Setting) for a user without an entry, [`Error::Io`](crate::Error::Io) when the
    /// system's databases cannot be asked.
    pub fn run_as(mut self, user: &str) -> crate::Result<Self> {
        let asked = crate::Error::io("look for the user that workers are to run as");
        let found = User::find(user).map_err(asked)?;
        let user = found.ok_or(crate::Error::Setting {
            setting: "uid",
            reason: "there is no such user; correct the name, or set Settings::uid and gid by their numbers",
        })?;
        let asked = crate::Error::io("look for the groups of the user that workers are to run as");
        self.groups = user.groups(user.gid).map_err(asked)?;
        (self.uid, self.gid) = (Some(user.uid), Some(user.gid));
        Ok(self)
    }

    /// Lets workers with fewer rights listen there all the same.
    #[must_use]
    pub fn allow(mut self, listener: ListenerName) -> Self {
        self.allow.insert(listener);
        self
    }

    /// Gives every worker one more descriptor, with this number.
    #[must_use]
    pub fn fd(mut self, number: i32, what: ExtraFd) -> Self {
        self.fds.insert(number, what);
        self
    }

    /// Has the primary listen there by itself, for programs that know nothing of it: see [`listen`](Self::listen) the
    /// field.
    ///
    /// ```no_run
    /// use portcrew::Settings;
    ///
    /// let settings = Settings::program("python3", ["server.py"]).listen("127.0.0.1:8080")?;
    /// # drop(settings);
    /// # Ok::<(), portcrew::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`Error::Address`](crate::Error::Address) for what [`ListenOn`] cannot be read from.
    pub fn listen(mut self, address: &str) -> crate::Result<Self> {
        self.listen.push(address.parse()?);
        Ok(self)
    }

    /// Gives one listener a policy of its own.
    #[must_use]
    pub fn policy_of(mut self, listener: ListenerName, policy: Policy) -> Self {
        self.policies.insert(listener, policy);
        self
    }

    /// Sets a variable for every worker.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.env.push((name.into(), value.into()));
        self
    }
}
