//! How things are, at one moment.

use portcrew_core::primary::{Counter, Counts, Mode};
use portcrew_core::scheduler::WorkerView;
use portcrew_core::{Ledger, WorkerId};

use super::State;
use super::driver::Driver;

/// A primary at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Snapshot {
    /// The account of every connection that the primary accepted. Workers that accept for themselves
    /// ([`Policy::Shared`](crate::Policy::Shared)) are not in it.
    pub ledger: Ledger,
    /// The workers that are not both disconnected and exited, by id.
    pub workers: Vec<WorkerSnapshot>,
    /// The listeners.
    pub listeners: Vec<ListenerSnapshot>,
}

/// A worker at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct WorkerSnapshot {
    /// Who.
    pub id: WorkerId,
    /// Its process.
    pub pid: u32,
    /// How far its life has come.
    pub state: State,
    /// Connections that it took from the primary.
    pub taken: u64,
}

/// A listener at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListenerSnapshot {
    /// Its key, as Node writes it.
    pub key: String,
    /// The workers accept from it themselves.
    pub shared: bool,
    /// The primary accepts from it now.
    pub accepting: bool,
    /// Connections that wait for a worker.
    pub held: usize,
    /// What its policy is called.
    pub policy: &'static str,
    /// Who tells when its connections end; `None` while no policy needs to know.
    pub counted_by: Option<Counter>,
    /// What its scheduler has decided.
    pub counts: Counts,
    /// The workers that hold it.
    pub holders: Vec<WorkerId>,
    /// The same workers as its scheduler sees them.
    pub views: Vec<WorkerView>,
}

impl Driver {
    pub(super) fn snapshot(&self) -> Snapshot {
        let workers = self.links.values().map(|link| WorkerSnapshot {
            id: link.shared.id,
            pid: link.shared.pid,
            state: link.shared.status().state,
            taken: link.taken,
        });
        let listeners = self.machine.listeners().map(|view| ListenerSnapshot {
            key: view.key.0.clone(),
            shared: view.mode == Mode::Shared,
            policy: view.policy,
            counted_by: view.counted_by,
            counts: view.counts,
            accepting: view.is_accepting,
            held: view.waiting.len(),
            holders: view.holders.iter().map(|it| it.worker).collect(),
            views: view.holders.to_vec(),
        });
        Snapshot {
            ledger: self.machine.ledger().clone(),
            workers: workers.collect(),
            listeners: listeners.collect(),
        }
    }
}
