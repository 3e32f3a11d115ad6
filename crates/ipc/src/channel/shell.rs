//! The channel on a socket: reads, writes, and the share of time that one peer may take.

use std::future::poll_fn;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::task::{Context, Poll};

use rustix::net::{Shutdown, shutdown};

use super::inbox::{Inbox, Incoming};
use super::outbox::{Chunk, Outbox, OutgoingHandle};
use super::settings::ChannelSettings;
use crate::error::{ChannelError, QueueError};
use crate::message::{Dialect, Packet, UserLines, UserMessage};
use crate::reactor::{AsyncOwnedFd, wake_after_others};
use crate::socket::{self, Received};
use crate::unread::{has_read_all, is_hung_up};

/// Bytes asked for in one read.
const READ_BYTES: usize = 32 * 1024;

/// Bytes of unwritten answers above which nothing more is read: what the peer sends without reading would need
/// ever more answers, and those would pile up here. Other unwritten bytes must not hinder reading, or two ends
/// that both have much to say would wait for each other for ever.
const UNREAD_ANSWERS_BYTES: usize = 64 * 1024;

/// One end of Node's channel.
///
/// All methods belong to one task: the channel remembers one waker for each direction. Dropping it closes
/// the descriptor, which the peer sees as `disconnect`.
#[derive(Debug)]
pub struct Channel {
    io: AsyncOwnedFd,
    settings: ChannelSettings,
    inbox: Inbox,
    outbox: Outbox<Arc<OwnedFd>>,
    /// Something was written since the last descriptor that the peer may not have read.
    may_be_unread: bool,
    read_buffer: Box<[u8]>,
    reading: Reading,
    turn: Turn,
}

/// What a channel that is no longer waited for still had to say.
#[derive(Debug)]
pub enum Drained {
    /// Something that the peer had sent.
    Incoming(Incoming),
    /// Nothing is there now, but the other end is open: by the peer, or by a process that inherited it.
    Empty,
    /// Everything was read and nobody can send more.
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Open,
    /// The peer's end is closed. What was read before is still to be told.
    Ended,
    /// The peer sent what cannot be followed, or the kernel refused. That was told, and nothing comes after.
    Failed,
}

/// How much one turn has taken.
#[derive(Debug, Default)]
struct Turn {
    bytes: usize,
    messages: usize,
}

impl Channel {
    /// Takes one end of a Unix stream socket pair.
    ///
    /// # Errors
    /// There is no tokio runtime, or the descriptor cannot be polled.
    ///
    /// # Panics
    /// The current runtime was built without its IO driver.
    pub fn from_fd(fd: OwnedFd, settings: ChannelSettings) -> io::Result<Self> {
        Ok(Self {
            io: AsyncOwnedFd::new(fd)?,
            inbox: Inbox::new(settings.frame_bytes),
            outbox: Outbox::new(&settings),
            may_be_unread: false,
            read_buffer: vec![0; READ_BYTES].into_boxed_slice(),
            reading: Reading::Open,
            turn: Turn::default(),
            settings,
        })
    }

