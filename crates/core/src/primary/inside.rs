//! What a worker's death costs beyond what it had not answered for: the connections that it had taken and open.
//!
//! They are known where they are counted ([`Counter`](super::Counter)). Elsewhere it is said that nobody knows.

use super::live::{Counter, Counting};
use super::machine::Primary;
use super::worker::Worker;
use super::{Action, Exit, Notice};
use crate::{ListenerId, WorkerId};

impl Primary {
    /// Nothing more comes from a worker, whose record is this. One that was asked to leave, and went by itself, had
    /// finished: what is counted of it are closed connections that a client has not let go of yet.
    pub(super) fn count_inside(
        &mut self,
        worker: WorkerId,
        record: &Worker,
        status: Exit,
        out: &mut Vec<Action>,
    ) {
        let planned = record.planned;
        let (inside, uncounted) = match (planned, status) {
            (false, _) => (&mut self.ledger.died_inside, &mut self.ledger.died_uncounted),
            (true, Exit::Signal(_)) => {
                (&mut self.ledger.cut_inside, &mut self.ledger.cut_uncounted)
            }
            (true, Exit::Code(_)) => return,
        };
        let open = record.open_inside();
        match open {
            Some(open) => *inside += u64::from(open),
            None => *uncounted += 1,
        }
        out.push(Action::Notify(Notice::DiedInside { worker, open, planned }));
    }

    /// Some that a worker had taken have ended with it.
    pub(super) fn ended_by_death(&mut self, worker: WorkerId, count: u32) {
        if let Some(record) = self.workers.get_mut(&worker) {
            record.ended_dying = record.ended_dying.saturating_add(count);
        }
    }

    /// A listener's connections are not counted any more: of those that were, nobody will know whether they are open.
    pub(super) fn counts_no_more(&mut self, id: ListenerId, before: Counting) {
        match before {
            Counting::By(Counter::Kernel) => {}
            // The workers go on telling of those of which they said that they would; or nobody counted.
            Counting::By(Counter::Workers) | Counting::Off | Counting::Asked => return,
        }
        for record in self.workers.values_mut().filter(|it| it.live > 0) {
            record.uncounted.insert(id);
        }
    }

    /// The kernel counts a listener's connections, those too that were open before.
    pub(super) fn counts_from_now(&mut self, id: ListenerId) {
        for record in self.workers.values_mut() {
            record.uncounted.remove(&id);
        }
    }

    /// Whether a worker accepts connections by itself: those nobody counts.
    #[must_use]
    pub fn accepts_itself(&self, worker: WorkerId) -> bool {
        self.workers.get(&worker).is_some_and(|it| it.accepts_itself)
    }
}

impl Worker {
    /// Connections that were open in it when it ended; `None` where that is unknown.
    fn open_inside(&self) -> Option<u32> {
        let is_unknown = self.accepts_itself || self.is_silent || !self.uncounted.is_empty();
        (!is_unknown).then(|| self.live.saturating_add(self.ended_dying))
    }
}
