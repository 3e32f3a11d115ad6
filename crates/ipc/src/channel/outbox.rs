//! What waits to be written, in which order, and which descriptor goes with which byte. Pure.
//!
//! Lines are written in the order in which they are queued; only the answers to the peer's own handle messages pass.
//! What may be written behind a handle message that is not answered is the rule of [`on_the_way`](super::on_the_way);
//! a line that may not waits, with all behind it, for the next answer.
//!
//! A connection of user code that did not arrive is sent again, before everything that waits behind it. The
//! line is the same each time. (Node wraps it into a second handle message, and its own receiver then answers
//! twice, on which its own sender aborts. Written plainly it is answered once by everybody.)

use std::collections::VecDeque;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use super::lines::Lines;
use super::on_the_way::{Carried, Manner, OnTheWay, Retry};
use super::settings::ChannelSettings;
use crate::error::QueueError;
use crate::handle::HandleKind;
use crate::message::{Dialect, Inner, Packet, UserLines};

/// A descriptor to send with a message.
#[derive(Debug, Clone)]
pub struct OutgoingHandle<H = Arc<OwnedFd>> {
    /// The descriptor. A reference to it is held until the peer has answered.
    pub fd: H,
    /// The caller's name for it, given back with the answer.
    pub token: u64,
}

/// The queue of lines to write.
#[derive(Debug)]
pub(super) struct Outbox<H> {
    frame_limit: usize,
    byte_limit: usize,
    message_limit: usize,
    handle_retries: u32,
    /// Messages that may be written now.
    wire: Lines,
    /// Answers to the peer's handle messages. They go first, as soon as a line of `wire` ends.
    answers: Lines,
    on_the_way: OnTheWay<H>,
    /// Messages that wait for an answer to one of those.
    behind: VecDeque<Waiting<H>>,
    behind_bytes: usize,
    behind_lines: usize,
    /// Answers that may still come to a message that was sent more than once.
    surplus: u32,
    closed: bool,
    dialect: Dialect,
}

/// What an answer of the peer was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answered {
    /// The handle with this token, and nothing more is done about it.
    Handle { token: u64 },
    /// A handle that did not arrive and goes out again.
    Again,
    /// A message that was sent more than once and answered before: some peers answer each layer or each copy.
    Surplus,
    /// Nothing that was sent.
    Nothing,
}

#[derive(Debug)]
struct Waiting<H> {
    line: Vec<u8>,
    /// More than one where messages were queued together.
    lines: usize,
    manner: Manner,
    handle: Option<OutgoingHandle<H>>,
    retries: u32,
}

/// The next bytes to write. The descriptor goes with the first of them.
#[derive(Debug)]
pub(super) struct Chunk<'a, H> {
    pub(super) bytes: &'a [u8],
    pub(super) fd: Option<&'a H>,
}

impl<H> Outbox<H> {
    pub(super) fn new(settings: &ChannelSettings) -> Self {
        Self {
            frame_limit: settings.frame_bytes,
            byte_limit: settings.outbox_bytes,
            message_limit: settings.outbox_messages,
            handle_retries: settings.handle_retries,
            wire: Lines::default(),
            answers: Lines::default(),
            on_the_way: OnTheWay::new(settings),
            behind: VecDeque::new(),
            behind_bytes: 0,
            behind_lines: 0,
            surplus: 0,
            closed: false,
            dialect: Dialect::default(),
        }
    }

    /// Takes a message of the caller.
    pub(super) fn queue(
        &mut self,
        packet: &Packet,
        handle: Option<OutgoingHandle<H>>,
    ) -> Result<(), QueueError> {
        if self.closed {
            return Err(QueueError::Closed);
        }
        if packet.carries_handle() != handle.is_some() {
            return Err(QueueError::HandleMismatch);
        }
        self.check_count()?;
        // Nothing can wait for an answer that is not due.
        if self.on_the_way.is_empty() {
            self.queue_on_wire(packet, handle)
        } else {
            self.queue_behind(packet, handle)
        }
    }

    /// Takes messages of user code, all or none. Where there is room for one more they are not too many, however many
    /// they are.
    pub(super) fn queue_lines(&mut self, lines: &UserLines) -> Result<(), QueueError> {
        if self.closed {
            return Err(QueueError::Closed);
        }
        self.check_count()?;
        let (bytes, count) = (lines.as_bytes(), lines.count());
        self.check_room(lines.longest(), self.waiting_bytes() + bytes.len())?;
        if self.on_the_way.is_empty() {
            self.wire.append(bytes, count);
        } else {
            let (line, manner) = (bytes.to_vec(), Manner::Plain);
            self.push_behind(Waiting { line, lines: count, manner, handle: None, retries: 0 });
        }
        Ok(())
    }

