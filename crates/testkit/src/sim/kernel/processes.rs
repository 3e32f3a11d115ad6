//! The process table: who has which pid, and what comes of a signal to a number.

use std::collections::BTreeMap;

use portcrew_core::WorkerId;

use crate::sim::report::{Check, Checked, ensure};

/// Pids that there are. Few, so that each is soon another's.
const NUMBERS: u32 = 24;

/// A process's number, its own until it is reaped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pid(pub u32);

/// Who has a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holder {
    /// A child of the primary, dead or alive, that nobody has waited for.
    Child(WorkerId),
    /// Somebody else's process.
    Stranger,
}

/// All processes, by number.
#[derive(Debug, Default)]
pub struct ProcessTable(BTreeMap<Pid, Holder>);

impl ProcessTable {
    /// A child is started: it gets the lowest number that is free, so usually one that another had. `None` when there
    /// is none (EAGAIN).
    pub fn start(&mut self, worker: WorkerId) -> Option<Pid> {
        let free = (1..=NUMBERS).map(Pid).find(|it| !self.0.contains_key(it));
        // A stranger ends when the number is needed: there are always more numbers.
        let pid = free.or_else(|| self.strangers().next())?;
        self.0.insert(pid, Holder::Child(worker));
        Some(pid)
    }

    fn strangers(&self) -> impl Iterator<Item = Pid> + '_ {
        self.0.iter().filter(|it| *it.1 == Holder::Stranger).map(|it| *it.0)
    }

    /// A child was waited for: its number is free, or a stranger's at once.
    pub fn reap(&mut self, pid: Pid, stranger: bool) {
        if stranger {
            self.0.insert(pid, Holder::Stranger);
        } else {
            self.0.remove(&pid);
        }
    }

    /// S1: a signal that is sent to this number for this worker's sake reaches nobody else.
    ///
    /// # Errors
    /// When it does, or nobody.
    pub fn signal(&self, pid: Pid, meant: WorkerId) -> Checked {
        let hit = self.0.get(&pid);
        ensure(hit == Some(&Holder::Child(meant)), Check::S1Reaped, || {
            format!("a signal for worker {meant} goes to {pid:?}, which is {hit:?}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_to_a_reaped_number_is_found_whoever_has_it() {
        let mut table = ProcessTable::default();
        let pid = table.start(WorkerId(1)).expect("there is room");
        assert!(table.signal(pid, WorkerId(1)).is_ok());
        table.reap(pid, true);
        assert!(table.signal(pid, WorkerId(1)).is_err(), "a stranger has it");
        table.reap(pid, false);
        assert!(table.signal(pid, WorkerId(1)).is_err(), "nobody has it");
        assert_eq!(table.start(WorkerId(2)), Some(pid), "the next child has it");
        assert!(table.signal(pid, WorkerId(1)).is_err());
    }
}
