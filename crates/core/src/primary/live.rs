//! How many connections each worker has open, and how busy it is.
//!
//! The kernel tells when a TCP connection ends, whoever holds it; the shell matches what it tells with what was
//! handed over. Of other connections only the worker can tell: it says of each that it will, when it takes it.

use super::listener::Listener;
use super::machine::Primary;
use super::{Action, Notice, Scheduling};
use crate::scheduler::CpuShare;
use crate::{ListenerId, Seq, SocketKind, Time, WorkerId};

/// Who tells when the connections of a listener end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Counter {
    /// The kernel, exactly.
    Kernel,
    /// The workers, as far as they do.
    Workers,
}

/// Whether the connections of a listener are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counting {
    /// No policy needs it.
    Off,
    /// The shell was asked whether the kernel tells.
    Asked,
    /// They are.
    By(Counter),
}

impl Primary {
    /// Begins or ends counting, as the policy of this listener needs it.
    pub(super) fn count_if_needed(&mut self, id: ListenerId, out: &mut Vec<Action>) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        let Some(kind) = listener.kind() else {
            return;
        };
        let needed = self.rules.needs(listener.rule).live && kind != SocketKind::Datagram;
        match (needed, listener.counting) {
            (true, Counting::Off) if kind == SocketKind::Tcp => {
                listener.counting = Counting::Asked;
                out.push(Action::Count { listener: id, on: true });
            }
            (true, Counting::Off) => self.counted_by(id, Counter::Workers, out),
            (false, before @ (Counting::Asked | Counting::By(_))) => {
                listener.counting = Counting::Off;
                self.counts_no_more(id, before);
                if kind == SocketKind::Tcp {
                    out.push(Action::Count { listener: id, on: false });
                }
                self.show_live(id);
            }
            // As it is to be.
            (true, Counting::Asked | Counting::By(_)) | (false, Counting::Off) => {}
        }
    }

    /// The shell knows who tells.
    pub(super) fn counting(
        &mut self,
        now: Time,
        id: ListenerId,
        counter: Counter,
        out: &mut Vec<Action>,
    ) {
        match self.listeners.get(&id).map(|it| it.counting) {
            Some(Counting::Asked) => {}
            // The kernel has stopped telling. Of what it counted nobody tells the end any more.
            Some(Counting::By(before)) if before != counter => {
                for record in self.workers.values_mut() {
                    record.is_silent |= record.live > 0;
                }
            }
            // As it was; or the policy has changed meanwhile.
            Some(Counting::By(_) | Counting::Off) | None => return,
        }
        if counter == Counter::Kernel {
            self.counts_from_now(id);
        }
        self.counted_by(id, counter, out);
        self.pump(now, id, out);
    }

    fn counted_by(&mut self, id: ListenerId, counter: Counter, out: &mut Vec<Action>) {
        if let Some(listener) = self.listeners.get_mut(&id) {
            listener.counting = Counting::By(counter);
        }
        out.push(Action::Notify(Notice::Scheduling {
            listener: id,
            news: Scheduling::Counted { by: counter },
        }));
        self.show_live(id);
    }

    /// A worker took a connection of this listener. `told`: the offer's number, if it will say when it ends.
    pub(super) fn opened(
        &mut self,
        worker: WorkerId,
        id: ListenerId,
        told: Option<Seq>,
        out: &mut Vec<Action>,
    ) {
        let (Some(record), Some(listener)) =
            (self.workers.get_mut(&worker), self.listeners.get(&id))
        else {
            return;
        };
        if matches!(listener.counting, Counting::Off | Counting::Asked) {
            record.uncounted.insert(id);
        }
        match (listener.counting, told) {
            (Counting::By(Counter::Kernel), _) => record.live += 1,
            (Counting::By(Counter::Workers), Some(seq))
                if record.telling.len() < self.limits.told_per_worker =>
            {
                record.live += 1;
                record.telling.insert(seq);
            }
            // It cannot be counted any more: it has at least one of which nobody will tell the end, or tells none.
            (Counting::By(Counter::Workers), _) if !record.is_silent => {
                record.is_silent = true;
                let news = Scheduling::Uncounted { worker };
                out.push(Action::Notify(Notice::Scheduling { listener: id, news }));
            }
            (Counting::By(Counter::Workers) | Counting::Off | Counting::Asked, _) => return,
        }
        self.show_live_of(worker);
    }

    /// A worker has a connection that it took before anybody counted.
    pub(super) fn found(&mut self, worker: WorkerId, id: ListenerId) {
        let counting = self.listeners.get(&id).map(|it| it.counting);
        match (counting, self.workers.get_mut(&worker)) {
            (Some(Counting::Asked | Counting::By(Counter::Kernel)), Some(record)) => {
                record.live += 1;
                self.show_live_of(worker);
            }
            // Nobody counts there any more, or the worker has gone.
            (Some(Counting::Off | Counting::By(Counter::Workers)) | None, _) | (_, None) => {}
        }
    }

    /// A connection of a worker has ended, the kernel says.
    pub(super) fn ended(
        &mut self,
        now: Time,
        worker: WorkerId,
        dying: bool,
        out: &mut Vec<Action>,
    ) {
        if let Some(record) = self.workers.get_mut(&worker) {
            record.live = record.live.saturating_sub(1);
            record.ended_dying += u32::from(dying);
        }
        self.show_live_of(worker);
        self.pump_waiting(now, out);
    }

    /// A worker says that a connection which it [told of](Self::opened) has ended.
    pub(super) fn told_of_end(
        &mut self,
        now: Time,
        worker: WorkerId,
        seq: Seq,
        out: &mut Vec<Action>,
    ) {
        let Some(record) = self.workers.get_mut(&worker) else {
            return;
        };
        // One that it never took, or whose end it has told before, or that the kernel counts.
        if record.telling.remove(&seq) {
            self.ended(now, worker, false, out);
        }
    }

    /// How busy a worker's process was lately.
    pub(super) fn cpu(
        &mut self,
        now: Time,
        worker: WorkerId,
        share: CpuShare,
        out: &mut Vec<Action>,
    ) {
        for listener in self.listeners.values_mut() {
            let needed = self.rules.needs(listener.rule).cpu;
            if let Some(view) = listener.holder(worker) {
                view.cpu = needed.then_some(share);
            }
        }
        self.pump_waiting(now, out);
    }

    /// How busy the workers were is not shown to a policy that does not need it.
    pub(super) fn forget_cpu(&mut self, id: ListenerId) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        if !self.rules.needs(listener.rule).cpu {
            listener.holders.iter_mut().for_each(|view| view.cpu = None);
        }
    }

    /// Something about the workers has changed: a policy may choose now for whom it let wait.
    fn pump_waiting(&mut self, now: Time, out: &mut Vec<Action>) {
        let waits = |(id, it): (&ListenerId, &Listener)| (!it.queue.is_empty()).then_some(*id);
        let ids: Vec<_> = self.listeners.iter().filter_map(waits).collect();
        for id in ids {
            self.pump(now, id, out);
        }
    }

    fn show_live_of(&mut self, worker: WorkerId) {
        let Some(record) = self.workers.get(&worker) else {
            return;
        };
        for listener in self.listeners.values_mut() {
            listener.show_live(worker, record);
        }
    }

    /// Shows the schedulers what is counted by now.
    pub(super) fn show_live(&mut self, id: ListenerId) {
        let Some(listener) = self.listeners.get_mut(&id) else {
            return;
        };
        for (worker, record) in &self.workers {
            listener.show_live(*worker, record);
        }
    }
}

impl Counting {
    /// Whether it knows all connections of a worker, of which one may be silent about some.
    pub(super) const fn counts(self, is_silent: bool) -> bool {
        match self {
            Self::By(Counter::Kernel) => true,
            Self::By(Counter::Workers) => !is_silent,
            Self::Off | Self::Asked => false,
        }
    }
}
