//! One worker's sockets and process, and what waits to be written to it.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use portcrew_core::{ConnId, Key, ListenerId, Seq, Time};
use portcrew_ipc::channel::{Channel, OutgoingHandle};
use portcrew_ipc::error::{LaneError, QueueError};
use portcrew_ipc::handle::HandleKind;
use portcrew_ipc::lane::{
    Answer, Beat, ConnRecord, Ended, LANE_BATCH, LaneEvent, LanePrimary, Sent,
};
use portcrew_ipc::message::{self, ClusterMessage, Inner, Packet};
use portcrew_ipc::process::Process;
use portcrew_ipc::reactor::wake_after_others;

use super::conns::Conns;
use super::handle::Shared;
use super::ready::{ReadySet, Source};
use super::snapshot::Dialect;
use crate::link::{Heard, Received, Talk, USER_TOKENS};
use crate::{Message, wire};

/// The token of a listening socket that a worker asked for: above all sequence numbers.
pub(super) const SHARED_TOKEN: u64 = USER_TOKENS - 1;

/// Everything that connects us to one worker.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) shared: Arc<Shared>,
    /// Where in the crew it belongs, if it is of one.
    pub(super) place: Option<super::launcher::Place>,
    /// Who finds out how it is, beside its channel.
    pub(super) watch: Option<super::readiness::Watch>,
    /// Connections that it took.
    pub(super) taken: u64,
    pub(super) process: Process,
    process_waker: Waker,
    /// It was started without a channel: nothing is said to it or by it, and nothing is over before its process is.
    is_mute: bool,
    talk: Option<Talk>,
    channel_waker: Waker,
    lane: Option<LanePrimary>,
    lane_waker: Waker,
    /// It said that it speaks the lane.
    speaks_lane: bool,
    /// The lane that it spoke has ended: the channel ends with it, once what it still holds was read.
    lane_is_over: bool,
    /// Connections for the lane that wait for the end of this turn, or for room.
    batch: Vec<(ConnRecord, ConnId)>,
    /// A question whether its runtime turns, which waits for the end of this turn, or for room.
    question: Option<Beat>,
    /// Such questions so far.
    questions: u64,
    /// The number of the one that was written and is not answered.
    open: Option<u64>,
    /// What is held back from it for want of something that the primary lacks.
    held: Held,
    /// Offers that were still in the channel's outbox when it ended.
    unsent: Vec<u64>,
    /// It was told to leave: when it has, nothing of it is to stay.
    told_to_leave: bool,
    /// The machine was told that nothing more comes.
    pub(super) drained: bool,
}

/// Whether something for a worker is held back by the primary. That is not its fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Held {
    /// Nothing, since then.
    No(Time),
    /// Something.
    Yes,
}

/// What became of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Written {
    /// Everything went out, or waits for the peer.
    All,
    /// The kernel lacks memory or descriptors in flight: try again later.
    Later,
}

impl Link {
    pub(super) fn new(
        shared: Arc<Shared>,
        process: Process,
        channel: Option<Channel>,
        lane: Option<LanePrimary>,
        ready: &ReadySet,
    ) -> Self {
        let id = shared.id;
        let talk = channel.map(|channel| Talk::new(channel, Arc::clone(&shared.mailbox)));
        Self {
            shared,
            place: None,
            watch: None,
            taken: 0,
            process,
            is_mute: talk.is_none(),
            process_waker: ready.waker(Source::Process(id)),
            talk,
            channel_waker: ready.waker(Source::Channel(id)),
            lane,
            lane_waker: ready.waker(Source::Lane(id)),
            speaks_lane: false,
            lane_is_over: false,
            batch: Vec::new(),
            question: None,
            questions: 0,
            open: None,
            held: Held::No(Time::ZERO),
            unsent: Vec::new(),
            told_to_leave: false,
            drained: false,
        }
    }

    /// The worker's first word says whether it speaks the lane; without it the lane is no use to anybody.
    pub(super) fn agree_on_lane(&mut self, speaks: bool) {
        self.speaks_lane = speaks && self.lane.is_some();
        if !self.speaks_lane {
            self.lane = None;
        }
    }

    /// In which language it is handed connections; none once both its sockets have ended.
    pub(super) fn dialect(&self) -> Option<Dialect> {
        match (&self.talk, self.speaks_lane) {
            (_, true) => Some(Dialect::Lane),
            (Some(talk), false) => Some(match talk.dialect() {
                message::Dialect::Node => Dialect::Node,
                message::Dialect::Bun => Dialect::Bun,
            }),
            (None, false) => None,
        }
    }

    /// To be called before it is read or written: from then on its source is listed for what users send.
    pub(super) fn hang(&self) {
        if let Some(talk) = &self.talk {
            talk.hang(&self.channel_waker);
        }
    }

