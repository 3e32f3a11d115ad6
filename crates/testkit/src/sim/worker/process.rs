//! One worker process: what it has open, what it is about to do, and one small step of it at a time.
//!
//! A hand-over is cut into its smallest parts, and the process may die or stop between any two of them.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use portcrew_core::primary::{Exit, Origin};
use portcrew_core::worker::Verdict;
use portcrew_core::{
    Address, ConnId, Errno, FromWorker, Key, ListenerId, Query, Seq, ServerId, WorkerId,
};

use super::brain::Brain;
use crate::sim::kernel::{Kernel, Pid};
use crate::sim::link::{LaneWord, Link, Up};
use crate::sim::plan::{Manner, Plan, Point, Temper, announced, port_of};
use crate::sim::report::{Broken, Check, Checked, Coverage, ensure};
use crate::sim::words::Brief;

/// A process of the model.
#[derive(Debug)]
pub struct Process {
    /// Who it is.
    pub id: WorkerId,
    /// Its number in the process table.
    pub pid: Pid,
    /// Where it belongs.
    pub origin: Origin,
    /// How it behaves.
    pub temper: Temper,
    /// Whether it runs.
    pub run: Run,
    /// Its sockets, both ends.
    pub link: Link,
    pub(super) brain: Brain,
    pub(super) todo: VecDeque<Todo>,
    pub(super) batch: Vec<LaneWord>,
    /// Connections that the user has.
    pub hands: Vec<ConnId>,
    /// Connections that wait until the user accepts.
    pub(super) queue: VecDeque<Queued>,
    pub(super) wanted: Option<ConnId>,
    pub(super) offers: BTreeMap<Seq, ConnId>,
    pub(super) answered: BTreeSet<ConnId>,
    /// Connections of which it has said that it will tell the end.
    pub(super) telling: BTreeMap<ConnId, Seq>,
    /// Those that ended before the answer was out.
    pub(super) over_early: BTreeSet<ConnId>,
    pub(super) servers: Vec<Server>,
    pub(super) reply_listener: Option<ListenerId>,
    pub(super) draining: bool,
    pub(super) finished: bool,
    pub(super) heard_end: bool,
    pub(super) last_seq: Seq,
    /// It was killed, or fell: what it had taken is lost with it.
    pub was_hurt: bool,
    /// SIGTERM waits until it goes on.
    pub sigterm: bool,
    /// SIGKILL waits until it leaves the kernel.
    pub doomed: bool,
    /// Steps that it has done since it serves, or at all where it never will.
    pub(super) steps: u32,
}

/// How far a process has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Run {
    /// It runs.
    Running,
    /// It is stopped.
    Frozen,
    /// It has ended, and nobody has asked for its status.
    Zombie(Exit),
    /// It is gone.
    Reaped,
}

/// A listener as the process knows it.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) id: ServerId,
    pub(super) query: Query,
    pub(super) state: Serving,
    /// The user has not given it up.
    pub(super) wanted: bool,
    /// The user asked for it while it wanted another of the same key.
    pub(super) is_second: bool,
}

/// A connection between the socket and the user.
#[derive(Debug, Clone, Copy)]
pub(super) struct Queued {
    pub(super) server: ServerId,
    pub(super) conn: ConnId,
    /// It is to be answered before the user has it.
    pub(super) held: bool,
}

/// What the user may expect of a listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Serving {
    Asked,
    Open,
    Shared(ListenerId),
    Closed,
}

/// The next small step.
#[derive(Debug)]
pub(super) enum Todo {
    Say(FromWorker),
    Utter(Up),
    Answer(Seq, Verdict),
    Ended(Seq),
    Flush,
    Hold(ServerId, ConnId),
    Deliver(ServerId, ConnId),
    Drop(ConnId),
    Opened(ServerId),
    SetUp(ServerId, ListenerId),
    Refused(ServerId, Errno),
    /// It was given a key that it holds: Node's worker dies of an assertion.
    Assert(Key),
    /// It refuses what it should take.
    Refuses(ListenerId),
    /// It was handed what it accepts for itself, and does not survive that.
    Dies(ListenerId),
    Closed(ServerId),
    Drain,
    CloseChannel,
    Exit,
}

