//! Events, read from the model kernel: workers' messages, ends, exits, and accepted connections.

use portcrew_core::primary::{AcceptFailure, Event};
use portcrew_core::worker::Verdict;
use portcrew_core::{ConnId, FromWorker, ListenerId, Seq, WorkerId, supervise};

use crate::sim::client::Client;
use crate::sim::kernel::Peer;
use crate::sim::link::{LaneWord, Up};
use crate::sim::report::{Broken, Check, Checked, ensure};
use crate::sim::worker::Run;
use crate::sim::world::World;

type Moved = Result<bool, Broken>;

impl World {
    /// Writes what waits, to all workers: a turn of the primary ends with that.
    pub(in crate::sim) fn flush_some(&mut self) {
        for process in self.processes.iter_mut().filter(|it| it.link.is_whole()) {
            if let Some(desk) = self.shell.desks.get_mut(&process.id) {
                desk.flush(process.id, &mut process.link, &mut self.shell.sent);
            }
        }
    }

    /// Reads one message, one packet or the end from a worker. Says whether there was one.
    pub(in crate::sim) fn read_from(&mut self, at: usize, lane_first: bool) -> Moved {
        let worker = self.processes[at].id;
        let Some(desk) = self.shell.desks.get_mut(&worker) else {
            return Ok(false);
        };
        if desk.drained {
            return Ok(false);
        }
        let link = &mut self.processes[at].link;
        if desk.closing || link.is_drained() {
            desk.drained = true;
            link.close_primary_end();
            self.feed(Event::Drained { worker })?;
            return Ok(true);
        }
        if lane_first {
            if let Some(answers) = link.answers.pop_front() {
                return self.hear_answers(worker, answers);
            }
        }
        match link.up.pop_front() {
            Some(up) => self.hear(worker, up),
            None => match link.answers.pop_front() {
                Some(answers) => self.hear_answers(worker, answers),
                None => Ok(false),
            },
        }
    }

    fn hear(&mut self, worker: WorkerId, up: Up) -> Moved {
        let event = match up {
            Up::Message(message) => Some(Event::Message { worker, message }),
            Up::Garbage => Some(Event::Offence { worker }),
            Up::HandleAck => {
                self.handle_came(worker);
                None
            }
            Up::HandleNack => {
                self.handle_came(worker).map(|seq| Event::NotReceived { worker, seq })
            }
        };
        let online =
            |event| matches!(event, Event::Message { message: FromWorker::Online { .. }, .. });
        let alone = self.process_mut(worker).is_some_and(|it| it.temper.alone);
        if alone && event.clone().is_some_and(online) {
            self.feed(Event::AcceptsAlone { worker })?;
        }
        let online = matches!(
            &event,
            Some(Event::Message { message: FromWorker::Online { lane: true }, .. })
        );
        if online {
            // Our own workers understand when they are asked for a beat.
            self.crew_feed(supervise::Event::Beats { worker })?;
        }
        if let Some(event) = event {
            self.feed(event)?;
        }
        self.flush_some();
        Ok(true)
    }

    /// The descriptor that was on the way has come, or is lost: the next may go.
    fn handle_came(&mut self, worker: WorkerId) -> Option<Seq> {
        self.shell.desks.get_mut(&worker).and_then(|desk| desk.pending.take())
    }

    fn hear_answers(&mut self, worker: WorkerId, words: Vec<LaneWord>) -> Moved {
        if words.len() > 1 {
            self.seen.saw("lane packet of several answers");
        }
        let ends = words.iter().filter(|it| matches!(it, LaneWord::Ended(_))).count();
        self.seen.add("worker told an end", ends as u64);
        for word in words {
            // The machine may have had the channel closed in the middle of the packet.
            let answer = |ack, accepted| FromWorker::Answer { ack, accepted };
            self.feed(match word {
                LaneWord::Answer(seq, Verdict::Accepted) => {
                    Event::Message { worker, message: answer(seq, true) }
                }
                LaneWord::Answer(seq, Verdict::Refused) => {
                    Event::Message { worker, message: answer(seq, false) }
                }
                LaneWord::Answer(seq, Verdict::Lost) => Event::NotReceived { worker, seq },
                LaneWord::Kept(seq) | LaneWord::Answer(seq, Verdict::Kept) => {
                    Event::TakenAndTold { worker, seq }
                }
                LaneWord::Ended(seq) => Event::EndTold { worker, seq },
            })?;
        }
        Ok(true)
    }

    /// Asks for the status of a process that has ended.
    pub(in crate::sim) fn reap(&mut self, at: usize) -> Moved {
        match self.wait_for(at) {
            Some(event) => self.feed(event).map(|()| true),
            None => Ok(false),
        }
    }

