//! How things are, at one moment.

use portcrew_core::primary::{Counter, Counts, ListenerName, Mode};
use portcrew_core::scheduler::WorkerView;
use portcrew_core::supervise::SlotId;
use portcrew_core::{Histogram, Ledger, Limits, ListenerId, WorkerId};

use super::driver::Driver;
use super::notices::address_of;
use super::sockets::Socket;
use super::{AcceptQueue, CrewSnapshot, State};
use crate::ListenAddress;

/// A primary at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Snapshot {
    /// The account of every connection that the primary accepted. Workers that accept for themselves
    /// ([`Policy::Shared`](crate::Policy::Shared)) are not in it.
    pub ledger: Ledger,
    /// How long workers have taken for their answers since the primary began: from the offer of a connection until it
    /// was taken or refused.
    pub answers: Histogram,
    /// The workers that are not both disconnected and exited, by id.
    pub workers: Vec<WorkerSnapshot>,
    /// The listeners.
    pub listeners: Vec<ListenerSnapshot>,
    /// The crew; `None` without [`Cluster::start`](crate::Cluster::start).
    pub crew: Option<CrewSnapshot>,
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
    /// It accepts connections by itself besides: those nobody counts.
    pub accepts_itself: bool,
    /// Its place in the crew; none of one that was forked by hand.
    pub slot: Option<SlotId>,
    /// How it is handed connections. `None` before its first word, and once its channel has ended.
    pub dialect: Option<Dialect>,
}

/// In which language a worker is handed connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dialect {
    /// On a socket of their own, many in one packet: between portcrew's own ends.
    Lane,
    /// On Node's channel, one by one.
    Node,
    /// The same in Bun's spelling.
    Bun,
}

/// A listener at one moment.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListenerSnapshot {
    /// The number that [`Event::Scheduling`](crate::Event::Scheduling) has.
    pub listener: ListenerId,
    /// Its key, as Node writes it.
    pub key: String,
    /// Where it is, with the port that it got; `None` while it is being bound.
    pub address: Option<ListenAddress>,
    /// By what name it can be given a policy of its own; `None` for UDP, and while it is being bound.
    pub name: Option<ListenerName>,
    /// The number that it has in each worker, where the primary has opened it by itself
    /// ([`Settings::listen`](crate::Settings::listen)).
    pub descriptor: Option<i32>,
    /// The workers accept from it themselves.
    pub shared: bool,
    /// Connections that came to it, those that were closed included; `None` where workers have accepted by themselves:
    /// nobody counts theirs.
    pub accepted: Option<u64>,
    /// Those of them that a worker took; `None` as there.
    pub taken: Option<u64>,
    /// The primary accepts from it now, and not only to close what it accepts.
    pub accepting: bool,
    /// Connections that wait for a worker.
    pub held: usize,
    /// The most that have waited at once since it was asked for.
    pub deepest: usize,
    /// Those that wait in the kernel, where nobody has accepted them; `None` for what is not TCP.
    pub accept_queue: Option<AcceptQueue>,
    /// What its policy is called.
    pub policy: &'static str,
    /// Who tells when its connections end; `None` while no policy needs to know.
    pub counted_by: Option<Counter>,
    /// What its scheduler has decided.
    pub counts: Counts,
    /// How many connections a worker may be offered here before it has answered for them; `None` where workers accept
    /// for themselves.
    pub window: Option<Window>,
    /// The workers that hold it.
    pub holders: Vec<WorkerId>,
    /// The same workers as its scheduler sees them.
    pub views: Vec<WorkerView>,
}

/// The widest window that a worker has, in connections. It narrows to 1 while the worker answers slowly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Window {
    /// Of a worker with a [lane](Dialect::Lane).
    pub lane: u32,
    /// Of one that is handed connections on its channel.
    pub channel: u32,
}

impl Driver {
    pub(super) fn snapshot(&mut self) -> Snapshot {
        let workers = self.links.values().map(|link| {
            let state = link.shared.status().state;
            WorkerSnapshot {
                id: link.shared.id,
                pid: link.shared.pid,
                state,
                taken: link.taken,
                accepts_itself: self.machine.accepts_itself(link.shared.id),
                slot: link.place.as_ref().map(|place| place.slot),
                dialect: link.dialect().filter(|_| state != State::Started),
            }
        });
        let workers = workers.collect();
        Snapshot {
            ledger: self.machine.ledger().clone(),
            answers: self.machine.answers().clone(),
            workers,
            listeners: self.listeners(),
            crew: self.crew.snapshot(self.now),
        }
    }

    fn listeners(&mut self) -> Vec<ListenerSnapshot> {
        let mut all = Vec::new();
        for view in self.machine.listeners() {
            let accept_queue = match self.spread.has(view.listener) {
                true => self.spread.look(view.listener),
                false => self.sockets.look(view.listener),
            };
            let socket = self.sockets.get(view.listener);
            all.push(ListenerSnapshot {
                listener: view.listener,
                key: view.key.0.clone(),
                address: socket.map(|it| address_of(&it.query, it.port)),
                name: socket.and_then(|it| ListenerName::of(&it.query.address)),
                window: socket.and_then(|it| window(it, view.mode)),
                descriptor: self.descriptor(view.listener),
                shared: view.mode != Mode::Handover,
                policy: view.policy,
                counted_by: view.counted_by,
                counts: view.counts,
                accepted: view.accepted,
                taken: view.taken,
                accepting: view.is_accepting && !view.is_shedding,
                held: view.waiting.len(),
                deepest: view.deepest,
                accept_queue,
                holders: view.holders.iter().map(|it| it.worker).collect(),
                views: view.holders.to_vec(),
            });
        }
        all
    }
}

/// The machine's rule, for those who watch: it tells each worker's window of this moment, and not the widest.
fn window(socket: &Socket, mode: Mode) -> Option<Window> {
    let limits = Limits::default();
    // Of what is handed over only Unix-domain sockets have no port.
    match (mode, socket.port.is_some()) {
        (Mode::Shared | Mode::Kernel, _) => None,
        (Mode::Handover, true) => {
            Some(Window { lane: limits.lane_window, channel: limits.channel_window })
        }
        (Mode::Handover, false) => {
            Some(Window { lane: limits.unproven_window, channel: limits.unproven_window })
        }
    }
}
