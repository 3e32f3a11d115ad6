//! The ends of connections, as the kernel tells them.

use portcrew_core::primary::{Counter, End, Event};
use portcrew_core::{ConnId, ListenerId, supervise};

use super::Counted;
use crate::sim::report::{Broken, Check, Checked, ensure};
use crate::sim::world::World;

type Moved = Result<bool, Broken>;

impl World {
    /// The machine wants a listener's connections counted, or not any more.
    pub(super) fn count(&mut self, listener: ListenerId, on: bool) -> Checked {
        let to = if on { Counted::Wanted } else { Counted::Off };
        let before = self.shell.counted.insert(listener, to).unwrap_or(Counted::Off);
        if on {
            self.shell.counts.push_back(listener);
        }
        ensure((before == Counted::Off) == on, Check::C11Live, || {
            format!("listener {listener} is counted: {before:?}, and told again: {on}")
        })
    }

    /// Says who counts the next listener. It may not be wanted any more.
    pub(in crate::sim) fn count_next(&mut self) -> Moved {
        let Some(listener) = self.shell.counts.pop_front() else {
            return Ok(false);
        };
        let (by, to) = if self.plan.kernel_tells {
            (Counter::Kernel, Counted::ByKernel)
        } else {
            (Counter::Workers, Counted::ByWorkers)
        };
        match self.shell.counted.get_mut(&listener) {
            Some(it @ Counted::Wanted) => *it = to,
            Some(Counted::Off) => self.seen.saw("who counts was said too late"),
            Some(Counted::ByKernel | Counted::ByWorkers) | None => {}
        }
        self.feed(Event::Counting { listener, by })?;
        Ok(true)
    }

    /// A connection that was taken is noted where the kernel counts.
    pub(super) fn note(&mut self, conn: ConnId, end: End) {
        let End::Taken(worker) = end else {
            return;
        };
        let listener = self.account.entry(conn).map(|it| it.listener);
        let counted = listener.and_then(|it| self.shell.counted.get(&it));
        if counted == Some(&Counted::ByKernel) {
            self.kernel.noted.push((conn, worker));
        }
    }

    /// A worker of a crew has taken one more connection, and that may be as many as it is to take.
    pub(super) fn count_use(&mut self, end: End) -> Checked {
        let (End::Taken(worker), Some(seat)) = (end, &mut self.crew) else {
            return Ok(());
        };
        let connections = seat.checker.count_use(worker);
        if seat.checker.is_used_up(connections) {
            self.crew_tell(supervise::Event::Used { worker, connections })?;
        }
        Ok(())
    }

    /// The kernel tells of one connection that has ended: nobody has it open any more.
    pub(in crate::sim) fn end_next(&mut self) -> Moved {
        let many = self.kernel.noted.len();
        let from = self.rng.index(many);
        let over = |at: &usize| !self.is_open(self.kernel.noted[*at].0);
        let Some(at) = (from..many).chain(0..from).find(over) else {
            return Ok(false);
        };
        let (conn, worker) = self.kernel.noted.swap_remove(at);
        self.trace.say(|| format!("    the kernel tells the end of {conn}"));
        self.seen.saw("kernel told an end");
        self.feed(Event::Ended { worker, dying: false })?;
        Ok(true)
    }

    /// Whether somebody has it open, or a message that was not read.
    pub(in crate::sim) fn is_open(&self, conn: ConnId) -> bool {
        self.kernel.conn(conn).primary_copy || self.processes.iter().any(|it| it.has(conn))
    }
}