impl Process {
    /// A process that has just been started.
    pub fn start(id: WorkerId, pid: Pid, origin: Origin, temper: Temper, plan: &Plan) -> Self {
        let mut it = Self {
            id,
            pid,
            origin,
            temper,
            run: Run::Running,
            sigterm: false,
            doomed: false,
            steps: 0,
            link: Link {
                has_lane: temper.speaks == crate::sim::plan::Speaks::Lane,
                channel_room: plan.channel_room,
                lane_room: plan.lane_room,
                worker_end: true,
                primary_end: true,
                ..Link::default()
            },
            brain: Brain::of(temper.speaks),
            todo: VecDeque::new(),
            batch: Vec::new(),
            hands: Vec::new(),
            queue: VecDeque::new(),
            wanted: None,
            offers: BTreeMap::new(),
            answered: BTreeSet::new(),
            telling: BTreeMap::new(),
            over_early: BTreeSet::new(),
            servers: Vec::new(),
            reply_listener: None,
            draining: false,
            finished: false,
            heard_end: false,
            last_seq: Seq(0),
            was_hurt: false,
        };
        let actions = it.brain.start(it.link.has_lane);
        it.plan_all(actions);
        it
    }

    /// It runs and is not stopped.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.run == Run::Running
    }

    /// It has not ended.
    #[must_use]
    pub const fn is_alive(&self) -> bool {
        matches!(self.run, Run::Running | Run::Frozen)
    }

    /// It ends, by whatever hand. Its sockets close with it, unless a grandchild has them too.
    pub fn die(&mut self, exit: Exit) {
        self.run = Run::Zombie(exit);
        self.was_hurt |= exit != Exit::Code(0);
        self.hands.clear();
        self.queue.clear();
        self.todo.clear();
        self.batch.clear();
        if self.temper.manner != Manner::Bequeathing && self.link.worker_end {
            self.link.close_worker_end();
        }
    }

    /// It falls, if this is the point of its fall.
    pub(super) fn falls(&mut self, point: Point, seen: &mut Coverage) -> bool {
        if self.temper.manner != Manner::Crashing(point) {
            return false;
        }
        seen.saw(match point {
            Point::BeforeRead => "worker fell before it read an offer",
            Point::AfterRead => "worker fell after it read an offer",
            Point::AfterAnswer => "worker fell between answer and delivery",
            Point::AfterDeliver => "worker fell after delivery",
            Point::AfterPeek => "worker fell after it looked at bytes",
            Point::AfterByte => "worker fell after it read a byte",
            Point::AfterCork => "worker fell after a corked write",
        });
        self.die(Exit::Signal(9));
        true
    }

    /// One small step. Says whether there was one to do.
    ///
    /// # Errors
    /// When the worker's machine did what it must not.
    pub fn step(
        &mut self,
        kernel: &mut Kernel,
        seen: &mut Coverage,
        lane_first: bool,
    ) -> Result<bool, Broken> {
        if !self.is_running() {
            return Ok(false);
        }
        if self.ends_by_itself() {
            return Ok(true);
        }
        if self.todo.is_empty() {
            return Ok(self.finish() || self.read(lane_first, seen));
        }
        self.perform(kernel, seen)
    }

    fn finish(&mut self) -> bool {
        let idle = self.hands.is_empty() && self.queue.is_empty();
        let done = self.draining && idle && !self.finished;
        if done {
            self.finished = true;
            let actions = self.brain.finished();
            self.plan_all(actions);
        }
        done
    }

    fn perform(&mut self, kernel: &mut Kernel, seen: &mut Coverage) -> Result<bool, Broken> {
        if !self.has_room_for_next() {
            return Ok(false);
        }
        let Some(todo) = self.todo.pop_front() else {
            return Ok(false);
        };
        match todo {
            Todo::Say(FromWorker::Listening { query, port }) => {
                let query = announced(&query);
                self.utter(Up::Message(FromWorker::Listening { query, port }), seen);
            }
            Todo::Say(message) => self.utter(Up::Message(message), seen),
            Todo::Utter(up) => self.utter(up, seen),
            Todo::Answer(seq, verdict) => self.batch.push(LaneWord::Answer(seq, verdict)),
            Todo::Ended(seq) => self.batch.push(LaneWord::Ended(seq)),
            Todo::Flush => self.flush(kernel, seen),
            Todo::Hold(server, conn) => self.enqueue(server, conn, true)?,
            Todo::Deliver(server, conn) => self.deliver(server, conn, kernel, seen)?,
            Todo::Drop(_) => {}
            Todo::Opened(id) => self.mark(id, Serving::Open),
            Todo::SetUp(id, listener) => {
                self.mark(id, Serving::Shared(listener));
                let server = self.servers.iter().find(|it| it.id == id);
                let port = server.map_or(0, |it| port_of(&it.query));
                let actions = self.brain.shared_ready(id, port);
                self.plan_all(actions);
            }
            Todo::Refused(id, errno) => {
                self.check_refusal(id, errno)?;
                self.closed(id, seen);
                self.gives_up();
            }
            Todo::Assert(key) => ensure(false, Check::WorkerSide, || {
                format!("worker {} was given {} twice", self.id, key.0)
            })?,
            Todo::Refuses(listener) => ensure(false, Check::WorkerSide, || {
                format!("worker {} shares listener {listener} and refuses what is left", self.id)
            })?,
            Todo::Dies(listener) => ensure(false, Check::WorkerSide, || {
                format!("worker {} dies of a hand-over of listener {listener}", self.id)
            })?,
            Todo::Closed(id) => self.closed(id, seen),
            Todo::Drain => self.draining = true,
            Todo::CloseChannel => self.close_channel(),
            Todo::Exit => {
                // The primary closed the channel of a worker that had work: the work is lost with it.
                self.was_hurt |= !self.hands.is_empty();
                self.die(Exit::Code(0));
            }
        }
        Ok(true)
    }

    /// A key is refused as taken only to a user that holds it: one that was given up is free again, also when
    /// that was before its answer came. Whoever lies about what it holds may be refused.
    fn check_refusal(&self, id: ServerId, errno: Errno) -> Checked {
        let it = self.servers.iter().find(|it| it.id == id);
        let only = it.is_some_and(|it| !it.is_second) && self.temper.manner != Manner::Lying;
        ensure(errno != Errno::ADDRESS_IN_USE || !only, Check::WorkerSide, || {
            format!("worker {} is refused what it alone wants, once", self.id)
        })
    }

    /// A full socket makes the process wait; a closed one takes everything and keeps nothing.
    fn has_room_for_next(&self) -> bool {
        let link = &self.link;
        if !link.is_whole() {
            return true;
        }
        match self.todo.front() {
            Some(Todo::Say(_) | Todo::Utter(_)) => link.up.len() < link.channel_room,
            Some(Todo::Flush) => self.batch.is_empty() || link.answers.len() < link.lane_room,
            Some(_) | None => true,
        }
    }

    fn utter(&mut self, up: Up, seen: &mut Coverage) {
        let took = matches!(up, Up::Message(FromWorker::Answer { accepted: true, .. }));
        if let Up::Message(FromWorker::Answer { ack, .. }) = &up {
            self.answered.extend(self.offers.remove(ack));
        }
        if self.link.is_whole() {
            self.link.up.push_back(up);
        }
        if took && matches!(self.todo.front(), Some(Todo::Deliver(..))) {
            self.falls(Point::AfterAnswer, seen);
        }
    }

    fn close_channel(&mut self) {
        if self.refuse_what_the_lane_holds() {
            return;
        }
        self.link.close_worker_end();
        let actions = self.brain.end();
        self.heard_end = true;
        self.plan_all(actions);
    }

    pub(super) fn mark(&mut self, id: ServerId, state: Serving) {
        if let Some(it) = self.servers.iter_mut().find(|it| it.id == id) {
            it.state = state;
        }
    }
}

impl Process {
    /// It closes its channel and lives on. What it has read it still has.
    pub fn desert(&mut self) {
        self.link.close_worker_end();
        self.heard_end = true;
        self.was_hurt = true;
    }

    /// It has closed its channel.
    #[must_use]
    pub const fn has_deserted(&self) -> bool {
        !self.link.worker_end
    }

    /// It has no vice and met no accident, so it has no excuse either.
    #[must_use]
    pub fn is_good(&self) -> bool {
        matches!(self.temper.manner, Manner::Honest | Manner::Slow) && !self.was_hurt
    }

    /// Its user may be given connections of this listener.
    #[must_use]
    pub fn serves(&self, address: &Address) -> bool {
        let open = |it: &Server| matches!(it.state, Serving::Open | Serving::Shared(_));
        self.servers.iter().any(|it| open(it) && it.query.address == *address)
    }

    /// What it will do next, for the trace.
    #[must_use]
    pub fn next_step(&self) -> String {
        match self.todo.front() {
            None => "reads next".into(),
            Some(Todo::Say(message)) => format!("{} next", Brief(message)),
            Some(other) => format!("{other:?} next"),
        }
    }
}
