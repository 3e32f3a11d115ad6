//! What handles, and the tasks that watch workers, ask of the driver.

use std::ffi::OsString;
use std::sync::Arc;

use portcrew_core::WorkerId;
use portcrew_core::primary::{ListenerName, Rule};
use portcrew_core::supervise::Generation;
use tokio::sync::oneshot;

use super::Snapshot;
use super::diagnosis::Diagnosis;
use super::readiness::Sign;
use super::{Signal, WorkerHandle};
use crate::{Policy, Result, Settings};

/// One wish of the user, or news of a worker.
#[derive(Debug)]
pub(super) enum Command {
    /// New settings for workers started from now on.
    SetUp(Arc<Settings>),
    /// Start one worker.
    Fork { env: Vec<(OsString, OsString)>, answer: oneshot::Sender<Result<WorkerHandle>> },
    /// Ask a worker to leave.
    Disconnect { worker: WorkerId },
    /// Close a worker's channel without a word.
    CloseChannel { worker: WorkerId },
    /// Ask all to leave; answered when the last is gone.
    DisconnectAll { answer: oneshot::Sender<()> },
    /// Send a signal.
    Kill { worker: WorkerId, signal: Signal },
    /// What a watch has found out about a worker.
    Sign { worker: WorkerId, sign: Sign },
    /// See how much memory each worker of the crew has.
    LookAtMemory,
    /// What a worker of the crew is doing that may hang.
    Examined { worker: WorkerId, diagnosis: Box<Diagnosis> },
    /// For the crew as a whole.
    Crew(CrewCommand),
    /// Replace every worker; answered with the generation whose verdict this wish gets.
    Reload { answer: oneshot::Sender<Option<Generation>> },
    /// Deal out connections by other policies.
    SetRules(RuleChanges),
    /// Say how things are.
    Snapshot { answer: oneshot::Sender<Snapshot> },
    /// The cluster was dropped. Handles of workers may still give commands.
    Abandon,
}

/// Other policies, all of them or none.
#[derive(Debug)]
pub(super) struct RuleChanges {
    pub(super) changes: Vec<RuleChange>,
    /// Told the generation whose verdict decides about them; `None` where they are in force at once.
    pub(super) answer: Option<oneshot::Sender<Option<Generation>>>,
}

/// Another policy: of the listener of this name, or of all that have none of their own.
#[derive(Debug)]
pub(super) struct RuleChange {
    pub(super) name: Option<ListenerName>,
    pub(super) rule: Rule,
    /// How the settings name it; `None` for a scheduler of the user's own, which they have no name for.
    pub(super) naming: Option<Naming>,
}

/// A policy in the settings, and what was there before.
#[derive(Debug)]
pub(super) struct Naming {
    pub(super) policy: Policy,
    pub(super) before: Option<Policy>,
}

/// A wish for the crew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CrewCommand {
    /// Keep this many workers running from now on.
    Start { workers: usize },
    /// More or fewer workers.
    Scale { by: isize },
    /// Replace every worker by a new one.
    Reload,
    /// End the crew, letting workers finish.
    Stop,
    /// End the crew at once.
    StopNow,
}