    /// The next thing from the peer; `None` when it has closed its end and all that it sent was returned.
    /// What is queued is written along the way.
    ///
    /// When the peer has had its share of this turn, this is `Pending`, and the task is woken when the runtime
    /// has looked at everything else.
    ///
    /// # Errors
    /// The peer sent too long a line, or the kernel refused to read. After an error comes `None`.
    pub fn poll_recv(
        &mut self,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Incoming, ChannelError>>> {
        loop {
            if self.turn.is_spent(&self.settings) {
                self.turn = Turn::default();
                wake_after_others(cx);
                return Poll::Pending;
            }
            if self.reading == Reading::Failed {
                return Poll::Ready(None);
            }
            if let Some(next) = self.next_read().transpose() {
                self.turn.messages += 1;
                return Poll::Ready(Some(next));
            }
            if self.reading == Reading::Ended {
                return Poll::Ready(None);
            }
            let flushed = self.poll_flush(cx);
            if self.outbox.unwritten_answers() > UNREAD_ANSWERS_BYTES {
                if flushed.is_ready() {
                    // The kernel refused, and nobody tells when it will not.
                    wake_after_others(cx);
                }
                return Poll::Pending;
            }
            let (buffer, room) = (&mut self.read_buffer, READ_BYTES);
            let read = |fd: BorrowedFd<'_>| socket::recv_past_reset(fd, buffer);
            match self.io.poll_read_all_io(cx, read, |it| it.is_all(room)) {
                Poll::Pending => {
                    self.turn = Turn::default();
                    return Poll::Pending;
                }
                Poll::Ready(Ok(received)) => self.take_read(received),
                Poll::Ready(Err(error)) => return Poll::Ready(Some(Err(self.fail(error)))),
            }
        }
    }

    /// As [`poll_recv`](Self::poll_recv).
    ///
    /// Cancel safe: nothing is taken from the channel before it is returned.
    pub async fn recv(&mut self) -> Option<Result<Incoming, ChannelError>> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Takes messages of user code that have no handle, are read already and come next, `most` of them at most: what needs
    /// nothing but to be passed on. They count as [received](Self::poll_recv). Says how many: none, too, once so many were
    /// received that others are to have their turn, which `poll_recv` then gives them.
    pub fn take_messages(&mut self, messages: &mut Vec<UserMessage>, most: usize) -> usize {
        if self.reading == Reading::Failed || self.turn.is_spent(&self.settings) {
            return 0;
        }
        let taken = self.inbox.take_users(messages, most, &mut self.outbox);
        self.turn.messages += taken;
        self.flush_answers();
        taken
    }

    /// Reads without waiting and without a share: for the channel of a peer that is dead, whose last words
    /// count.
    ///
    /// # Errors
    /// As [`poll_recv`](Self::poll_recv).
    pub fn try_recv(&mut self) -> Result<Drained, ChannelError> {
        loop {
            if self.reading == Reading::Failed {
                return Ok(Drained::Ended);
            }
            if let Some(incoming) = self.next_read()? {
                return Ok(Drained::Incoming(incoming));
            }
            if self.reading == Reading::Ended {
                return Ok(Drained::Ended);
            }
            let buffer = &mut self.read_buffer;
            match self.io.try_read_io(|fd| socket::recv_past_reset(fd, buffer)) {
                Ok(received) => self.take_read(received),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    return Ok(Drained::Empty);
                }
                Err(error) => return Err(self.fail(error)),
            }
        }
    }

    /// Takes a message to be written by the next [`poll_flush`](Self::poll_flush) or
    /// [`poll_recv`](Self::poll_recv). Writes nothing itself, so that the messages of one turn share a system
    /// call. `handle` is given exactly with [`Packet::Handle`].
    ///
    /// # Errors
    /// A limit is reached, the channel is closed, or message and handle do not belong together. The message
    /// is not taken.
    pub fn queue(
        &mut self,
        packet: &Packet,
        handle: Option<OutgoingHandle>,
    ) -> Result<(), QueueError> {
        self.outbox.queue(packet, handle)
    }

    /// As [`queue`](Self::queue), for messages of user code that are written one behind the other. All are taken, or none;
    /// and all, where there is room for one more.
    ///
    /// # Errors
    /// As [`queue`](Self::queue).
    pub fn queue_lines(&mut self, lines: &UserLines) -> Result<(), QueueError> {
        self.outbox.queue_lines(lines)
    }

