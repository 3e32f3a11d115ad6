//! What a worker says of its connections by the lane: that it has them, and that they have ended.

use portcrew_core::worker::Verdict;
use portcrew_core::{ConnId, Seq};

use super::process::{Process, Todo};
use crate::sim::kernel::Kernel;
use crate::sim::link::LaneWord;
use crate::sim::plan::{Point, Tells};
use crate::sim::report::Coverage;

impl Process {
    /// Sends what was gathered for the lane.
    pub(super) fn flush(&mut self, kernel: &Kernel, seen: &mut Coverage) {
        let batch = std::mem::take(&mut self.batch);
        let words: Vec<_> = batch.into_iter().flat_map(|it| self.worded(it, kernel)).collect();
        let open = self.link.has_lane && self.link.is_whole();
        if open && !words.is_empty() {
            self.link.answers.push_back(words);
        }
        if matches!(self.todo.front(), Some(Todo::Deliver(..))) {
            self.falls(Point::AfterAnswer, seen);
        }
    }

    /// A record as this worker writes it. One that tells says of what it takes that it will tell its end, and tells
    /// it at once where the user was quicker than the answer.
    fn worded(&mut self, word: LaneWord, kernel: &Kernel) -> Vec<LaneWord> {
        let LaneWord::Answer(seq, verdict) = word else {
            return vec![word];
        };
        let Some(conn) = self.offers.remove(&seq) else {
            return vec![word];
        };
        self.answered.insert(conn);
        let over = self.over_early.remove(&conn);
        if verdict != Verdict::Accepted || !self.tells_of(conn, kernel) {
            return vec![word];
        }
        if over {
            return vec![LaneWord::Kept(seq), LaneWord::Ended(seq)];
        }
        self.telling.insert(conn, seq);
        vec![LaneWord::Kept(seq)]
    }

    fn tells_of(&self, conn: ConnId, kernel: &Kernel) -> bool {
        match self.temper.tells {
            Tells::Nothing => false,
            Tells::Unprovable => kernel.conn(conn).unix,
            Tells::All => true,
        }
    }

    /// The user has finished with what it had in this hand.
    pub(super) fn lets_go(&mut self, hand: usize) {
        let conn = self.hands.swap_remove(hand);
        match self.telling.remove(&conn) {
            Some(seq) => self.todo.extend([Todo::Ended(seq), Todo::Flush]),
            // The answer that says that its end will be told is not out yet.
            None if self.offers.values().any(|it| *it == conn) => {
                self.over_early.insert(conn);
            }
            None => {}
        }
    }

    /// Whether this process, or a message to it, keeps the connection open.
    #[must_use]
    pub fn has(&self, conn: ConnId) -> bool {
        let planned = |it: &Todo| match it {
            Todo::Hold(_, it) | Todo::Deliver(_, it) | Todo::Drop(it) => *it == conn,
            _ => false,
        };
        self.hands.contains(&conn)
            || self.wanted == Some(conn)
            || self.queue.iter().any(|it| it.conn == conn)
            || self.todo.iter().any(planned)
            || self.link.carries(conn)
    }

    /// A worker that is not honest tells ends of what has not ended, twice, or of what is another's.
    pub(super) fn lie_of_ends(&mut self, seq: Seq) {
        if self.link.has_lane {
            let (of, other) = (Todo::Ended(seq), Todo::Ended(Seq(seq.0 / 2)));
            self.todo.extend([of, other, Todo::Flush]);
        }
    }
}
