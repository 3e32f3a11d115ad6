//! One worker's sockets and process, and what waits to be written to it.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use portcrew_core::{ConnId, Key, ListenerId, Seq};
use portcrew_ipc::channel::{Channel, Drained, Incoming, OutgoingHandle};
use portcrew_ipc::error::{ChannelError, LaneError, QueueError};
use portcrew_ipc::handle::HandleKind;
use portcrew_ipc::lane::{Answer, ConnRecord, LANE_BATCH, LaneEvent, LanePrimary, Sent};
use portcrew_ipc::message::{ClusterMessage, Inner, Packet};
use portcrew_ipc::process::Process;
use portcrew_ipc::reactor::wake_after_others;

use super::conns::Conns;
use super::handle::Shared;
use super::ready::{ReadySet, Source};
use crate::wire;

/// Tokens of sockets that users sent: above all sequence numbers.
pub(super) const USER_TOKEN: u64 = 1 << 63;

/// Everything that connects us to one worker.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) shared: Arc<Shared>,
    /// Where in the crew it belongs, if it is of one.
    pub(super) place: Option<super::fork::Place>,
    /// Connections that it took.
    pub(super) taken: u64,
    pub(super) process: Process,
    process_waker: Waker,
    channel: Option<Channel>,
    channel_waker: Waker,
    lane: Option<LanePrimary>,
    lane_waker: Waker,
    /// It said that it speaks the lane.
    speaks_lane: bool,
    /// The lane that it spoke has ended: the channel ends with it, once what it still holds was read.
    lane_is_over: bool,
    /// Connections for the lane that wait for the end of this turn, or for room.
    batch: Vec<(ConnRecord, ConnId)>,
    /// Offers that were still in the channel's outbox when it ended.
    unsent: Vec<u64>,
    next_user_token: u64,
    /// It was told to leave: when it has, nothing of it is to stay.
    pub(super) told_to_leave: bool,
    /// The machine was told that nothing more comes.
    pub(super) drained: bool,
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
        Self {
            shared,
            place: None,
            taken: 0,
            process,
            process_waker: ready.waker(Source::Process(id)),
            channel,
            channel_waker: ready.waker(Source::Channel(id)),
            lane,
            lane_waker: ready.waker(Source::Lane(id)),
            speaks_lane: false,
            lane_is_over: false,
            batch: Vec::new(),
            unsent: Vec::new(),
            next_user_token: USER_TOKEN,
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

    pub(super) fn poll_channel(&mut self) -> Poll<Option<Result<Incoming, ChannelError>>> {
        match &mut self.channel {
            Some(channel) if self.lane_is_over => Poll::Ready(match channel.try_recv() {
                Ok(Drained::Incoming(incoming)) => Some(Ok(incoming)),
                Ok(Drained::Empty | Drained::Ended) => None,
                Err(error) => Some(Err(error)),
            }),
            Some(channel) => channel.poll_recv(&mut Context::from_waker(&self.channel_waker)),
            None => Poll::Ready(None),
        }
    }

    pub(super) fn poll_lane(
        &mut self,
        answers: &mut Vec<Answer>,
    ) -> Poll<Result<LaneEvent, LaneError>> {
        match &mut self.lane {
            Some(lane) => lane.poll_answers(&mut Context::from_waker(&self.lane_waker), answers),
            None => Poll::Ready(Ok(LaneEvent::Closed)),
        }
    }

    pub(super) fn poll_exit(&mut self) -> Poll<io::Result<std::process::ExitStatus>> {
        let mut cx = Context::from_waker(&self.process_waker);
        if self.told_to_leave {
            ready!(self.process.poll_dead(&mut cx))?;
            // What it left behind in its group had the same grace, and would go on holding the port. Before
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
        let Some(channel) = &mut self.channel else {
            return Err(QueueError::Closed);
        };
        match handle {
            None => channel.queue(&Packet::Cluster(message), None),
            Some((kind, handle)) => {
                let packet = Packet::Handle { kind, inner: Inner::Cluster(message) };
                channel.queue(&packet, Some(handle))
            }
        }
    }

    /// Queues a user's message.
    pub(super) fn post(
        &mut self,
        message: crate::Message,
        handle: Option<(HandleKind, OwnedFd)>,
    ) -> Result<(), QueueError> {
        let Some(channel) = &mut self.channel else {
            return Err(QueueError::Closed);
        };
        match handle {
            None => channel.queue(&Packet::User(message), None),
            Some((kind, fd)) => {
                let token = self.next_user_token;
                self.next_user_token += 1;
                let handle = OutgoingHandle { fd: Arc::new(fd), token };
                channel.queue(&Packet::Handle { kind, inner: Inner::User(message) }, Some(handle))
            }
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

    /// Writes what waits. Errors that mean that the worker is gone are not reported here: its sockets'
    /// end is, when all that it sent has been read.
    pub(super) fn flush(&mut self, conns: &Conns) -> Written {
        let lane = self.flush_lane(conns);
        let Some(channel) = &mut self.channel else {
            return lane;
        };
        match channel.poll_flush(&mut Context::from_waker(&self.channel_waker)) {
            Poll::Ready(Err(ChannelError::System(_))) => Written::Later,
            Poll::Ready(Ok(()) | Err(_)) | Poll::Pending => lane,
        }
    }

    fn flush_lane(&mut self, conns: &Conns) -> Written {
        // A forged answer can settle a connection before it was even sent.
        self.batch.retain(|(_, conn)| conns.get(*conn).is_some());
        while let (Some(lane), false) = (&self.lane, self.batch.is_empty()) {
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
                    match lane.poll_writable(&mut Context::from_waker(&self.lane_waker)) {
                        Poll::Ready(Ok(())) => {}
                        // The waker brings us back when there is room.
                        Poll::Pending | Poll::Ready(Err(_)) => return Written::All,
                    }
                }
                Ok(Sent::TooManyInFlight) | Err(LaneError::System(_)) => return Written::Later,
                // The worker is gone. What is left here has certainly never been sent.
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
        self.shared.pending.close();
        if let Some(mut channel) = self.channel.take() {
            self.unsent = channel.take_unsent();
        }
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
        // Other tokens are those of users' sockets.
        let unsent = self.unsent.drain(..).filter(|token| *token < USER_TOKEN);
        batch.map(|(record, _)| record.seq).chain(unsent).map(Seq).collect()
    }

    /// Nothing more can come from the worker.
    pub(super) fn has_ended(&self) -> bool {
        self.channel.is_none() && self.lane.is_none()
    }

    /// Closes both sockets from our side.
    pub(super) fn close(&mut self) {
        self.end_channel();
        self.end_lane();
    }

    /// Asks to be looked at again, when the others had their turn.
    pub(super) fn wake_channel(&self) {
        if self.channel.is_some() {
            wake_after_others(&mut Context::from_waker(&self.channel_waker));
        }
    }

    pub(super) fn wake_lane(&self) {
        if self.lane.is_some() {
            self.lane_waker.wake_by_ref();
        }
    }
}