    /// Writes what may be written now. Ready when that is done; messages that may not follow an unanswered handle
    /// wait for [`poll_recv`](Self::poll_recv) to see the answer.
    ///
    /// # Errors
    /// [`PeerGone`](ChannelError::PeerGone) when nobody reads any more: then nothing can be queued, but what
    /// the peer had sent can still be received. [`System`](ChannelError::System) leaves everything queued.
    pub fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), ChannelError>> {
        if self.outbox.is_closed() {
            return Poll::Ready(Err(ChannelError::PeerGone));
        }
        while let Some(chunk) = self.outbox.front() {
            let may_be_unread = self.may_be_unread;
            match self.io.poll_write_io(cx, |fd| write(fd, &chunk, may_be_unread)) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(count)) => {
                    self.may_be_unread = chunk.fd.is_none();
                    self.outbox.advance(count);
                }
                Poll::Ready(Err(error)) => return Poll::Ready(Err(self.write_failed(error))),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes what may be written now, without waiting. True when that is done.
    ///
    /// # Errors
    /// As [`poll_flush`](Self::poll_flush).
    pub fn try_flush(&mut self) -> Result<bool, ChannelError> {
        if self.outbox.is_closed() {
            return Err(ChannelError::PeerGone);
        }
        while let Some(chunk) = self.outbox.front() {
            let may_be_unread = self.may_be_unread;
            match self.io.try_write_io(|fd| write(fd, &chunk, may_be_unread)) {
                Ok(count) => {
                    self.may_be_unread = chunk.fd.is_none();
                    self.outbox.advance(count);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(self.write_failed(error)),
            }
        }
        Ok(true)
    }

    /// Queues a message and waits until what may be written is written.
    ///
    /// Cancel safety: the message is queued as soon as this is first polled. Cancelled later, it stays queued
    /// and goes out with the next flush or receive.
    ///
    /// # Errors
    /// As [`queue`](Self::queue) and [`poll_flush`](Self::poll_flush), as an `io::Error`.
    pub async fn send(
        &mut self,
        packet: &Packet,
        handle: Option<OutgoingHandle>,
    ) -> io::Result<()> {
        self.queue(packet, handle)?;
        poll_fn(|cx| self.poll_flush(cx)).await?;
        Ok(())
    }

    /// Whether nothing waits to be written or answered. Node closes a channel only then.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.outbox.is_idle()
    }

    /// Bytes that wait: for the peer to read them, or for its answer to a handle before them.
    #[must_use]
    pub fn waiting_bytes(&self) -> usize {
        self.outbox.waiting_bytes()
    }

    /// Whether [`queue`](Self::queue) takes the next message, however long it is within the limit for lines.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.outbox.has_room()
    }

    /// Whether messages can still be queued.
    #[must_use]
    pub const fn is_writable(&self) -> bool {
        !self.outbox.is_closed()
    }

    /// The token of the oldest handle whose descriptor was sent and that the peer has not answered.
    #[must_use]
    pub fn in_flight(&self) -> Option<u64> {
        self.outbox.in_flight()
    }

    /// Takes back the handles of which the peer has got nothing: their tokens, in order.
    pub fn take_unsent(&mut self) -> Vec<u64> {
        self.outbox.take_unsent()
    }

    /// How the peer writes cluster messages, by the last one that it sent; Node's way before the first.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.outbox.dialect()
    }

    /// How often descriptors of the peer were lost because this process has as many open as it may.
    #[must_use]
    pub const fn lost_descriptors(&self) -> u64 {
        self.inbox.lost_descriptors()
    }

    /// Tells the peer that no more will come; it will close its end, which ends [`recv`](Self::recv). What is
    /// queued is dropped: wait for [`is_idle`](Self::is_idle) first.
    ///
    /// # Errors
    /// Never in practice: the peer being gone already is success.
    pub fn shutdown(&mut self) -> io::Result<()> {
        self.outbox.close();
        match shutdown(&self.io, Shutdown::Write) {
            Ok(()) | Err(rustix::io::Errno::NOTCONN) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
    }

    /// The next thing among the bytes read already. The answers that it owes the peer are written first, if
    /// there is room.
    fn next_read(&mut self) -> Result<Option<Incoming>, ChannelError> {
        let next =
            self.inbox.next(&mut self.outbox).inspect_err(|_| self.reading = Reading::Failed)?;
        self.flush_answers();
        Ok(next)
    }

    fn flush_answers(&mut self) {
        if self.outbox.unwritten_answers() > 0 {
            // Whatever hinders this is met again, and reported, by the next flush.
            let _ = self.try_flush();
        }
    }

    fn take_read(&mut self, received: Received) {
        let count = received.n;
        self.turn.bytes += count;
        self.inbox.push(&self.read_buffer[..count], received);
        if count == 0 {
            self.inbox.finish();
            self.reading = Reading::Ended;
        }
    }

    fn fail(&mut self, error: io::Error) -> ChannelError {
        self.reading = Reading::Failed;
        ChannelError::System(error)
    }

    fn write_failed(&mut self, error: io::Error) -> ChannelError {
        let error = ChannelError::from(error);
        if matches!(error, ChannelError::PeerGone) {
            self.outbox.close();
        }
        error
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.io.as_fd()
    }
}

impl Turn {
    const fn is_spent(&self, settings: &ChannelSettings) -> bool {
        self.bytes >= settings.read_budget_bytes || self.messages >= settings.read_budget_messages
    }
}

/// A line with a descriptor is written when the peer has read the lines without one before it. The kernel would give
/// both to one read, and Deno then takes the descriptor for that of the first line, and drops it.
///
/// After a hang-up it is written at once, which fails: the reactor calls such a socket writable for ever, so that waiting
/// for a reader would be a loop without an end.
fn write(
    fd: BorrowedFd<'_>,
    chunk: &Chunk<'_, Arc<OwnedFd>>,
    may_be_unread: bool,
) -> io::Result<usize> {
    match chunk.fd {
        None => socket::send(fd, chunk.bytes, &[]),
        Some(_) if may_be_unread && !has_read_all(fd)? && !is_hung_up(fd)? => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        Some(handle) => socket::send(fd, chunk.bytes, &[handle.as_fd()]),
    }
}
