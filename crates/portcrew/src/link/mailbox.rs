//! What the user's handles and the driver share about messages: both queues, bounded.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use portcrew_ipc::frame::FRAME_BYTES;
use portcrew_ipc::handle::Handle as WireHandle;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::outgoing::{Outgoing, Post};
use super::{Bell, Ticket, Waiters};
use crate::request::{Pending, Sorted, request};
use crate::{EVENTS_LIMIT, Error, Handle, Message, OUTGOING_LIMIT, Request, Result};

/// Room for what is wrapped around a message that travels with a socket, in bytes.
const WRAPPING_BYTES: usize = 1024;

/// Something that the other end sent.
#[derive(Debug)]
#[non_exhaustive]
pub enum Received {
    /// A message.
    Message {
        /// What.
        message: Message,
        /// A socket that came with it. Whether it blocks is as the sender left it.
        handle: Option<Handle>,
    },
    /// A question; answer with [`Request::reply`].
    Request(Request),
    /// This many messages were dropped because nobody read them; see
    /// [`EVENTS_LIMIT`](crate::EVENTS_LIMIT).
    Lagged {
        /// How many.
        dropped: u64,
    },
}

/// The mailbox of one channel.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pending: Pending,
    outgoing: Mutex<Outgoing>,
    incoming: Mutex<Incoming>,
    bell: Arc<Bell>,
}

#[derive(Debug, Default)]
struct Incoming {
    queue: VecDeque<Received>,
    waiters: Waiters,
    dropped: u64,
    closed: bool,
}

impl Mailbox {
    pub(crate) fn new(bell: Arc<Bell>) -> Self {
        Self {
            pending: Pending::default(),
            outgoing: Mutex::default(),
            incoming: Mutex::default(),
            bell,
        }
    }

    /// Queues a message for the other end.
    pub(crate) fn post(&self, message: Message, handle: Option<Handle>) -> Result<()> {
        if message.as_str().len() > FRAME_BYTES - WRAPPING_BYTES {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "it is too long");
            return Err(Error::Io { doing: "send a message", source });
        }
        let handle = handle.map(|handle| {
            let WireHandle { kind, fd } = handle.into();
            (kind, Arc::new(fd))
        });
        let mut outgoing = lock(&self.outgoing);
        if outgoing.closed {
            return Err(Error::Disconnected);
        }
        if outgoing.posts.len() >= OUTGOING_LIMIT {
            return Err(Error::QueueFull);
        }
        outgoing.posts.push_back(Post { message, handle });
        drop(outgoing);
        self.bell.ring();
        Ok(())
    }

    pub(crate) async fn ask<T, R>(&self, question: &T, deadline: Duration) -> Result<R>
    where
        T: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        let send = |message| self.post(message, None);
        let answer = self.pending.ask(question, deadline, send).await?;
        Ok(answer.json()?)
    }

    /// The next thing from the other end; `None` after the last.
    pub(crate) async fn next(&self) -> Option<Received> {
        let mut place = Place { mailbox: self, ticket: None };
        poll_fn(|cx| place.poll(cx.waker())).await
    }

    /// The driver takes what fits its purpose.
    pub(super) fn take_posts(&self, take: impl FnOnce(&mut VecDeque<Post>)) {
        take(&mut lock(&self.outgoing).posts);
    }

    /// The driver has a message for the user. A user who does not read never delays anything: beyond the
    /// limit the newest are dropped, and their number is the next thing that the user is told.
    pub(super) fn deliver(self: &Arc<Self>, message: Message, handle: Option<Handle>) {
        let received = match self.pending.sort(message) {
            Sorted::Plain(message) => Received::Message { message, handle },
            Sorted::Request { id, body } => {
                let mailbox = Arc::downgrade(self);
                let answer = move |message| match mailbox.upgrade() {
                    Some(mailbox) => mailbox.post(message, None),
                    None => Err(Error::Disconnected),
                };
                Received::Request(request(id, body, Arc::new(answer)))
            }
            Sorted::Reply => return,
        };
        let mut incoming = lock(&self.incoming);
        if incoming.queue.len() >= EVENTS_LIMIT {
            incoming.dropped += 1;
            return;
        }
        if incoming.dropped > 0 {
            let dropped = std::mem::take(&mut incoming.dropped);
            incoming.queue.push_back(Received::Lagged { dropped });
        }
        incoming.queue.push_back(received);
        let woken = incoming.waiters.wake_one();
        drop(incoming);
        woken.wake();
    }

    /// The channel takes no more messages.
    pub(super) fn close_outgoing(&self) {
        let mut outgoing = lock(&self.outgoing);
        outgoing.closed = true;
        outgoing.posts.clear();
    }

    /// The channel has ended: what came before can still be read.
    pub(crate) fn close(&self) {
        self.close_outgoing();
        self.pending.close();
        let mut incoming = lock(&self.incoming);
        incoming.closed = true;
        let everybody = incoming.waiters.take_all();
        drop(incoming);
        everybody.into_iter().for_each(Waker::wake);
    }
}

/// Somebody who waits for the next message, and gives up the place when dropped.
struct Place<'a> {
    mailbox: &'a Mailbox,
    ticket: Option<Ticket>,
}

impl Place<'_> {
    fn poll(&mut self, waker: &Waker) -> Poll<Option<Received>> {
        let mut incoming = lock(&self.mailbox.incoming);
        if let Some(received) = incoming.queue.pop_front() {
            return Poll::Ready(Some(received));
        }
        if incoming.dropped > 0 {
            let dropped = std::mem::take(&mut incoming.dropped);
            return Poll::Ready(Some(Received::Lagged { dropped }));
        }
        if incoming.closed {
            return Poll::Ready(None);
        }
        incoming.waiters.wait(&mut self.ticket, waker);
        Poll::Pending
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let Some(ticket) = self.ticket else { return };
        let mut incoming = lock(&self.mailbox.incoming);
        // Woken and then cancelled, or served by another's wake: the next one is to look.
        if !incoming.waiters.leave(ticket) && !incoming.queue.is_empty() {
            let woken = incoming.waiters.wake_one();
            drop(incoming);
            woken.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing in this file panics while it holds a lock.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
