//! The primary's one task: it owns the machine, the sockets and the processes, and turns the wheel.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use portcrew_core::primary::{Action, Event, Primary};
use portcrew_core::{ConnId, Seq, Time, WorkerId};
use portcrew_ipc::lane::Answer;
use portcrew_ipc::reactor::wake_after_others;
use tokio::sync::mpsc::{UnboundedReceiver, WeakUnboundedSender};
use tokio::sync::oneshot;
use tokio::time::{Instant, Sleep};

use super::WorkerHandle;
use super::busy::Busy;
use super::command::Command;
use super::conns::Conns;
use super::counting::Counting;
use super::crew::CrewSeat;
use super::events::Events;
use super::giving_way::GivingWay;
use super::launcher::Launcher;
use super::link::Link;
use super::looking::Looking;
use super::opened::{Mode, Opened};
use super::policy::{Changes, Shown};
use super::ready::{ReadySet, Source};
use super::reserve::Reserve;
use super::retry::Retries;
use super::sockets::Sockets;
use super::spread::Spread;
use crate::Message;
use crate::net::accept::{self, Accept};
use crate::net::refused::Refused;

/// Rounds in one poll before other tasks of the runtime get their turn.
const ROUNDS: usize = 16;

/// Commands obeyed before the sources get their turn again.
const COMMAND_BATCH: usize = 64;

/// The workers that user handles can find.
#[derive(Debug, Default)]
pub(super) struct Registry {
    workers: Mutex<BTreeMap<WorkerId, WorkerHandle>>,
}

