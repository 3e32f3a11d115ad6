//! What is to be started: the program, its environment, its descriptors, and what the exec helper
//! is to arrange before it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::{OwnedFd, RawFd};
use std::path::PathBuf;
use std::sync::Arc;

pub use crate::exec_helper::{Limit, Resource};

/// The first number above the standard descriptors.
pub(super) const FIRST_EXTRA_FD: RawFd = 3;

/// The highest number that an [extra](SpawnSpec::extra) descriptor may have.
pub const LAST_EXTRA_FD: RawFd = 255;

/// One process to be started by [`spawn`](super::spawn).
///
/// The setters take and return the value, so that a specification can be written in one
/// expression; the fields are open for everything else.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SpawnSpec {
    /// The file to execute, already resolved (see [`resolve_program`](super::resolve_program)). A
    /// relative path counts from the directory of *this* process, also when [`cwd`](Self::cwd)
    /// says another.
    pub program: PathBuf,
    /// The arguments after the program's name.
    pub args: Vec<OsString>,
    /// The name the program sees as its own. Default: the path.
    pub argv0: Option<OsString>,
    /// The complete environment; nothing is inherited beside it. Variables of the
    /// [contract](crate::contract) in it are dropped.
    pub env: Vec<(OsString, OsString)>,
    /// Descriptor 0. Default: [`Stdio::Null`].
    pub stdin: Stdio,
    /// Descriptor 1. Default: [`Stdio::Inherit`].
    pub stdout: Stdio,
    /// Descriptor 2. Default: [`Stdio::Inherit`].
    pub stderr: Stdio,
    /// Whether the child gets Node's channel, as descriptor 3 or the first that
    /// [`extra`](Self::extra) leaves free. Default: yes.
    pub channel: bool,
    /// Whether the child gets the lane, as the next free descriptor. Needs the channel. Default: no.
    pub lane: bool,
    /// Further descriptors by their numbers in the child, from 3 to [`LAST_EXTRA_FD`]. Not together
    /// with [`listeners`](Self::listeners), whose numbers follow each other.
    pub extra: BTreeMap<RawFd, Extra>,
    /// The value of `NODE_UNIQUE_ID`; `None` starts a plain fork, which is no cluster worker.
    pub worker_id: Option<u32>,
    /// Whether the child leads a process group of its own. Default: yes.
    pub own_process_group: bool,
    /// Listening sockets passed by number from 3 on, with `LISTEN_FDS` and `LISTEN_PID`. Only
    /// without a channel, which has its place there.
    pub listeners: Vec<Arc<OwnedFd>>,
    /// Their names, for `LISTEN_FDNAMES`: one for each, or none at all. Of 1 to 255 printable ASCII characters without
    /// a colon.
    pub listener_names: Vec<String>,
    /// The directory the program starts in. Needs the helper.
    pub cwd: Option<PathBuf>,
    /// The user the program runs as. Needs the helper, and a [`gid`](Self::gid).
    pub uid: Option<u32>,
    /// The group the program runs as. Needs the helper.
    pub gid: Option<u32>,
    /// Supplementary groups that go with [`gid`](Self::gid); all others are dropped. A process
    /// without privileges that asks for the user and group it has keeps its own
    /// groups; one asked for that it lacks is refused.
    pub groups: Vec<u32>,
    /// Resource limits of the program. Needs the helper.
    pub limits: Vec<Limit>,
    /// The signal that the kernel sends the program when this process ends, however that comes about. It is started
    /// from a thread that lasts, because the kernel takes the end of that thread for the end of the process. A program
    /// that is set-user-id, or has capabilities of its own, loses it with its start; children of the program do not have
    /// it. Needs the helper.
    pub parent_death_signal: Option<i32>,
    /// Whether the program and its children may gain no privileges by `exec`. Needs the helper.
    pub no_new_privs: bool,
    /// An executable that calls [`run_if_asked`](crate::exec_helper::run_if_asked) first thing in
    /// its `main`. Used only when one of the fields above asks for it.
    pub helper: Option<PathBuf>,
}

/// What one of the child's first three descriptors is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stdio {
    /// `/dev/null`: reads end at once, writes vanish.
    Null,
    /// The same as in this process (`/dev/null` where this process has it closed, because the first
    /// file that the child opens would take the free number).
    Inherit,
    /// A pipe, whose other end is in [`Spawned`](super::Spawned).
    Piped,
}

/// What a descriptor of the child above the standard ones is.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Extra {
    /// `/dev/null`.
    Null,
    /// A Unix stream socket, whose other end is in [`Spawned`](super::Spawned): as Node's `pipe`, it
    /// carries bytes both ways.
    Socket,
    /// This descriptor. Parent and child share what it refers to.
    Given(Arc<OwnedFd>),
}

