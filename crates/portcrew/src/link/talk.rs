//! The driver's half of a channel: reads, sorts, writes, and keeps user messages from delaying others.

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use portcrew_ipc::channel::{
    Channel, ChannelSettings, Drained, HANDLE_RETRIES, Incoming, OutgoingHandle,
};
use portcrew_ipc::error::{ChannelError, QueueError};
use portcrew_ipc::frame::FRAME_BYTES;
use portcrew_ipc::handle::{Handle as WireHandle, HandleKind};
use portcrew_ipc::message::{ClusterMessage, Dialect, Packet};
use portcrew_ipc::reactor::wake_after_others;
use tokio::sync::oneshot;

use super::held::Wish;
use super::lent::Lent;
use super::outgoing::{Outbound, Post, RUN_BYTES};
use super::{Mailbox, Received};
use crate::{Error, Message, OUTGOING_BYTES, OUTGOING_LIMIT, Result};

/// Bytes of user messages that are given to the channel at a time: a cluster message waits behind these at
/// most.
const BATCH_BYTES: usize = 64 * 1024;

/// How many times in one turn the channel is given more and written to, before others get their turn.
const BATCHES_PER_TURN: usize = 16;

/// Bytes of answers about connections that wait for a peer which asks and does not read. More is an offence.
const OWED_BYTES: usize = 64 * 1024;

/// Longest key under which connections of the other end are counted, in bytes. Node's are an address and a port, or a
/// path. A longer one is an offence, and the connection is not counted.
const KEY_BYTES: usize = 4096;

/// The tokens of sockets that users sent begin here. The driver's own are below.
pub(crate) const USER_TOKENS: u64 = 1 << 63;

/// The limits of a channel on which a farewell comes behind all that its user has sent: that much, beside what was
/// given to it before and what it needs to have room for one more.
pub(crate) fn farewell_settings() -> ChannelSettings {
    let usual = ChannelSettings::default();
    ChannelSettings {
        outbox_bytes: OUTGOING_BYTES + BATCH_BYTES + 3 * FRAME_BYTES,
        outbox_messages: usual.outbox_messages + OUTGOING_LIMIT,
        ..usual
    }
}

/// A channel with its mailbox.
#[derive(Debug)]
pub(crate) struct Talk {
    channel: Channel,
    mailbox: Arc<Mailbox>,
    /// The user's sockets that the other end has not answered, oldest first. One at a time, but for a farewell.
    under_way: VecDeque<UnderWay>,
    next_token: u64,
    lent: Lent,
    /// Answers about connections that wait for room.
    owed: VecDeque<Packet>,
    owed_bytes: usize,
    /// What one message led to besides what was told for it.
    also: Option<Heard>,
}

#[derive(Debug)]
struct UnderWay {
    token: u64,
    socket: Outbound,
}

/// What the driver has to look at.
#[derive(Debug)]
pub(crate) enum Heard {
    /// A message of the cluster.
    Cluster { message: ClusterMessage, socket: Option<OwnedFd> },
    /// Something for the user.
    News(Received),
    /// The answer to a socket of the driver's own.
    Answered { token: u64, received: bool },
    /// The other end broke a rule, or said what this version does not know.
    Offence,
    /// The other end sent what cannot be followed: there is no next message.
    Broken,
    /// The other end has closed the channel.
    End,
}

/// What became of writing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Written {
    /// Everything that the driver had queued is on its way, or nobody takes it any more: also when messages
    /// of the user wait again behind it.
    pub(crate) own: bool,
    /// So is everything that users have sent, and all of it is answered where an answer is due.
    all: bool,
    /// The kernel lacks memory or descriptors in flight, and will not say when it has them.
    pub(crate) later: bool,
}

impl Talk {
    pub(crate) fn new(channel: Channel, mailbox: Arc<Mailbox>) -> Self {
        Self {
            channel,
            mailbox,
            under_way: VecDeque::new(),
            next_token: USER_TOKENS,
            lent: Lent::default(),
            owed: VecDeque::new(),
            owed_bytes: 0,
            also: None,
        }
    }

    /// To be called before [`poll_write`](Self::poll_write): from then on `waker` is woken for what users send.
    pub(crate) fn hang(&self, waker: &Waker) {
        self.mailbox.hang(waker);
    }

    /// Reads on until there is something for the driver.
    pub(crate) fn poll_heard(&mut self, cx: &mut Context<'_>) -> Poll<Heard> {
        loop {
            if let Some(heard) = self.also.take() {
                return Poll::Ready(heard);
            }
            let incoming = match self.channel.poll_recv(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(None) => return Poll::Ready(Heard::End),
                Poll::Ready(Some(Err(_))) => return Poll::Ready(Heard::Broken),
                Poll::Ready(Some(Ok(incoming))) => incoming,
            };
            if let Some(heard) = self.take(incoming) {
                return Poll::Ready(heard);
            }
        }
    }

