//! From frames to what the caller is told, and the answers that the peer is owed on the way.

use std::os::fd::OwnedFd;

use super::outbox::{Answered, Outbox};
use crate::error::{FrameError, MessageError};
use crate::frame::{Frame, FrameDecoder};
use crate::handle::{Handle, HandleKind};
use crate::message::{
    ClusterMessage, Dialect, Inner, Packet, UserMessage, parse,
    plain_message as message_at_a_glance,
};
use crate::socket::Received;

/// Something that the peer sent.
#[derive(Debug)]
pub enum Incoming {
    /// A message of the peer's user code.
    User {
        /// The message.
        message: UserMessage,
        /// What was sent with it.
        handle: Option<Handle>,
    },
    /// A message of the cluster.
    Cluster {
        /// The message.
        message: ClusterMessage,
        /// What was sent with it. A handle message whose descriptor was lost on the way (this process has too
        /// many open) is delivered without one, and was acknowledged: a Node primary would never offer
        /// that connection again after a NACK, but does after `accepted: false`.
        handle: Option<Handle>,
    },
    /// The peer answered the oldest handle message that is under way.
    HandleAnswered {
        /// The caller's name for the handle.
        token: u64,
        /// Whether the descriptor arrived. If not, the peer dropped the message; a `net.Socket` of user code
        /// was sent again before, as often as
        /// [`handle_retries`](super::ChannelSettings::handle_retries) says.
        received: bool,
    },
    /// "How many sockets of this server do you hold?"
    SocketGetCount {
        /// The peer's name for the server.
        key: String,
    },
    /// "Tell me when you hold no socket of this server any more."
    SocketNotifyClose {
        /// The peer's name for the server.
        key: String,
    },
    /// The answer to a question of ours about sockets.
    SocketCount {
        /// The caller's name for the server.
        key: String,
        /// How many are open there.
        count: u64,
    },
    /// The answer to a wish of ours about sockets.
    SocketAllClosed {
        /// The caller's name for the server.
        key: String,
    },
    /// An internal message that this version does not know; Node ignores such.
    Unknown {
        /// Its command, cut to a length that is safe to log.
        cmd: String,
    },
    /// The peer broke a rule. The channel goes on; how many of these end it is the caller's decision.
    Offence(Offence),
}

/// A rule that the peer broke. Whatever it sent is dropped, descriptors closed.
#[derive(Debug)]
pub enum Offence {
    /// A line that is no message.
    BadLine(MessageError),
    /// An ACK or NACK, and no handle message of ours was waiting for one.
    SpuriousAnswer,
    /// A descriptor with a message that carries none. The message was delivered.
    UnwantedDescriptor,
    /// Descriptors that came with no line at all.
    SurplusDescriptors {
        /// How many.
        count: u64,
    },
    /// A handle message of a type that Node does not have. Answered with a NACK.
    UnknownHandleType {
        /// What the peer called it, cut to a length that is safe to log.
        name: String,
    },
}

/// The reading half.
#[derive(Debug)]
pub(super) struct Inbox {
    decoder: FrameDecoder<OwnedFd>,
    surplus_told: u64,
    /// What was met behind user messages that were taken together.
    first: Option<Incoming>,
    /// What one line led to besides what was returned for it.
    also: Option<Incoming>,
    lost_descriptors: u64,
}

impl Inbox {
    pub(super) fn new(frame_bytes: usize) -> Self {
        let decoder = FrameDecoder::new(frame_bytes);
        Self { decoder, surplus_told: 0, first: None, also: None, lost_descriptors: 0 }
    }

    /// Takes what one `recvmsg` brought.
    ///
    /// If descriptors were lost on the way, nobody knows which line lacks its own, so none of those that did
    /// arrive is trusted. (A peer that sends one per message loses nothing by this.)
    pub(super) fn push(&mut self, bytes: &[u8], received: Received) {
        if received.truncated {
            self.lost_descriptors += 1;
            self.decoder.push(bytes, []);
        } else {
            self.decoder.push(bytes, received.fds);
        }
    }

    /// The peer's end is closed: what it has begun and not finished is dropped, descriptors closed.
    pub(super) fn finish(&mut self) {
        self.decoder.finish();
    }

    /// How often descriptors were lost because this process had too many open.
    pub(super) const fn lost_descriptors(&self) -> u64 {
        self.lost_descriptors
    }

