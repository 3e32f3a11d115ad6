//! What befell the crew, for `why`: the last things, each with its cause and what came of it.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use portcrew::{Generation, SlotId, WorkerId};

use crate::control::v1::{API, Link, What, Why};
use crate::crew::tail::Tail;
use crate::output::words::control as words;

/// Things that are remembered. Each keeps the end of a worker's output, 8 KiB at most.
const MOST: usize = 32;

/// Workers whose pid is remembered: those that are there, and some that have just gone.
const MOST_PIDS: usize = 4096;

/// The last things, the oldest first.
#[derive(Debug, Default)]
pub(in crate::crew) struct History {
    chain: VecDeque<Thing>,
    forgotten: u64,
    pids: BTreeMap<WorkerId, u32>,
}

#[derive(Debug)]
struct Thing {
    time_ms: u64,
    what: What,
    worker: Option<WorkerId>,
    pid: Option<u32>,
    slot: Option<SlotId>,
    because: String,
    then: Option<String>,
    died_inside: Option<u32>,
    /// Read when somebody asks: until then its last lines may still be on their way.
    tail: Option<Arc<Tail>>,
}

impl History {
    pub(super) fn forked(&mut self, worker: WorkerId, pid: u32) {
        if self.pids.len() >= MOST_PIDS {
            self.pids.pop_first();
        }
        self.pids.insert(worker, pid);
    }

    pub(super) fn lost(&mut self, worker: WorkerId, how: String, tail: Option<Arc<Tail>>) {
        if let Some(told) = self.loss_of(worker) {
            // It hung, and its end is part of that.
            told.because = words::and_then(&told.because, &how);
            return;
        }
        let pid = self.pids.get(&worker).copied();
        self.add(Thing { worker: Some(worker), pid, tail, ..Thing::new(What::Lost, how) });
    }

    /// A worker hangs: what comes of it follows, or nothing does.
    pub(super) fn hangs(
        &mut self,
        worker: WorkerId,
        how: String,
        left: bool,
        tail: Option<Arc<Tail>>,
    ) {
        let pid = self.pids.get(&worker).copied();
        let (what, then) =
            if left { (What::Debugged, Some(words::left_alone())) } else { (What::Lost, None) };
        self.add(Thing { worker: Some(worker), pid, then, tail, ..Thing::new(what, how) });
    }

    /// What the loss of a worker cost. Of one that was asked to leave there is none.
    pub(super) fn died_inside(&mut self, worker: WorkerId, open: Option<u32>) {
        if let Some(lost) = self.loss_of(worker) {
            lost.died_inside = open;
        }
    }

    fn loss_of(&mut self, worker: WorkerId) -> Option<&mut Thing> {
        let is_its = |it: &&mut Thing| it.what == What::Lost && it.worker == Some(worker);
        self.chain.iter_mut().rev().find(is_its)
    }

    /// A slot gets another worker. That is what came of the loss before it, if that was of a worker that ended.
    pub(super) fn replaced(&mut self, slot: SlotId, how: &str, delay: Duration) {
        let then = words::new_one(delay);
        let last = self.chain.back_mut().filter(|it| it.what == What::Lost && it.then.is_none());
        match last {
            Some(last) => (last.slot, last.then) = (Some(slot), Some(then)),
            None => self.add(Thing {
                slot: Some(slot),
                then: Some(then),
                ..Thing::new(What::Lost, how.to_owned())
            }),
        }
    }

    pub(super) fn degraded(&mut self) {
        self.add(Thing::new(What::Degraded, words::degraded()));
    }

    pub(super) fn recovered(&mut self) {
        self.add(Thing::new(What::Recovered, words::recovered()));
    }

    pub(super) fn reloaded(&mut self, generation: Generation) {
        self.add(Thing::new(What::Reloaded, words::reloaded(generation.0)));
    }

    pub(super) fn rolled_back(
        &mut self,
        generation: Generation,
        worker: Option<WorkerId>,
        why: String,
        tail: Option<Arc<Tail>>,
    ) {
        let pid = worker.and_then(|it| self.pids.get(&it).copied());
        let then = Some(words::generation_gone(generation.0));
        // Its last lines stand once, where its own end is told.
        let is_told = |it: &Thing| it.what == What::Lost && it.worker == worker;
        let tail = tail.filter(|_| !self.chain.iter().any(is_told));
        self.add(Thing { worker, pid, then, tail, ..Thing::new(What::RolledBack, why) });
    }

    /// Somebody wants something.
    pub(in crate::crew) fn asked(&mut self, what: String) {
        self.add(Thing::new(What::Asked, what));
    }

    /// All of it in the words of the control socket.
    pub(in crate::crew) fn why(&self, name: &str) -> Why {
        let chain = self.chain.iter().map(Thing::link).collect();
        Why { api: API, name: name.to_owned(), forgotten: self.forgotten, chain }
    }

    fn add(&mut self, thing: Thing) {
        if self.chain.len() == MOST {
            self.chain.pop_front();
            self.forgotten += 1;
        }
        self.chain.push_back(thing);
    }
}

impl Thing {
    fn new(what: What, because: String) -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let time_ms = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
        Self {
            time_ms,
            what,
            worker: None,
            pid: None,
            slot: None,
            because,
            then: None,
            died_inside: None,
            tail: None,
        }
    }

    fn link(&self) -> Link {
        Link {
            time_ms: self.time_ms,
            what: self.what,
            worker: self.worker.map(|it| it.0.into()),
            pid: self.pid,
            slot: self.slot.map(|it| it.0),
            because: self.because.clone(),
            then: self.then.clone(),
            died_inside: self.died_inside,
            output: self.tail.as_ref().map(|it| it.lines()).unwrap_or_default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_and_its_replacement_are_one_link_and_the_oldest_are_forgotten() {
        let mut history = History::default();
        let tail = Arc::<Tail>::default();
        tail.push(b"boom\n");
        for id in 0..40 {
            history.forked(WorkerId(id), 100 + id);
            history.lost(WorkerId(id), "exited with status 1".to_owned(), Some(Arc::clone(&tail)));
            history.replaced(SlotId(1), "exited with status 1", Duration::from_millis(100));
        }
        let why = history.why("api");
        assert_eq!((why.chain.len(), why.forgotten), (MOST, 8));
        let first = &why.chain[0];
        assert_eq!((first.worker, first.pid, first.slot), (Some(8), Some(108), Some(1)));
        assert_eq!(first.output, ["boom"]);
        assert!(first.then.as_deref().is_some_and(|it| it.contains("100 ms")));
    }

    #[test]
    fn what_died_inside_stands_with_the_loss() {
        let mut history = History::default();
        for id in [1, 2] {
            history.lost(WorkerId(id), "was ended by SIGKILL".to_owned(), None);
        }
        history.died_inside(WorkerId(1), Some(3));
        history.died_inside(WorkerId(2), None);
        history.died_inside(WorkerId(9), Some(1));
        let inside: Vec<_> = history.why("api").chain.iter().map(|it| it.died_inside).collect();
        assert_eq!(inside, [Some(3), None]);
    }

    #[test]
    fn a_slot_that_gets_another_worker_without_a_loss_is_a_link_of_its_own() {
        let mut history = History::default();
        history.replaced(SlotId(0), "could not be started", Duration::from_secs(1));
        history.replaced(SlotId(0), "could not be started", Duration::from_secs(2));
        assert_eq!(history.why("api").chain.len(), 2);
    }
}
