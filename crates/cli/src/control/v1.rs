//! Version 1 of what is said on the control socket: every request and every answer, for server, client and page.
//!
//! Fields are added over time and never renamed or removed under `/v1`; who reads must ignore what it does not know.
//! Sizes are in bytes, times in milliseconds, points in time in milliseconds since 1970 (UTC). What cannot be known is
//! `null`. Values of environment variables are never in any of it. The page is docs/control-api.md.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What `api` says in every answer.
pub(crate) const API: u32 = 1;

/// `GET /v1/status`: the crew at one moment.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Status {
    pub(crate) api: u32,
    pub(crate) name: String,
    /// The primary's.
    pub(crate) pid: u32,
    /// Of portcrew.
    pub(crate) version: String,
    pub(crate) uptime_ms: u64,
    pub(crate) phase: Phase,
    /// The generation that was committed last, from 0.
    pub(crate) generation: u64,
    /// Workers that are to be there.
    pub(crate) wanted: usize,
    /// Workers that serve and are not leaving.
    pub(crate) ready: usize,
    pub(crate) program: String,
    pub(crate) directory: String,
    /// Of every listener that has none of its own.
    pub(crate) policy: String,
    /// Of the others, whether or not they are there.
    #[serde(default)]
    pub(crate) own_policies: Vec<OwnPolicy>,
    /// Where the output goes; `null` for a crew in the foreground.
    pub(crate) logs: Option<Logs>,
    /// Where workers listen, as they said it.
    pub(crate) addresses: Vec<String>,
    pub(crate) listeners: Vec<Listener>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) ledger: Ledger,
    /// Workers that were replaced without being asked to leave, by reason.
    pub(crate) restarts: BTreeMap<String, u64>,
    /// The reload that is under way.
    pub(crate) reload: Option<Progress>,
    /// Lines of output that were dropped: nobody read them, or the disk was full.
    #[serde(default)]
    pub(crate) output_lost: u64,
    /// Connections that found an accept queue full: of any program in the primary's network namespace.
    pub(crate) listen_overflows: Option<u64>,
    /// Connections and requests for one that listening sockets have dropped there, for whatever reason.
    #[serde(default)]
    pub(crate) listen_drops: Option<u64>,
    /// The primary's own.
    #[serde(flatten)]
    pub(crate) figures: Figures,
}

/// The policy of one listener alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct OwnPolicy {
    /// As it was written.
    pub(crate) listener: String,
    pub(crate) policy: String,
}

/// What a crew is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// Its workers are started for the first time.
    Starting,
    Running,
    /// Its starts fail; one worker at a time is tried.
    Degraded,
    Reloading,
    RollingBack,
    Stopping,
    Stopped,
}

/// The two files of a crew that runs detached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Logs {
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A listener that the primary has.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Listener {
    /// Node's key for it.
    pub(crate) key: String,
    /// For people.
    pub(crate) address: Option<String>,
    pub(crate) policy: String,
    /// Connections that came to it; `null` where workers accept by themselves.
    #[serde(default)]
    pub(crate) accepted: Option<u64>,
    /// Those of them that a worker took; `null` as there.
    #[serde(default)]
    pub(crate) taken: Option<u64>,
    /// The primary accepts from it now.
    pub(crate) accepting: bool,
    /// Connections that wait in the primary for a worker.
    pub(crate) held: usize,
    /// The most that have waited there at once.
    #[serde(default)]
    pub(crate) deepest: usize,
    /// Those that wait in the kernel; `null` for what is not TCP.
    pub(crate) accept_queue: Option<AcceptQueue>,
    /// Workers that hold it, by id.
    pub(crate) workers: Vec<u64>,
}

/// A listener's queue in the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct AcceptQueue {
    pub(crate) waiting: u32,
    /// Its backlog, or the system's limit.
    pub(crate) limit: u32,
    /// The most that waited at any look.
    pub(crate) deepest: u32,
    /// Connections that the kernel has dropped at this listener.
    pub(crate) dropped: Option<u32>,
}

/// A place that is to have a worker.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Slot {
    pub(crate) slot: usize,
    pub(crate) generation: u64,
    pub(crate) state: SlotState,
    /// Who has it.
    pub(crate) worker: Option<u64>,
    /// Processes that were started here after the first, reloads included.
    pub(crate) restarts: u64,
}

/// Who has a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum SlotState {
    /// Nobody yet.
    Vacant,
    /// Nobody, until the delay after a failure is over.
    BackingOff,
    /// Nobody, until another slot of a degraded crew has started.
    Parked,
    /// Its worker ended with a code that asks for no successor before the next reload.
    Retired,
    Starting,
    Held,
}

/// A worker; also the elements of `GET /v1/workers`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Worker {
    pub(crate) id: u64,
    /// Its place; its slot may have another worker already.
    pub(crate) slot: Option<usize>,
    pub(crate) pid: u32,
    pub(crate) state: WorkerState,
    pub(crate) generation: Option<u64>,
    pub(crate) uptime_ms: Option<u64>,
    /// Connections that it took; `null` where it accepts by itself, for nobody counts those.
    pub(crate) taken: Option<u64>,
    /// Connections that it was offered and has not answered for.
    pub(crate) in_flight: u64,
    /// Connections that it has open, while a policy counts them.
    pub(crate) live: Option<u64>,
    /// From an offer to its answer, in microseconds, as a moving average.
    pub(crate) latency_us: Option<u64>,
    #[serde(flatten)]
    pub(crate) figures: Figures,
}