    /// Takes messages that are read already and come next, `most` of them at most: each is to be [opened](Self::open).
    pub(crate) fn take_messages(&mut self, messages: &mut Vec<Message>, most: usize) -> usize {
        if self.also.is_some() {
            return 0;
        }
        self.channel.take_messages(messages, most)
    }

    /// A message of those as its user is to see it; `None` for an answer, which went to whoever waits for it.
    pub(crate) fn open(&self, message: Message) -> Option<Received> {
        self.mailbox.open(message, None, None)
    }

    /// What is there already, of a peer from which nothing more is waited for.
    pub(crate) fn try_heard(&mut self) -> Heard {
        loop {
            if let Some(heard) = self.also.take() {
                return heard;
            }
            let heard = match self.channel.try_recv() {
                Ok(Drained::Incoming(incoming)) => self.take(incoming),
                Ok(Drained::Empty | Drained::Ended) => Some(Heard::End),
                Err(_) => Some(Heard::Broken),
            };
            if let Some(heard) = heard {
                return heard;
            }
        }
    }

    fn take(&mut self, incoming: Incoming) -> Option<Heard> {
        match incoming {
            Incoming::Cluster { message, handle } => {
                let socket = handle.map(|handle| handle.fd);
                Some(Heard::Cluster { message, socket })
            }
            Incoming::User { message, handle } => self.user(message, handle),
            Incoming::HandleAnswered { token, received } if token < USER_TOKENS => {
                Some(Heard::Answered { token, received })
            }
            Incoming::HandleAnswered { token, received } => self.answered(token, received),
            Incoming::SocketGetCount { key } => {
                let count = self.mailbox.count(&key) as u64;
                self.owe(key.len(), Packet::SocketCount { key, count })
            }
            Incoming::SocketNotifyClose { key } => match self.mailbox.wish(&key) {
                Wish::None => self.owe(key.len(), Packet::SocketAllClosed { key }),
                Wish::Later => None,
                Wish::TooMany => Some(Heard::Offence),
            },
            Incoming::SocketCount { key, count } => {
                self.lent.counted(&key, count);
                None
            }
            Incoming::SocketAllClosed { key } => {
                if self.lent.all_closed(&key) {
                    self.mailbox.forget_key(&key);
                }
                None
            }
            Incoming::Unknown { .. } | Incoming::Offence(_) => Some(Heard::Offence),
        }
    }

    /// A descriptor that is not what it was announced as is closed and is an offence; the message stands.
    fn user(&mut self, message: Message, handle: Option<WireHandle>) -> Option<Heard> {
        let key = handle.as_ref().and_then(|handle| match &handle.kind {
            HandleKind::NetSocket { key } => key.clone(),
            _ => None,
        });
        let handle = match handle.map(WireHandle::into_socket).transpose() {
            Ok(handle) => handle,
            Err(_) => {
                self.also = Some(Heard::Offence);
                None
            }
        };
        let counted = match key.filter(|_| handle.is_some()) {
            Some(key) if key.len() > KEY_BYTES => {
                self.also = Some(Heard::Offence);
                None
            }
            key => key.map(|key| self.mailbox.count_in(&key)),
        };
        self.mailbox.open(message, handle, counted).map(Heard::News)
    }

    /// The other end says whether a socket of the user arrived. If not, it has dropped the message with it, as
    /// often as it was sent.
    fn answered(&mut self, token: u64, received: bool) -> Option<Heard> {
        let place = self.under_way.iter().position(|it| it.token == token)?;
        let UnderWay { socket, .. } = self.under_way.remove(place)?;
        if received {
            if let Some(key) = socket.key() {
                self.lent.lend(key);
            }
            return None;
        }
        let tries = match socket.kind {
            HandleKind::NetSocket { .. } => HANDLE_RETRIES + 1,
            _ => 1,
        };
        let error = Error::HandleLost { handle: socket.describe(), tries };
        Some(Heard::News(Received::Error(error)))
    }

    fn owe(&mut self, bytes: usize, answer: Packet) -> Option<Heard> {
        if self.owed_bytes + bytes > OWED_BYTES {
            return Some(Heard::Offence);
        }
        // What is written around the key counts too, or empty keys would cost nothing.
        self.owed_bytes += bytes + size_of::<Packet>();
        self.owed.push_back(answer);
        None
    }

    /// How the other end writes cluster messages.
    pub(crate) const fn dialect(&self) -> Dialect {
        self.channel.dialect()
    }

    /// Queues a packet of the driver's own.
    pub(crate) fn queue(
        &mut self,
        packet: &Packet,
        handle: Option<OutgoingHandle>,
    ) -> std::result::Result<(), QueueError> {
        self.channel.queue(packet, handle)
    }

    /// Queues everything that users have sent so far, so that what is queued next comes after it. A channel with
    /// [`farewell_settings`] has room for it. What another has no room for stays where it is.
    pub(crate) fn queue_all_posts(&mut self) {
        while self.channel.has_room() && self.queue_post() {}
    }

