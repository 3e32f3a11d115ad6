//! The task that drives a worker: collects what happened, asks the machine, performs what it answers.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use portcrew_core::worker::{Action, Carrier, Event, Worker};
use portcrew_core::{Key, Query, Seq, ServerId};
use portcrew_ipc::channel::{Channel, ChannelSettings};
use portcrew_ipc::message::{ClusterBody, ClusterMessage};
use tokio::sync::oneshot;

use super::Inflow;
use super::handover::{Conns, Handover};
use super::life::Life;
use super::orphaned;
use super::perform::taken_event;
use super::shared::{Command, Ends, Granted, Shared};
use crate::Result;
use crate::link::{Again, Heard, Talk};
use crate::net::refused::{Call, Refused};
use crate::wire::decode_to_worker;

/// Owns the channel, the lane and every connection that nobody has accepted yet. All its fields belong to
/// one task.
pub(super) struct Driver {
    pub(super) shared: Arc<Shared>,
    pub(super) machine: Worker,
    pub(super) talk: Talk,
    pub(super) handover: Handover,
    pub(super) conns: Conns,
    pub(super) servers: BTreeMap<ServerId, Server>,
    /// What the machine is still to be told; performing an action can add to it.
    pub(super) events: VecDeque<Event>,
    /// A socket that came with the message at hand.
    pub(super) socket: Option<OwnedFd>,
    /// How many workers the crew has, as the primary said last.
    pub(super) crew: Option<u32>,
    pub(super) leaving: Leaving,
    /// The kernel could not take what is to be written.
    pub(super) again: Again,
    /// How long this process may go on when its primary has died.
    grace: Option<Duration>,
    actions: Vec<Action>,
}

/// A listener, as the driver knows it.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) query: Query,
    pub(super) inflow: Arc<Inflow>,
    /// The user waits for it.
    pub(super) answer: Option<oneshot::Sender<Result<Granted, Refused>>>,
    /// What refuses it, if it is refused.
    pub(super) call: Call,
}

/// What is still to be done before the end.
#[derive(Debug, Default)]
pub(super) struct Leaving {
    /// The user is told at the next turn: whoever is in the middle of accepting goes first.
    pub(super) drain: bool,
    /// The machine was told that the user has finished.
    finished: bool,
    /// The channel is to be closed once everything is written.
    pub(super) close: bool,
    /// It closes the channel itself, or has: its end says nothing of the primary.
    pub(super) closes: bool,
    /// There is no channel any more.
    pub(super) ended: bool,
}

impl Driver {
    pub(super) fn new(shared: Arc<Shared>, ends: Ends) -> io::Result<Self> {
        let channel = Channel::from_fd(ends.channel, ChannelSettings::default())?;
        let handover = Handover::new(ends.lane)?;
        let mut events = VecDeque::new();
        events.push_back(Event::Started { lane: handover.has_lane() });
        Ok(Self {
            talk: Talk::new(channel, Arc::clone(&shared.mailbox)),
            machine: Worker::new(),
            handover,
            conns: Conns::default(),
            servers: BTreeMap::new(),
            events,
            socket: None,
            crew: None,
            leaving: Leaving::default(),
            again: Again::default(),
            grace: ends.grace,
            actions: Vec::new(),
            shared,
        })
    }

    fn turn(&mut self, cx: &mut Context<'_>) {
        self.shared.bell.hang(cx.waker());
        if std::mem::take(&mut self.leaving.drain) {
            self.shared.tell_to_drain();
        }
        self.commands();
        self.hear(cx);
        self.receive(cx);
        self.settle();
        self.check_finished();
        self.write(cx);
        if self.leaving.drain {
            cx.waker().wake_by_ref();
        }
    }

    /// Tells the machine everything that is on the list, and performs its answers.
    pub(super) fn decide(&mut self) {
        while let Some(event) = self.events.pop_front() {
            let mut actions = std::mem::take(&mut self.actions);
            self.machine.handle(event, &mut actions);
            for action in actions.drain(..) {
                self.perform(action);
            }
            self.actions = actions;
        }
    }