/// How far a worker's life has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum WorkerState {
    Started,
    Online,
    Ready,
    Draining,
    Ended,
}

/// What the kernel says about a process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Its share of memory (PSS): what is shared counts by parts.
    pub(crate) memory: Option<u64>,
    pub(crate) cpu_ms: Option<u64>,
    /// Per cent of one CPU since somebody last looked, else since its start.
    pub(crate) cpu_percent: Option<f64>,
}

/// The account of every connection that the primary accepted: `accepted = held + offered + taken + closed`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Ledger {
    pub(crate) accepted: u64,
    pub(crate) held: u64,
    pub(crate) offered: u64,
    pub(crate) taken: u64,
    /// By reason.
    pub(crate) closed: BTreeMap<String, u64>,
    pub(crate) offered_again: u64,
    #[serde(default)]
    pub(crate) rescued: u64,
    pub(crate) accept_failures: u64,
    #[serde(default)]
    pub(crate) stray_answers: u64,
    #[serde(default)]
    pub(crate) bad_picks: u64,
    #[serde(default)]
    pub(crate) scheduler_panics: u64,
    #[serde(default)]
    pub(crate) looked_in_vain: u64,
    /// Open in workers that ended unasked, as far as they are counted: they were taken.
    #[serde(default)]
    pub(crate) died_inside: u64,
    /// Such workers of whose connections nobody knows.
    #[serde(default)]
    pub(crate) died_uncounted: u64,
    /// The same two of workers that were asked to leave, and were ended by a signal.
    #[serde(default)]
    pub(crate) cut_inside: u64,
    #[serde(default)]
    pub(crate) cut_uncounted: u64,
}

/// How far a reload has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Progress {
    pub(crate) generation: u64,
    pub(crate) replaced: usize,
    pub(crate) of: usize,
}

/// `GET /v1/workers`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Workers {
    pub(crate) api: u32,
    pub(crate) workers: Vec<Worker>,
}

/// `GET /v1/why`: what befell the crew last, the oldest first.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Why {
    pub(crate) api: u32,
    pub(crate) name: String,
    /// What is too old was forgotten: so many.
    pub(crate) forgotten: u64,
    pub(crate) chain: Vec<Link>,
}

/// One thing that befell the crew.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Link {
    pub(crate) time_ms: u64,
    pub(crate) what: What,
    pub(crate) worker: Option<u64>,
    pub(crate) pid: Option<u32>,
    pub(crate) slot: Option<usize>,
    /// In words.
    pub(crate) because: String,
    /// What came of it, in words.
    pub(crate) then: Option<String>,
    /// Connections that were open in the worker; `null` where that is unknown, and where no worker ended.
    #[serde(default)]
    pub(crate) died_inside: Option<u32>,
    /// The last lines that the worker printed.
    pub(crate) output: Vec<String>,
}

/// What kind of thing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum What {
    /// A worker ended, or was of no use any more, and nobody had asked it to leave.
    Lost,
    /// A worker hangs, and somebody debugs it: it was left alone.
    Debugged,
    /// Somebody asked for something on the control socket or by a signal.
    Asked,
    Reloaded,
    RolledBack,
    Degraded,
    Recovered,
}

/// `POST /v1/reload`, answered with the verdict.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Reloaded {
    pub(crate) api: u32,
    pub(crate) generation: u64,
    pub(crate) took_ms: u64,
}

/// `POST /v1/scale`: one of them.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Scale {
    /// So many workers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) workers: Option<usize>,
    /// So many more, or fewer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) by: Option<i64>,
}

/// The answer.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Scaled {
    pub(crate) api: u32,
    pub(crate) before: usize,
    pub(crate) wanted: usize,
}

/// `POST /v1/stop`, answered when the last worker has ended. The body may be empty.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Stop {
    /// Without waiting for anybody.
    #[serde(default)]
    pub(crate) now: bool,
}

/// The answer.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Stopped {
    pub(crate) api: u32,
    /// Workers that had to be killed.
    pub(crate) killed: usize,
}

/// `POST /v1/policy`: for every listener that has none of its own, for single ones, or both.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SetPolicy {
    /// As `--policy` names it.
    pub(crate) policy: String,
}

/// The answer: it is in force. Where workers had to be replaced for it, that is over.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct PolicySet {
    pub(crate) api: u32,
    pub(crate) policy: String,
    /// Workers had to be replaced.
    pub(crate) reloaded: bool,
}

/// `POST /v1/signal`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Signal {
    /// `SIGUSR2` or `USR2`.
    pub(crate) signal: String,
    /// One worker; all of them when it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) worker: Option<u64>,
}

/// The answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Signalled {
    pub(crate) api: u32,
    pub(crate) signal: String,
    /// Who got it.
    pub(crate) workers: Vec<u64>,
}

/// The body of every answer that is no success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Problem {
    /// What is wrong.
    pub(crate) error: String,
    /// What can be done.
    pub(crate) next: String,
    /// The last lines of the worker that is to blame, where one is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) output: Vec<String>,
}