    /// Writes what there is, the user's messages last. Of a user who never stops sending it writes a share, and
    /// the task is woken for the rest.
    pub(crate) fn poll_write(&mut self, cx: &mut Context<'_>) -> Written {
        let mut written = Written::default();
        for _ in 0..BATCHES_PER_TURN {
            match self.channel.poll_flush(cx) {
                Poll::Pending => return written,
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(ChannelError::System(_))) => {
                    return Written { later: true, ..written };
                }
                // The reader meets the end; until then nothing can be written.
                Poll::Ready(Err(_)) => {
                    self.mailbox.close_outgoing();
                    return Written { own: true, ..written };
                }
            }
            // Asked here, because a user who never stops sending leaves no other moment.
            written.own |= self.channel.is_idle();
            if !self.queue_owed() && !self.queue_posts() {
                return Written { all: self.channel.is_idle(), ..written };
            }
        }
        wake_after_others(cx);
        written
    }

    /// Gives the channel the next answers about connections. False when there are none.
    fn queue_owed(&mut self) -> bool {
        let mut any = false;
        while self.channel.waiting_bytes() < BATCH_BYTES {
            let all_closed =
                |key: Arc<str>| Packet::SocketAllClosed { key: key.as_ref().to_owned() };
            let next = self.owed.pop_front().or_else(|| self.mailbox.next_empty().map(all_closed));
            let Some(next) = next else { break };
            if self.owed.is_empty() {
                self.owed_bytes = 0;
            }
            // A channel that takes no more has nobody who waits for this.
            let _ = self.channel.queue(&next, None);
            any = true;
        }
        any
    }

    /// Gives the channel the next of the user's messages. False when there is none.
    fn queue_posts(&mut self) -> bool {
        let mut any = false;
        // Behind a socket nothing moves until it is answered: a second one would make the driver's own wait
        // for two.
        while self.under_way.is_empty()
            && self.channel.waiting_bytes() <= BATCH_BYTES - RUN_BYTES
            && self.queue_post()
        {
            any = true;
        }
        any
    }

    /// Gives the channel, which has room, the oldest of the user's messages. False when there is none.
    fn queue_post(&mut self) -> bool {
        let Some(post) = self.mailbox.take_post() else {
            return false;
        };
        let (packet, handle) = match post {
            Post::Lines(lines) => {
                // As below. However short they are, a batch has fewer than may wait.
                const { assert!(BATCH_BYTES / 2 < OUTGOING_LIMIT) };
                let _ = self.channel.queue_lines(&lines);
                self.mailbox.give_back(lines);
                return true;
            }
            Post::Socket { message, socket } => {
                let packet = socket.packet(message);
                (Some(packet), Some(self.send_off(socket)))
            }
            Post::Count { key, answer } => (self.lent_so_far(&key).count(&key, answer), None),
            Post::Close { key, answer } => (self.close(&key, answer), None),
        };
        if let Some(packet) = packet {
            // It has room, and the length was looked at when it was posted. A channel that is closed takes
            // nothing, and its end says so.
            let _ = self.channel.queue(&packet, handle);
        }
        true
    }

    fn close(&mut self, key: &str, answer: oneshot::Sender<Result<()>>) -> Option<Packet> {
        let lent = self.lent_so_far(key);
        let wish = lent.close(key, answer);
        if !lent.knows(key) {
            // All that was sent under it was lost, or nothing was.
            self.mailbox.forget_key(key);
        }
        wish
    }

    fn send_off(&mut self, socket: Outbound) -> OutgoingHandle {
        let token = self.next_token;
        self.next_token += 1;
        let fd = Arc::clone(&socket.fd);
        self.under_way.push_back(UnderWay { token, socket });
        OutgoingHandle { fd, token }
    }

    /// Also what is under way will have been lent when the other end reads the question.
    fn lent_so_far(&mut self, key: &str) -> &mut Lent {
        if self.under_way.iter().any(|it| it.socket.key() == Some(key)) {
            self.lent.lend(key);
        }
        &mut self.lent
    }

    /// Closes the writing side once everything is written and confirmed. False until then.
    pub(crate) fn poll_close(&mut self, cx: &mut Context<'_>) -> bool {
        if !self.poll_write(cx).all && self.channel.is_writable() {
            return false;
        }
        self.mailbox.close_outgoing();
        // The other end being gone already is what was wanted.
        let _ = self.channel.shutdown();
        true
    }

    /// Takes back the driver's own sockets of which the other end has got nothing: their tokens, in order.
    pub(crate) fn take_unsent(&mut self) -> Vec<u64> {
        let mut tokens = self.channel.take_unsent();
        tokens.retain(|token| *token < USER_TOKENS);
        tokens
    }
}

impl Drop for Talk {
    fn drop(&mut self) {
        self.mailbox.close();
    }
}