impl Registry {
    pub(super) fn lock(&self) -> MutexGuard<'_, BTreeMap<WorkerId, WorkerHandle>> {
        // Nothing panics while it holds this lock.
        self.workers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Everything that the primary owns.
pub(super) struct Driver {
    pub(super) machine: Primary,
    pub(super) crew: CrewSeat,
    pub(super) changes: Changes,
    /// What the cluster's handle says they are: policies that are undone are undone there too.
    pub(super) shown: Arc<Shown>,
    pub(super) busy: Busy,
    pub(super) launcher: Launcher,
    pub(super) links: BTreeMap<WorkerId, Link>,
    pub(super) registry: Arc<Registry>,
    pub(super) sockets: Sockets,
    /// Listeners of several sockets, beside what they have in common with others.
    pub(super) spread: Spread,
    /// What the user has opened, in the order of its numbers in a worker.
    pub(super) opened: Vec<Opened>,
    /// In which mode it is when the first worker gets it. None where workers ask for their sockets.
    pub(super) mode: Option<Mode>,
    /// Why a socket could not be had last.
    pub(super) refused: Option<Refused>,
    pub(super) conns: Conns,
    pub(super) looking: Looking,
    pub(super) counting: Counting,
    pub(super) ready: ReadySet,
    pub(super) reserve: Reserve,
    pub(super) accept_with: Accept,
    pub(super) events: Events,
    pub(super) commands: UnboundedReceiver<Command>,
    pub(super) command_sender: WeakUnboundedSender<Command>,
    /// What the machine wants done and nobody has done yet.
    pub(super) actions: Vec<Action>,
    /// Links with something to write.
    pub(super) dirty: Vec<WorkerId>,
    /// Workers whose channel or process has just ended: perhaps both.
    pub(super) ended: Vec<WorkerId>,
    /// Told when the last worker is gone.
    pub(super) all_gone: Vec<oneshot::Sender<()>>,
    pub(super) now: Time,
    /// What is tried again soon.
    pub(super) retries: Retries,
    /// Messages that are being read from a channel: empty between two reads.
    pub(super) messages: Vec<Message>,
    /// Answers that are being read from a lane: empty between two reads.
    pub(super) answers: Vec<Answer>,
    /// What holds workers up: empty between two looks at it.
    pub(super) owed: Vec<(WorkerId, Seq, ConnId)>,
    pub(super) giving_way: GivingWay,
    /// The user dropped the cluster: no worker is wanted.
    pub(super) abandoned: bool,
    origin: Instant,
    sleep: Pin<Box<Sleep>>,
    listed: Vec<Source>,
    spare: Vec<Action>,
}

/// What a driver is made of.
pub(super) struct Parts {
    pub(super) machine: Primary,
    pub(super) launcher: Launcher,
    pub(super) registry: Arc<Registry>,
    pub(super) shown: Arc<Shown>,
    pub(super) reserve: Reserve,
    pub(super) events: Events,
    pub(super) commands: UnboundedReceiver<Command>,
    pub(super) command_sender: WeakUnboundedSender<Command>,
}

impl Driver {
    /// Must be called inside a runtime with IO and time.
    pub(super) fn new(parts: Parts) -> Self {
        let origin = Instant::now();
        Self {
            machine: parts.machine,
            crew: CrewSeat::default(),
            changes: Changes::default(),
            shown: parts.shown,
            busy: Busy::default(),
            launcher: parts.launcher,
            links: BTreeMap::new(),
            registry: parts.registry,
            sockets: Sockets::default(),
            spread: Spread::default(),
            opened: Vec::new(),
            mode: None,
            refused: None,
            conns: Conns::default(),
            looking: Looking::default(),
            counting: Counting::default(),
            ready: ReadySet::default(),
            reserve: parts.reserve,
            accept_with: accept::accept,
            events: parts.events,
            commands: parts.commands,
            command_sender: parts.command_sender,
            actions: Vec::new(),
            dirty: Vec::new(),
            ended: Vec::new(),
            all_gone: Vec::new(),
            now: Time::ZERO,
            retries: Retries::default(),
            messages: Vec::new(),
            answers: Vec::new(),
            owed: Vec::new(),
            giving_way: GivingWay::default(),
            abandoned: false,
            origin,
            sleep: Box::pin(tokio::time::sleep_until(origin)),
            listed: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// When that was, on the machines' clock.
    pub(super) fn time_of(&self, at: Instant) -> Time {
        Time::from_origin(at.saturating_duration_since(self.origin))
    }

    /// Tells the machine what happened and does what it wants.
    pub(super) fn tell(&mut self, event: Event) {
        self.machine.handle(self.now, event, &mut self.actions);
        self.settle();
    }

    /// Performs until the machine wants nothing more. Performing can make things happen (a socket is
    /// bound, a proof is known), so this goes round.
    pub(super) fn settle(&mut self) {
        while !self.actions.is_empty() || !self.ended.is_empty() {
            let mut batch = std::mem::replace(&mut self.actions, std::mem::take(&mut self.spare));
            for action in batch.drain(..) {
                self.perform(action);
            }
            self.spare = batch;
            if self.actions.is_empty() {
                for worker in std::mem::take(&mut self.ended) {
                    self.forget_if_gone(worker);
                }
            }
        }
        self.tell_all_gone();
    }

    /// Has `worker`'s link written to at the end of the round.
    pub(super) fn mark_dirty(&mut self, worker: WorkerId) {
        if self.dirty.last() != Some(&worker) {
            self.dirty.push(worker);
        }
    }

    fn round(&mut self, cx: &mut Context<'_>) -> bool {
        self.now = Time::from_origin(Instant::now() - self.origin);
        let mut busy = self.take_ready();
        busy |= self.take_commands(cx);
        busy |= self.take_timeouts(cx);
        self.flush();
        busy
    }

    fn take_commands(&mut self, cx: &mut Context<'_>) -> bool {
        for taken in 0..COMMAND_BATCH {
            match self.commands.poll_recv(cx) {
                Poll::Ready(Some(command)) => self.obey(command),
                // The cluster says that it goes, and nobody has a worker's handle.
                Poll::Ready(None) | Poll::Pending => return taken > 0,
            }
        }
        true
    }

    fn take_ready(&mut self) -> bool {
        let mut listed = std::mem::take(&mut self.listed);
        self.ready.take(&mut listed);
        let busy = !listed.is_empty();
        // Listeners last: who is free is known before anything is given away.
        let is_listener = |source: &Source| matches!(source, Source::Listener(_));
        for source in listed.iter().filter(|it| !is_listener(it)) {
            self.visit(*source);
        }
        for source in listed.drain(..).filter(is_listener) {
            self.visit(source);
        }
        self.listed = listed;
        busy
    }

    fn take_timeouts(&mut self, cx: &mut Context<'_>) -> bool {
        self.watch_busy();
        let waits = [
            self.machine.next_timeout(),
            self.crew.next_timeout(),
            self.retries.at(),
            self.busy.next_timeout(),
            self.counting.next_timeout(),
        ];
        let Some(next) = waits.into_iter().flatten().min() else {
            return false;
        };
        if next > self.now {
            let at = self.origin + next.since_origin();
            if self.sleep.deadline() != at {
                self.sleep.as_mut().reset(at);
            }
            if self.sleep.as_mut().poll(cx).is_pending() {
                return false;
            }
            self.now = self.now.max(next);
        }
        self.try_again();
        self.look_busy();
        self.survey_now_and_then();
        self.machine.handle_timeout(self.now, &mut self.actions);
        self.settle();
        self.crew_timeout();
        true
    }

    fn flush(&mut self) {
        while let Some(worker) = self.dirty.pop() {
            if !self.retries.holds_back(worker) {
                self.flush_link(worker);
            }
        }
    }

    fn is_finished(&self) -> bool {
        self.abandoned && self.links.is_empty() && !self.retries.has_unreaped()
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driver = self.get_mut();
        driver.ready.register(cx.waker());
        for _ in 0..ROUNDS {
            let busy = driver.round(cx);
            if driver.is_finished() {
                return Poll::Ready(());
            }
            if busy {
                continue;
            }
            if driver.give_way() {
                break;
            }
            return Poll::Pending;
        }
        wake_after_others(cx);
        Poll::Pending
    }
}