    /// Takes messages of its user that are read already and come next, `most` of them at most.
    pub(super) fn take_messages(&mut self, messages: &mut Vec<Message>, most: usize) -> usize {
        match &mut self.talk {
            Some(talk) if !self.lane_is_over => talk.take_messages(messages, most),
            Some(_) | None => 0,
        }
    }

    /// One of those as our user is to see it.
    pub(super) fn open(&self, message: Message) -> Option<Received> {
        self.talk.as_ref()?.open(message)
    }

    pub(super) fn poll_heard(&mut self) -> Poll<Heard> {
        let Some(talk) = &mut self.talk else {
            return Poll::Ready(Heard::End);
        };
        if self.lane_is_over {
            return Poll::Ready(talk.try_heard());
        }
        talk.poll_heard(&mut Context::from_waker(&self.channel_waker))
    }

    pub(super) fn poll_lane(
        &mut self,
        answers: &mut Vec<Answer>,
        ended: &mut Vec<Ended>,
        beats: &mut Vec<Beat>,
    ) -> Poll<Result<LaneEvent, LaneError>> {
        let mut cx = Context::from_waker(&self.lane_waker);
        match &mut self.lane {
            Some(lane) => lane.poll_answers(&mut cx, answers, ended, beats),
            None => Poll::Ready(Ok(LaneEvent::Closed)),
        }
    }

    pub(super) fn poll_exit(&mut self) -> Poll<io::Result<std::process::ExitStatus>> {
        let mut cx = Context::from_waker(&self.process_waker);
        if self.told_to_leave || self.is_mute {
            ready!(self.process.poll_dead(&mut cx))?;
            // What it left behind in its group had the same grace, and would go on holding the port. Where it was
            // started with sockets, what it left would go on taking connections from them, whatever it died of. Before
            // the reap, while the group's number is certainly its own; the error of an empty group is none.
            let _ = self.process.signal_group(super::Signal::Kill.number());
        }
        self.process.poll_exit(&mut cx)
    }

    /// Queues a cluster message, with a socket for the worker if it is to get one.
    pub(super) fn send(
        &mut self,
        message: ClusterMessage,
        handle: Option<(HandleKind, OutgoingHandle)>,
    ) -> Result<(), QueueError> {
        let Some(talk) = &mut self.talk else {
            return Err(QueueError::Closed);
        };
        match handle {
            None => talk.queue(&Packet::Cluster(message), None),
            Some((kind, handle)) => {
                let packet = Packet::Handle { kind, inner: Inner::Cluster(message) };
                talk.queue(&packet, Some(handle))
            }
        }
    }

    /// It is about to be told to leave: what its user has sent before comes before that.
    pub(super) fn tell_to_leave(&mut self) {
        self.told_to_leave = true;
        if let Some(talk) = &mut self.talk {
            talk.queue_all_posts();
        }
    }

    /// Hands a connection over: at the end of the turn by the lane, or by the channel.
    pub(super) fn offer(
        &mut self,
        seq: Seq,
        conn: ConnId,
        listener: ListenerId,
        key: &Key,
        conns: &Conns,
    ) -> Result<(), QueueError> {
        if self.speaks_lane {
            self.batch.push((ConnRecord { seq: seq.0, listener: listener.0 }, conn));
            return Ok(());
        }
        let Some(fd) = conns.get(conn) else {
            return Err(QueueError::HandleMismatch);
        };
        let handle = OutgoingHandle { fd: Arc::clone(fd), token: seq.0 };
        self.send(wire::encode_newconn(seq, key), Some((HandleKind::NetNative, handle)))
    }

    /// Asks it whether its runtime turns: at the end of the turn.
    pub(super) fn ask_for_beat(&mut self) {
        self.questions += 1;
        self.question = Some(Beat { number: self.questions });
    }

    /// Whether this is its answer to a question that is open, which it is no longer.
    pub(super) fn takes_beat(&mut self, beat: Beat) -> bool {
        self.open.take_if(|number| *number == beat.number).is_some()
    }

    /// Since when it owes an answer, of which the oldest offer is of `oldest`: since it could be sent. `None` while it
    /// may not have been.
    pub(super) fn owes_since(&self, oldest: Time) -> Option<Time> {
        match self.held {
            Held::No(since) => Some(oldest.max(since)),
            Held::Yes => None,
        }
    }

    /// Takes down what became of writing. True when a question was to be written and is given up: who was never asked
    /// need not answer.
    pub(super) fn wrote(&mut self, now: Time, written: Written) -> bool {
        match (written, self.held) {
            (Written::Later, _) => {
                self.held = Held::Yes;
                self.question.take().is_some()
            }
            (Written::All, Held::Yes) => {
                self.held = Held::No(now);
                false
            }
            (Written::All, Held::No(_)) => false,
        }
    }

    /// Writes what waits. Errors that mean that the worker is gone are not reported here: its sockets'
    /// end is, when all that it sent has been read.
    pub(super) fn flush(&mut self, conns: &Conns) -> Written {
        let lane = match self.flush_lane(conns) {
            Written::All => self.flush_question(),
            Written::Later => Written::Later,
        };
        let Some(talk) = &mut self.talk else {
            return lane;
        };
        let channel = talk.poll_write(&mut Context::from_waker(&self.channel_waker));
        if channel.later { Written::Later } else { lane }
    }