impl SpawnSpec {
    /// A child with a channel, an empty environment and the defaults that the fields name.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            argv0: None,
            env: Vec::new(),
            stdin: Stdio::Null,
            stdout: Stdio::Inherit,
            stderr: Stdio::Inherit,
            channel: true,
            lane: false,
            extra: BTreeMap::new(),
            worker_id: None,
            own_process_group: true,
            listeners: Vec::new(),
            listener_names: Vec::new(),
            cwd: None,
            uid: None,
            gid: None,
            groups: Vec::new(),
            limits: Vec::new(),
            parent_death_signal: None,
            no_new_privs: false,
            helper: None,
        }
    }

    /// Replaces the arguments after the program's name.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.args = args.into_iter().map(Into::into).collect();
        self
    }

    /// Sets the name the program sees as its own.
    #[must_use]
    pub fn argv0(mut self, name: impl Into<OsString>) -> Self {
        self.argv0 = Some(name.into());
        self
    }

    /// Replaces the complete environment. `std::env::vars_os()` gives that of this process.
    #[must_use]
    pub fn env(mut self, env: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.env = env.into_iter().collect();
        self
    }

    /// Sets the three standard descriptors.
    #[must_use]
    pub fn stdio(mut self, stdin: Stdio, stdout: Stdio, stderr: Stdio) -> Self {
        (self.stdin, self.stdout, self.stderr) = (stdin, stdout, stderr);
        self
    }

    /// Sets whether the child gets the channel.
    #[must_use]
    pub fn channel(mut self, channel: bool) -> Self {
        self.channel = channel;
        self
    }

    /// Sets whether the child gets the lane beside the channel.
    #[must_use]
    pub fn lane(mut self, lane: bool) -> Self {
        self.lane = lane;
        self
    }

    /// Gives the child one more descriptor, with this number.
    #[must_use]
    pub fn extra(mut self, number: RawFd, extra: Extra) -> Self {
        self.extra.insert(number, extra);
        self
    }

    /// Makes the child a cluster worker with this id.
    #[must_use]
    pub fn worker_id(mut self, id: u32) -> Self {
        self.worker_id = Some(id);
        self
    }

    /// Sets whether the child leads a process group of its own.
    #[must_use]
    pub fn own_process_group(mut self, own: bool) -> Self {
        self.own_process_group = own;
        self
    }

    /// Sets the directory the program starts in.
    #[must_use]
    pub fn cwd(mut self, cwd: impl Into<PathBuf>) -> Self {
        self.cwd = Some(cwd.into());
        self
    }

    /// Sets the user, the group and all supplementary groups the program runs with.
    #[must_use]
    pub fn user(mut self, uid: u32, gid: u32, groups: impl IntoIterator<Item = u32>) -> Self {
        (self.uid, self.gid) = (Some(uid), Some(gid));
        self.groups = groups.into_iter().collect();
        self
    }

    /// Adds a resource limit.
    #[must_use]
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limits.push(limit);
        self
    }

    /// Sets the executable that can play the exec helper.
    #[must_use]
    pub fn helper(mut self, helper: impl Into<PathBuf>) -> Self {
        self.helper = Some(helper.into());
        self
    }

    /// Whether something is asked for that only the [helper](Self::helper) can do.
    #[must_use]
    pub fn needs_helper(&self) -> bool {
        self.wants_helper_for().is_some()
    }

    /// The channel's number in the child.
    pub(super) fn channel_number(&self) -> RawFd {
        self.free_from(FIRST_EXTRA_FD)
    }

    /// The lane's number in the child.
    pub(super) fn lane_number(&self) -> RawFd {
        self.free_from(self.channel_number() + 1)
    }

    fn free_from(&self, mut number: RawFd) -> RawFd {
        while self.extra.contains_key(&number) {
            number += 1;
        }
        number
    }

    /// The first thing asked for that `posix_spawn` cannot do, in words.
    pub(crate) fn wants_helper_for(&self) -> Option<&'static str> {
        let wants = [
            (self.cwd.is_some(), "a working directory"),
            (self.uid.is_some(), "a user"),
            (self.gid.is_some() || !self.groups.is_empty(), "a group"),
            (!self.limits.is_empty(), "a resource limit"),
            (self.parent_death_signal.is_some(), "a parent death signal"),
            (self.no_new_privs, "no_new_privs"),
            (!self.listeners.is_empty(), "LISTEN_PID"),
        ];
        wants.into_iter().find_map(|(wanted, what)| wanted.then_some(what))
    }
}