    fn commands(&mut self) {
        for command in self.shared.take_commands() {
            let event = match command {
                Command::Listen(wish) => {
                    let server = Server {
                        query: wish.query.clone(),
                        inflow: wish.inflow,
                        answer: Some(wish.answer),
                        call: Call::Bind,
                    };
                    self.servers.insert(wish.server, server);
                    Event::Listen { server: wish.server, query: wish.query }
                }
                Command::Close { server } => Event::CloseServer { server },
                Command::Leave => Event::Disconnect,
            };
            self.events.push_back(event);
        }
        self.decide();
    }

    fn hear(&mut self, cx: &mut Context<'_>) {
        while !self.leaving.ended {
            match self.talk.poll_heard(cx) {
                Poll::Pending => return,
                Poll::Ready(Heard::Cluster { message, socket }) => self.heard(message, socket),
                Poll::Ready(Heard::News(received)) => self.shared.arrivals.deliver(received),
                // A worker sends no socket of its own accord.
                Poll::Ready(Heard::Answered { .. }) => {}
                // The parent is trusted with this process's life; its mistakes are dropped one by one.
                Poll::Ready(Heard::Offence) => {}
                // What cannot be read any further is as good as its end.
                Poll::Ready(Heard::End | Heard::Broken) => self.events.push_back(Event::Eof),
            }
            self.decide();
            // One that came for a listener that was given up: closed before the primary hears of it, since its
            // port is not free while it is open here.
            self.socket = None;
        }
    }

    fn heard(&mut self, message: ClusterMessage, socket: Option<OwnedFd>) {
        let mut shared = socket.is_some();
        match &message.body {
            ClusterBody::NewConn { key } => {
                // Without a number it cannot be answered; only Bun leaves it out, and never here.
                let Some(seq) = message.seq else { return };
                let conn = socket.map(|socket| self.conns.add(socket));
                let carrier = Carrier::Channel(Key(key.as_str().to_owned()));
                self.events.push_back(Event::Offered { seq: Seq(seq), carrier, conn });
                return;
            }
            ClusterBody::Reply(reply) => {
                self.crew = reply.crew.or(self.crew);
                // Only a shared socket's reply says 0: this one has lost its descriptor on the way.
                shared |= reply.key.is_some()
                    && reply.errno == portcrew_ipc::message::ReplyErrno::Code(0);
            }
            ClusterBody::Online { .. }
            | ClusterBody::QueryServer(_)
            | ClusterBody::Listening(_)
            | ClusterBody::Close { .. }
            | ClusterBody::ExitedAfterDisconnect
            | ClusterBody::Disconnect
            | ClusterBody::Other { .. } => {}
        }
        self.socket = socket;
        if let Some(message) = decode_to_worker(message, shared) {
            self.events.push_back(Event::Message { message });
        }
    }

    /// What the users of the listeners did.
    fn settle(&mut self) {
        // Taken before what was taken: of each that has ended by now the machine knows already, or hears below, that
        // it was taken.
        let ended = self.shared.endings.take();
        let (mut taken, mut wanted, mut returned) = (Vec::new(), Vec::new(), Vec::new());
        for server in self.servers.values() {
            server.inflow.collect(&mut taken, &mut wanted);
            server.inflow.collect_returned(&mut returned);
        }
        self.events.extend(taken.into_iter().map(taken_event));
        self.events.extend(returned.into_iter().map(|conn| Event::Returned { conn }));
        let wanted = wanted.into_iter();
        self.events
            .extend(wanted.map(|(conn, tells)| Event::Wanted { conn, told: tells.is_yes() }));
        self.events.extend(ended.into_iter().map(|conn| Event::Ended { conn }));
        self.decide();
    }

    /// Planned or not: one that was told to leave has no primary either to see to it that it does.
    pub(super) fn mind_the_end_of_the_primary(&self) {
        if let (Some(grace), false) = (self.grace, self.leaving.closes) {
            orphaned::end_after(grace);
        }
    }

    /// A worker that leaves is told once that its user has finished.
    fn check_finished(&mut self) {
        if self.machine.is_leaving() && !self.leaving.finished && self.shared.is_finished() {
            self.leaving.finished = true;
            self.events.push_back(Event::Finished);
            self.decide();
        }
    }
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.turn(cx);
        if self.leaving.ended { Poll::Ready(()) } else { Poll::Pending }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        // Also when the runtime ends first: nobody may wait for a driver that is gone.
        self.shared.life.advance(Life::Leaving);
        for server in self.servers.values() {
            server.inflow.close_orphaned();
        }
        self.shared.end();
    }
}