    /// The peer's cluster messages are written in this way: ours are from here on.
    pub(super) const fn speak(&mut self, dialect: Dialect) {
        self.dialect = dialect;
    }

    pub(super) const fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Answers a handle message of the peer. Not limited: the caller reads no more while too many wait.
    pub(super) fn answer(&mut self, received: bool) {
        if self.closed {
            return;
        }
        let answer = if received { Packet::HandleAck } else { Packet::HandleNack };
        self.answers.encode(&answer, self.dialect);
    }

    /// Bytes of answers that are not written.
    pub(super) fn unwritten_answers(&self) -> usize {
        self.answers.rest().len()
    }

    /// What to write next, or `None` when all that may be written is.
    pub(super) fn front(&self) -> Option<Chunk<'_, H>> {
        let (bytes, fd) = if self.answers_are_next() {
            (self.answers.rest(), None)
        } else if self.unwritten_answers() > 0 {
            (self.wire.rest_of_line(), None)
        } else {
            self.front_of_wire()
        };
        (!bytes.is_empty()).then_some(Chunk { bytes, fd })
    }

    /// Notes that the first `count` bytes of [`front`](Self::front) are written.
    pub(super) fn advance(&mut self, count: usize) {
        if self.answers_are_next() {
            self.answers.advance(count);
            return;
        }
        if self.front_of_wire().1.is_some() && count > 0 {
            self.on_the_way.one_more_is_sent();
        }
        self.wire.advance(count);
    }

    /// The peer answered a handle message.
    pub(super) fn answered(&mut self, received: bool) -> Answered {
        let Some(carried) = self.on_the_way.take_answered(self.wire.position()) else {
            return self.surplus.checked_sub(1).map_or(Answered::Nothing, |left| {
                self.surplus = left;
                Answered::Surplus
            });
        };
        match carried.retry {
            Some(retry) if !received && retry.left > 0 && !self.closed => {
                self.send_again(carried.handle, retry);
                Answered::Again
            }
            Some(_) | None => {
                self.release();
                Answered::Handle { token: carried.handle.token }
            }
        }
    }

    /// Bytes that wait for the peer: to be written, or kept to be written again.
    pub(super) fn waiting_bytes(&self) -> usize {
        // One that is kept goes alone: what is left of its line on the wire is part of what is kept of it.
        let retry = self.on_the_way.oldest_sent().and_then(|it| it.retry.as_ref());
        let kept = retry.map_or(0, |retry| retry.line.len());
        self.wire.rest().len().max(kept) + self.behind_bytes
    }

    /// Whether a message as long as any may be would be taken now.
    pub(super) fn has_room(&self) -> bool {
        let longest = self.frame_limit + 1;
        !self.closed
            && self.check_count().is_ok()
            && self.waiting_bytes() + longest <= self.byte_limit
    }

    /// The token of the oldest handle that is sent and not answered.
    pub(super) fn in_flight(&self) -> Option<u64> {
        self.on_the_way.oldest_sent().map(|it| it.handle.token)
    }

    /// Whether nothing waits, neither for room nor for an answer.
    pub(super) fn is_idle(&self) -> bool {
        self.front().is_none() && self.on_the_way.is_empty()
    }

    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }

    /// Drops the lines that wait and takes nothing more. The tokens of handles that are not sent stay, to be
    /// taken back.
    pub(super) fn close(&mut self) {
        self.closed = true;
        // An answer that the peer gave before it left still counts.
        self.wire.clear();
        self.answers = Lines::default();
        self.behind.retain(|waiting| waiting.handle.is_some());
        for waiting in &mut self.behind {
            waiting.line = Vec::new();
        }
        self.count_behind();
    }

    /// The tokens of the handles of which the peer got nothing, in order. Their messages are dropped.
    pub(super) fn take_unsent(&mut self) -> Vec<u64> {
        let mut unsent = self.on_the_way.take_unsent();
        if !self.closed {
            // From the last one, so that those before it stay in their places.
            unsent.iter().rev().for_each(|it| self.wire.cut_out(it.begin, it.length));
        }
        let on_wire = unsent.drain(..).map(|it| it.handle.token);
        let behind = self.behind.iter().filter_map(|waiting| waiting.handle.as_ref());
        let tokens = on_wire.chain(behind.map(|handle| handle.token)).collect();
        self.behind.retain(|waiting| waiting.handle.is_none());
        self.count_behind();
        self.release();
        tokens
    }

    /// The front of the wire. The handle's line goes alone: a receiver gives the descriptor to the last line
    /// that began in its read.
    fn front_of_wire(&self) -> (&[u8], Option<&H>) {
        let rest = self.wire.rest();
        let Some(next) = self.on_the_way.first_unsent().filter(|_| !self.closed) else {
            return (rest, None);
        };
        match self.wire.distance(next.begin) {
            0 => (&rest[..next.length], Some(&next.handle.fd)),
            before => (&rest[..before], None),
        }
    }

    fn queue_on_wire(
        &mut self,
        packet: &Packet,
        handle: Option<OutgoingHandle<H>>,
    ) -> Result<(), QueueError> {
        let length = self.wire.encode(packet, self.dialect);
        if let Err(error) = self.check_room(length, self.wire.rest().len()) {
            self.wire.take_back(length);
            return Err(error);
        }
        if let Some(handle) = handle {
            let rest = self.wire.rest();
            let line = &rest[rest.len() - length..];
            let retry = retry(self.retries_for(packet), || line.to_vec());
            self.put_on_the_way(Manner::of(packet, length), length, handle, retry);
        }
        Ok(())
    }

    fn queue_behind(
        &mut self,
        packet: &Packet,
        handle: Option<OutgoingHandle<H>>,
    ) -> Result<(), QueueError> {
        let mut line = Vec::new();
        packet.encode_for(self.dialect, &mut line);
        self.check_room(line.len(), self.waiting_bytes() + line.len())?;
        let (manner, retries) = (Manner::of(packet, line.len()), self.retries_for(packet));
        self.push_behind(Waiting { line, lines: 1, manner, handle, retries });
        Ok(())
    }

    fn push_behind(&mut self, waiting: Waiting<H>) {
        self.behind_bytes += waiting.line.len();
        self.behind_lines += waiting.lines;
        self.behind.push_back(waiting);
        self.release();
    }

    /// Some of them were taken out.
    fn count_behind(&mut self) {
        self.behind_bytes = self.behind.iter().map(|waiting| waiting.line.len()).sum();
        self.behind_lines = self.behind.iter().map(|waiting| waiting.lines).sum();
    }

    /// A line that has begun is finished before the answers go, and answers that have begun before a line.
    fn answers_are_next(&self) -> bool {
        self.unwritten_answers() > 0 && self.wire.rest_of_line().is_empty()
    }

    fn check_count(&self) -> Result<(), QueueError> {
        if self.wire.count() + self.behind_lines >= self.message_limit {
            return Err(QueueError::FullOfMessages { limit: self.message_limit });
        }
        Ok(())
    }

    fn check_room(&self, line: usize, total: usize) -> Result<(), QueueError> {
        if line > self.frame_limit + 1 {
            return Err(QueueError::TooLong { limit: self.frame_limit });
        }
        if total > self.byte_limit {
            return Err(QueueError::FullOfBytes { limit: self.byte_limit });
        }
        Ok(())
    }

    /// Moves what need not wait any longer to the wire.
    fn release(&mut self) {
        while let Some(next) = self.behind.front() {
            let end = self.wire.end() + next.line.len() as u64;
            if !self.on_the_way.admits(next.manner, end) {
                return;
            }
            let Some(Waiting { line, lines, manner, handle, retries }) = self.behind.pop_front()
            else {
                return;
            };
            self.behind_bytes -= line.len();
            self.behind_lines -= lines;
            self.wire.append(&line, lines);
            if let Some(handle) = handle {
                self.put_on_the_way(manner, line.len(), handle, retry(retries, || line));
            }
        }
    }

    fn send_again(&mut self, handle: OutgoingHandle<H>, mut retry: Retry) {
        retry.left -= 1;
        self.surplus = self.surplus.saturating_add(1);
        self.wire.append(&retry.line, 1);
        self.put_on_the_way(Manner::Alone, retry.line.len(), handle, Some(retry));
    }

    /// Notes that the last line on the wire, `length` bytes long, carries a descriptor.
    fn put_on_the_way(
        &mut self,
        manner: Manner,
        length: usize,
        handle: OutgoingHandle<H>,
        retry: Option<Retry>,
    ) {
        let begin = self.wire.end() - length as u64;
        self.on_the_way.push(Carried { begin, length, handle, manner, retry });
    }

    /// Node's rule: what is shared is not sent again, only what is given away.
    const fn retries_for(&self, packet: &Packet) -> u32 {
        match packet {
            Packet::Handle { kind: HandleKind::NetSocket { .. }, inner: Inner::User(_) } => {
                self.handle_retries
            }
            _ => 0,
        }
    }
}

fn retry(left: u32, line: impl FnOnce() -> Vec<u8>) -> Option<Retry> {
    (left > 0).then(|| Retry { line: line(), left })
}

#[cfg(test)]
mod tests;