    /// Several have ended, and that is seen at one wake: each is waited for and told before the next is.
    pub(in crate::sim) fn reap_all(&mut self) -> Moved {
        let ended: Vec<_> = (0..self.processes.len())
            .filter(|at| matches!(self.processes[*at].run, Run::Zombie(_)))
            .collect();
        if ended.len() > 1 {
            self.seen.saw("several exits at one wake");
        }
        if self.saboteur.reaps_all_first() {
            let events: Vec<_> = ended.iter().filter_map(|at| self.wait_for(*at)).collect();
            for event in events {
                self.feed(event)?;
            }
            return Ok(!ended.is_empty());
        }
        for at in &ended {
            self.reap(*at)?;
        }
        Ok(!ended.is_empty())
    }

    /// The number of a process that was waited for is a stranger's at once, or free.
    fn wait_for(&mut self, at: usize) -> Option<Event> {
        let process = &mut self.processes[at];
        let Run::Zombie(status) = process.run else {
            return None;
        };
        process.run = Run::Reaped;
        let (worker, pid) = (process.id, process.pid);
        let stranger = self.rng.percent(50);
        self.kernel.processes.reap(pid, stranger);
        if stranger {
            self.seen.saw("a reaped worker's pid is a stranger's");
        }
        Some(Event::Exited { worker, status })
    }

    /// Accepts a batch from one socket, as long as the machine wants it.
    pub(in crate::sim) fn accept_from(&mut self, listener: ListenerId, batch: usize) -> Moved {
        let mut moved = false;
        for _ in 0..batch {
            let wanted = self.primary.is_accepting(listener);
            let full = self.kernel.copies() >= self.plan.primary_room;
            let Some(socket) = self.kernel.sockets.get_mut(&listener) else {
                break;
            };
            if !socket.polled || !wanted || socket.backlog.is_empty() {
                break;
            }
            moved = true;
            if full {
                self.seen.saw("accept failed for want of descriptors");
                let failure = if self.rng.percent(80) {
                    AcceptFailure::Descriptors
                } else {
                    AcceptFailure::Resource
                };
                self.feed(Event::AcceptFailed { listener, failure })?;
                break;
            }
            let Some(conn) = socket.backlog.pop_front() else {
                break;
            };
            self.accepted(listener, conn)?;
        }
        Ok(moved)
    }

    fn accepted(&mut self, listener: ListenerId, conn: ConnId) -> Result<(), Broken> {
        if !self.settling && self.plan.faults && self.rng.percent(2) {
            self.seen.saw("accept failed for one connection");
            let failure = AcceptFailure::Connection;
            self.kernel.conn_mut(conn).peer = Peer::Rst;
            return self.feed(Event::AcceptFailed { listener, failure });
        }
        self.tell_served(listener)?;
        self.kernel.open_copy(conn);
        let it = self.kernel.conn(conn);
        // A client that reset at once has no address any more.
        let peer = (!it.unix && it.peer != Peer::Rst).then(|| Client::of(conn).peer());
        let local = self.primary.needs_local(listener) && !it.unix;
        let local = local.then(|| std::net::SocketAddr::from(([10, 0, 0, 1], 80)));
        self.feed(Event::Accepted { listener, conn, peer, local })
    }

    /// Asks about what holds free workers up, as long as that shows something.
    fn tell_served(&mut self, listener: ListenerId) -> Result<(), Broken> {
        loop {
            let now = self.clock.now();
            let mut owed = Vec::new();
            self.primary.to_ask_about(now, listener, &mut owed);
            self.check_asked(&owed, listener)?;
            self.shell.asked.extend(owed.iter().map(|(worker, seq, _)| ((*worker, *seq), now)));
            owed.retain(|(.., conn)| self.kernel.conn(*conn).is_served());
            if owed.is_empty() {
                return Ok(());
            }
            self.seen.saw("held up by what was served already");
            for (worker, seq, _) in owed {
                self.feed(Event::Served { worker, seq })?;
            }
        }
    }

    /// It is asked about all that holds a free worker up, nothing else, and seldom enough.
    fn check_asked(&self, asked: &[(WorkerId, Seq, ConnId)], listener: ListenerId) -> Checked {
        let (now, pause) = (self.clock.now(), self.plan.limits.held_up);
        let mut wanted = self.account.held_up(listener, now, &self.plan);
        wanted.retain(|(worker, seq, _)| {
            self.shell.asked.get(&(*worker, *seq)).is_none_or(|at| now.since(*at) >= pause)
        });
        let same = wanted.len() == asked.len() && asked.iter().all(|it| wanted.contains(it));
        ensure(same, Check::C12Choice, || {
            format!("asked about {asked:?}, and {wanted:?} hold free workers up")
        })
    }
}