    /// The next thing to tell the caller. Answers owed to the peer are in `outbox` when this returns.
    pub(super) fn next<H>(
        &mut self,
        outbox: &mut Outbox<H>,
    ) -> Result<Option<Incoming>, FrameError> {
        loop {
            if let Some(incoming) = self.first.take().or_else(|| self.also.take()) {
                return Ok(Some(incoming));
            }
            let count = self.decoder.surplus() - self.surplus_told;
            if count > 0 {
                self.surplus_told += count;
                return Ok(Some(Incoming::Offence(Offence::SurplusDescriptors { count })));
            }
            let Some(Frame { bytes, fd }) = self.decoder.next()? else {
                return Ok(None);
            };
            let first = line(bytes, fd, outbox, &mut self.also);
            if first.is_some() {
                return Ok(first);
            }
        }
    }

    /// Takes the user messages that come next and have no handle, `most` of them at most. Says how many.
    pub(super) fn take_users<H>(
        &mut self,
        users: &mut Vec<UserMessage>,
        most: usize,
        outbox: &mut Outbox<H>,
    ) -> usize {
        let before = users.len();
        while users.len() - before < most
            && self.first.is_none()
            && self.also.is_none()
            && self.decoder.surplus() == self.surplus_told
        {
            // An error is met again.
            let Ok(Some(Frame { bytes, fd })) = self.decoder.next() else { break };
            if let Some(message) = message_at_a_glance(bytes).filter(|_| fd.is_none()) {
                users.push(message);
                continue;
            }
            match line(bytes, fd, outbox, &mut self.also) {
                Some(Incoming::User { message, handle: None }) => users.push(message),
                other => self.first = other,
            }
        }
        users.len() - before
    }
}

/// What one line leads to, and what else.
fn line<H>(
    bytes: &[u8],
    fd: Option<OwnedFd>,
    outbox: &mut Outbox<H>,
    also: &mut Option<Incoming>,
) -> Option<Incoming> {
    match parse(bytes) {
        Err(error) => Some(Incoming::Offence(Offence::BadLine(error))),
        Ok(Packet::Handle { kind, inner }) => handle_message(kind, inner, fd, outbox),
        Ok(packet) if fd.is_some() => {
            *also = plain_message(packet, outbox);
            Some(Incoming::Offence(Offence::UnwantedDescriptor))
        }
        Ok(packet) => {
            if matches!(packet, Packet::Cluster(_)) {
                outbox.speak(Dialect::of(bytes));
            }
            plain_message(packet, outbox)
        }
    }
}

/// A message with a descriptor, or one that should have had one. Exactly one answer is owed for each.
fn handle_message<H>(
    kind: HandleKind,
    inner: Inner,
    fd: Option<OwnedFd>,
    outbox: &mut Outbox<H>,
) -> Option<Incoming> {
    if let HandleKind::Unknown { name } = kind {
        outbox.answer(false);
        return Some(Incoming::Offence(Offence::UnknownHandleType { name }));
    }
    let handle = fd.map(|fd| Handle { kind, fd });
    let (received, incoming) = match (inner, handle) {
        (Inner::Cluster(message), handle) => (true, Some(Incoming::Cluster { message, handle })),
        (Inner::User(message), Some(handle)) => {
            (true, Some(Incoming::User { message, handle: Some(handle) }))
        }
        (Inner::Unknown { cmd }, Some(_unused)) => (true, Some(Incoming::Unknown { cmd })),
        // The sender tries again, or tells its user: delivering it without its handle would be wrong.
        (Inner::User(_) | Inner::Unknown { .. }, None) => (false, None),
    };
    outbox.answer(received);
    incoming
}

fn plain_message<H>(packet: Packet, outbox: &mut Outbox<H>) -> Option<Incoming> {
    Some(match packet {
        Packet::User(message) => Incoming::User { message, handle: None },
        Packet::Cluster(message) => Incoming::Cluster { message, handle: None },
        Packet::HandleAck => return answer_of_peer(true, outbox),
        Packet::HandleNack => return answer_of_peer(false, outbox),
        Packet::SocketGetCount { key } => Incoming::SocketGetCount { key },
        Packet::SocketNotifyClose { key } => Incoming::SocketNotifyClose { key },
        Packet::SocketCount { key, count } => Incoming::SocketCount { key, count },
        Packet::SocketAllClosed { key } => Incoming::SocketAllClosed { key },
        Packet::Unknown { cmd } => Incoming::Unknown { cmd },
        // Told apart before this is called; a handle message is never plain.
        Packet::Handle { .. } => Incoming::Unknown { cmd: "NODE_HANDLE".to_owned() },
    })
}

fn answer_of_peer<H>(received: bool, outbox: &mut Outbox<H>) -> Option<Incoming> {
    match outbox.answered(received) {
        Answered::Handle { token } => Some(Incoming::HandleAnswered { token, received }),
        Answered::Nothing => Some(Incoming::Offence(Offence::SpuriousAnswer)),
        // The caller hears how it ends.
        Answered::Again => None,
        // What it says was said before.
        Answered::Surplus => None,
    }
}

#[cfg(test)]
mod tests;