    fn flush_lane(&mut self, conns: &Conns) -> Written {
        // A forged answer can settle a connection before it was even sent.
        self.batch.retain(|(_, conn)| conns.get(*conn).is_some());
        while let (Some(lane), false) = (&mut self.lane, self.batch.is_empty()) {
            let count = self.batch.len().min(LANE_BATCH);
            let mut records = Vec::with_capacity(count);
            let mut sockets = Vec::with_capacity(count);
            for (record, conn) in &self.batch[..count] {
                let Some(socket) = conns.get(*conn) else {
                    continue;
                };
                records.push(*record);
                sockets.push(socket.as_fd());
            }
            match lane.try_offer(&records, &sockets) {
                Ok(Sent::All) => {
                    self.batch.drain(..count);
                }
                Ok(Sent::WouldBlock) => {
                    if let Some(written) = self.wait_for_room() {
                        return written;
                    }
                }
                Ok(Sent::TooManyInFlight) | Err(LaneError::System(_)) => return Written::Later,
                // The worker is gone. What is left here has certainly never been sent.
                Err(_) => return Written::All,
            }
        }
        Written::All
    }

    /// The lane is full. `None` when there is room again already.
    fn wait_for_room(&mut self) -> Option<Written> {
        match self.lane.as_mut()?.poll_writable(&mut Context::from_waker(&self.lane_waker)) {
            Poll::Ready(Ok(())) => None,
            // The waker brings us back when there is room.
            Poll::Pending => Some(Written::All),
            // There is nothing to wait with.
            Poll::Ready(Err(_)) => Some(Written::Later),
        }
    }

    /// Behind the connections: where they wait for room it waits too.
    fn flush_question(&mut self) -> Written {
        while let (Some(lane), Some(question), true) =
            (&mut self.lane, self.question, self.batch.is_empty())
        {
            match lane.try_ask(question) {
                Ok(Sent::All) => (self.question, self.open) = (None, Some(question.number)),
                Ok(Sent::WouldBlock) => {
                    if let Some(written) = self.wait_for_room() {
                        return written;
                    }
                }
                Ok(Sent::TooManyInFlight) | Err(LaneError::System(_)) => return Written::Later,
                // The worker is gone.
                Err(_) => return Written::All,
            }
        }
        Written::All
    }

    /// Whether an offer has certainly not left this process. To be asked when the channel has ended.
    pub(super) fn never_sent(&self, seq: Seq) -> bool {
        self.batch.iter().any(|(record, _)| record.seq == seq.0) || self.unsent.contains(&seq.0)
    }

    pub(super) fn end_channel(&mut self) {
        if let Some(mut talk) = self.talk.take() {
            self.unsent = talk.take_unsent();
        }
    }

    /// The worker says nothing more on the lane, also when it lives on with its end open: its end comes behind what it
    /// has said.
    pub(super) fn finish_lane(&mut self) {
        if let Some(lane) = &mut self.lane {
            // One that cannot be shut down has no other end.
            let _ = lane.shutdown();
        }
        self.wake_lane();
    }

    pub(super) fn end_lane(&mut self) {
        // A program that knows nothing of the lane may close it and use the channel.
        self.lane_is_over |= self.speaks_lane;
        self.lane = None;
        self.speaks_lane = false;
    }

    /// Takes back the offers that have not left this process and are still of interest. To be asked when lane
    /// and channel have ended.
    pub(super) fn take_unsent(&mut self, conns: &Conns) -> Vec<Seq> {
        let batch = self.batch.drain(..).filter(|(_, conn)| conns.get(*conn).is_some());
        // A listening socket is offered to nobody else.
        let unsent = self.unsent.drain(..).filter(|token| *token != SHARED_TOKEN);
        batch.map(|(record, _)| record.seq).chain(unsent).map(Seq).collect()
    }

    /// Nothing more can come from the worker.
    pub(super) fn has_ended(&self) -> bool {
        let lives_on = self.is_mute && !self.shared.has_exited();
        self.talk.is_none() && self.lane.is_none() && !lives_on
    }

    /// Whether it was started without a channel.
    pub(super) const fn is_mute(&self) -> bool {
        self.is_mute
    }

    /// Closes both sockets from our side.
    pub(super) fn close(&mut self) {
        self.end_channel();
        self.end_lane();
    }

    /// Asks to be looked at again, when the others had their turn.
    pub(super) fn wake_channel(&self) {
        if self.talk.is_some() {
            wake_after_others(&mut Context::from_waker(&self.channel_waker));
        }
    }

    pub(super) fn wake_lane(&self) {
        if self.lane.is_some() {
            self.lane_waker.wake_by_ref();
        }
    }
}
