//! How a worker process reads its sockets, and what its vices make of an offer.

use portcrew_core::worker::Verdict;
use portcrew_core::{Address, ConnId, FromWorker, ListenerId, Query, Reply, Seq, ToWorker};

use super::brain::Came;
use super::process::{Process, Server, Serving, Todo};
use crate::sim::link::{Down, LaneOffer, Up};
use crate::sim::plan::{Manner, Point, is_of_any_port};
use crate::sim::report::Coverage;

impl Process {
    /// Reads one message or one packet. Says whether there was one.
    pub(super) fn read(&mut self, lane_first: bool, seen: &mut Coverage) -> bool {
        if !self.link.worker_end || self.heard_end {
            return false;
        }
        if self.link.holds_connection() && self.falls(Point::BeforeRead, seen) {
            return true;
        }
        if lane_first {
            self.read_lane(seen) || self.read_channel(seen)
        } else {
            self.read_channel(seen) || self.read_lane(seen) || self.read_end()
        }
    }

    /// The primary has closed its ends and everything is read.
    fn read_end(&mut self) -> bool {
        let at_end = !self.link.primary_end;
        if at_end {
            self.heard_end = true;
            let steps = self.brain.end();
            self.plan_all(steps);
        }
        at_end
    }

    fn read_lane(&mut self, seen: &mut Coverage) -> bool {
        let Some(packet) = self.link.offers.pop_front() else {
            return false;
        };
        self.take_packet(packet, seen);
        self.falls(Point::AfterRead, seen);
        true
    }

    fn take_packet(&mut self, packet: Vec<LaneOffer>, seen: &mut Coverage) {
        if packet.len() > 1 {
            seen.saw("lane packet of several connections");
        }
        for LaneOffer { seq, conn, listener } in packet {
            self.consider(seq, Came::Lane(listener), conn, seen);
        }
        self.todo.push_back(Todo::Flush);
    }

    fn read_channel(&mut self, seen: &mut Coverage) -> bool {
        match self.link.down.pop_front() {
            None => false,
            Some(Down::Text) => {
                self.disconnect();
                true
            }
            Some(Down::Message(message)) => {
                self.hear(message);
                true
            }
            Some(Down::Conn { seq, conn, key }) => {
                self.consider(seq, Came::Channel(key), conn, seen);
                self.falls(Point::AfterRead, seen);
                true
            }
        }
    }

    fn hear(&mut self, message: ToWorker) {
        self.reply_listener = match &message {
            ToWorker::Reply { listener, reply: Reply::Shared, .. } => Some(*listener),
            ToWorker::Reply { .. } | ToWorker::Disconnect | ToWorker::FarewellHeard { .. } => None,
        };
        let steps = self.brain.message(message);
        self.plan_all(steps);
        // A reply may have freed offers that waited for it: their answers are the end of a turn too.
        self.todo.push_back(Todo::Flush);
    }

    /// What becomes of an offer: its descriptor may not fit, and the worker may not be honest.
    fn consider(&mut self, seq: Seq, came: Came, conn: ConnId, seen: &mut Coverage) {
        let on_the_way =
            |it: &&Todo| matches!(it, Todo::Hold(..) | Todo::Deliver(..) | Todo::Drop(_));
        let waiting = self.todo.iter().filter(on_the_way).count();
        let open = self.hands.len() + self.queue.len() + waiting;
        let arrived = open < self.temper.room;
        self.offers.insert(seq, conn);
        if !arrived {
            seen.saw("descriptor lost on the way");
        }
        match (self.temper.manner, arrived) {
            (Manner::Refusing, true) => {
                seen.saw("worker refused for no reason");
                self.refuse(seq, conn, &came);
            }
            (_, arrived) => {
                let shared = self.shares(&came).filter(|_| arrived);
                self.todo.extend(shared.filter(|_| self.temper.alone).map(Todo::Dies));
                let steps = self.brain.offered(seq, came, arrived.then_some(conn));
                let refuses = steps.iter().any(is_refusal);
                self.todo.extend(shared.filter(|_| refuses).map(Todo::Refuses));
                self.plan_all(steps);
            }
        }
        if self.temper.manner == Manner::Lying {
            seen.saw("worker forged answers");
            self.lie(seq);
        }
        self.last_seq = seq;
    }

    /// The listener of which an offer came, if its user accepts for itself from that and goes on doing so.
    fn shares(&self, came: &Came) -> Option<ListenerId> {
        let of = |it: &Server| match (it.state, came) {
            (Serving::Shared(listener), Came::Lane(number)) => {
                (listener == *number).then_some(listener)
            }
            // Several of any port differ in a number that only the machine knows.
            (Serving::Shared(_), Came::Channel(_)) if is_of_any_port(&it.query.address) => None,
            (Serving::Shared(listener), Came::Channel(key)) => {
                (it.query.key() == *key).then_some(listener)
            }
            (Serving::Asked | Serving::Open | Serving::Closed, _) => None,
        };
        let servers = self.servers.iter().filter(|it| it.wanted && !self.brain.is_leaving());
        servers.into_iter().find_map(of)
    }

    fn refuse(&mut self, seq: Seq, conn: ConnId, came: &Came) {
        match came {
            Came::Lane(_) => self.todo.push_back(Todo::Answer(seq, Verdict::Refused)),
            Came::Channel(_) => {
                let (ack, accepted) = (seq, false);
                self.todo.push_back(Todo::Utter(Up::HandleAck));
                let answer = FromWorker::Answer { ack, accepted };
                self.todo.push_back(Todo::Say(answer));
            }
        }
        self.todo.push_back(Todo::Drop(conn));
    }

    /// Answers that nobody asked for: once more, ahead of time, and for a number that is another's. A listener that
    /// the primary did not give it.
    fn lie(&mut self, seq: Seq) {
        if seq.0 % 3 == 0 {
            let (address, port) = (Address::Fd { fd: 3 }, 0);
            let query = Query { address, index: 0, backlog: None, data: None };
            self.todo.push_back(Todo::Say(FromWorker::Listening { query, port }));
        }
        let ahead = Seq(seq.0 + 1 + seq.0 % 2);
        let answer = |ack, accepted| Todo::Say(FromWorker::Answer { ack, accepted });
        self.todo.push_back(answer(seq, true));
        match seq.0 % 4 {
            0 => self.todo.push_back(answer(ahead, true)),
            1 => self.todo.push_back(answer(self.last_seq, false)),
            2 => self.todo.push_back(Todo::Utter(Up::Garbage)),
            3 if seq.0 % 8 == 3 => self.lie_of_ends(seq),
            _ => {
                self.todo.push_back(Todo::Answer(Seq(seq.0 * 7), Verdict::Lost));
                self.todo.push_back(Todo::Flush);
            }
        }
    }

    /// Before a worker closes its sockets it refuses what the lane still holds. Says whether it did.
    pub(super) fn refuse_what_the_lane_holds(&mut self) -> bool {
        let waiting: Vec<_> = self.link.offers.drain(..).flatten().collect();
        if waiting.is_empty() {
            return false;
        }
        let later = std::mem::take(&mut self.todo);
        for it in waiting {
            let steps = self.brain.offered(it.seq, Came::Lane(it.listener), Some(it.conn));
            self.plan_all(steps);
        }
        self.todo.extend([Todo::Flush, Todo::CloseChannel]);
        self.todo.extend(later);
        true
    }
}

const fn is_refusal(step: &Todo) -> bool {
    matches!(
        step,
        Todo::Answer(_, Verdict::Refused) | Todo::Say(FromWorker::Answer { accepted: false, .. })
    )
}
