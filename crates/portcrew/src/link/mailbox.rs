//! What the user's handles and the driver of one channel share: what goes out, and who waits for answers.

use std::cell::Cell;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::Duration;

use portcrew_ipc::frame::FRAME_BYTES;
use portcrew_ipc::message::UserLines;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::oneshot;

use super::held::{Held, Wish};
use super::outgoing::{Outbound, Outgoing, Post};
use super::{Bell, Counted, Received};
use crate::request::{Pending, Sorted, request};
use crate::{CONNECTION_KEY_BYTES, Error, Handle, Message, Result};

/// Room for what is wrapped around a message that travels with a socket, in bytes: a key whose every byte is
/// escaped, and the words.
const WRAPPING_BYTES: usize = 6 * CONNECTION_KEY_BYTES + 256;

thread_local! {
    /// Where a value becomes text, outside of every lock: what is serialised may send too.
    static ROOM: Cell<UserLines> = Cell::default();
}

/// The mailbox of one channel.
#[derive(Debug)]
pub(crate) struct Mailbox {
    pending: Pending,
    outgoing: Mutex<Outgoing>,
    held: Mutex<Held>,
    bell: Arc<Bell>,
}

impl Mailbox {
    pub(crate) fn new(bell: Arc<Bell>) -> Arc<Self> {
        Arc::new(Self {
            pending: Pending::default(),
            outgoing: Mutex::default(),
            held: Mutex::default(),
            bell,
        })
    }

    /// Queues a value for the other end.
    pub(crate) fn send_value<T: Serialize + ?Sized>(&self, value: &T) -> Result<()> {
        self.send_line(|room| Ok(room.push_value(value)?))
    }

    /// Queues a message for the other end.
    pub(crate) fn send(&self, message: Message, handle: Option<Handle>) -> Result<()> {
        match handle {
            Some(handle) => self.post_message(message, Outbound::new(handle)),
            None => self.send_line(|room| {
                room.push(&message);
                Ok(())
            }),
        }
    }

    fn send_line(&self, write: impl FnOnce(&mut UserLines) -> Result<()>) -> Result<()> {
        // A thread that ends may send too, when it has no room any more.
        let mut room = ROOM.try_with(Cell::take).unwrap_or_default();
        let sent = write(&mut room).and_then(|()| self.post_line(&room));
        room.clear();
        let _ = ROOM.try_with(|place| place.set(room));
        sent
    }

    fn post_line(&self, line: &UserLines) -> Result<()> {
        check_length(line.as_bytes().len() - 1)?;
        let is_only = lock(&self.outgoing).add_line(line)?;
        self.ring_for(is_only);
        Ok(())
    }

    /// Queues a message with a connection that is counted there under `key`.
    pub(crate) fn send_counted(&self, message: Message, handle: Handle, key: &str) -> Result<()> {
        let doing = "send a counted connection";
        let wrong = |reason| {
            let source = io::Error::new(io::ErrorKind::InvalidInput, reason);
            Error::Io { doing, source }
        };
        if key.len() > CONNECTION_KEY_BYTES {
            return Err(wrong("its key is too long"));
        }
        let outbound = Outbound::counted(handle, key);
        let outbound = outbound.ok_or_else(|| wrong("only connections are counted"))?;
        self.post_message(message, outbound)
    }

    pub(crate) async fn ask<T, R>(&self, question: &T, deadline: Duration) -> Result<R>
    where
        T: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        let send = |message| self.send(message, None);
        let answer = self.pending.ask(question, deadline, send).await?;
        Ok(answer.json()?)
    }

    /// How many connections the other end holds that were sent under `key`.
    pub(crate) async fn connections(&self, key: &str, deadline: Duration) -> Result<usize> {
        let (answer, count) = oneshot::channel();
        self.post(Post::Count { key: key.into(), answer })?;
        match tokio::time::timeout(deadline, count).await {
            Ok(count) => count.unwrap_or(Err(Error::Disconnected)),
            Err(_elapsed) => Err(Error::Deadline),
        }
    }

    /// Waits until the other end holds no connection that was sent under `key`.
    pub(crate) async fn all_closed(&self, key: &str) -> Result<()> {
        let (answer, closed) = oneshot::channel();
        self.post(Post::Close { key: key.into(), answer })?;
        closed.await.unwrap_or(Err(Error::Disconnected))
    }

    fn post_message(&self, message: Message, socket: Outbound) -> Result<()> {
        check_length(message.as_bytes().len())?;
        self.post(Post::Socket { message, socket })
    }

    fn post(&self, post: Post) -> Result<()> {
        let is_only = lock(&self.outgoing).add(post)?;
        self.ring_for(is_only);
        Ok(())
    }

    /// Where something waited before, the driver knows, or is told in a moment by whoever was first: it leaves nothing
    /// behind but for what wakes it by itself. (That one may lose the processor between the lock and the bell, and then
    /// all wait for it, as they would where it lost it with the lock.)
    fn ring_for(&self, is_only: bool) {
        if is_only {
            self.bell.ring();
        }
    }

    /// The driver begins to look at what is to be written, and is woken when there is more.
    pub(crate) fn hang(&self, waker: &Waker) {
        self.bell.hang(waker);
    }

    pub(super) fn take_post(&self) -> Option<Post> {
        lock(&self.outgoing).take()
    }

    pub(super) fn give_back(&self, lines: UserLines) {
        lock(&self.outgoing).give_back(lines);
    }

    pub(super) fn forget_key(&self, key: &str) {
        lock(&self.outgoing).forget(key);
    }

    /// A message of the other end as its user is to see it; `None` for an answer, which went to whoever
    /// waits for it.
    pub(super) fn open(
        self: &Arc<Self>,
        message: Message,
        handle: Option<Handle>,
        counted: Option<Counted>,
    ) -> Option<Received> {
        match self.pending.sort(message) {
            Sorted::Plain(message) => Some(Received::Message { message, handle, counted }),
            Sorted::Request { id, body } => {
                let mailbox = Arc::downgrade(self);
                let answer = move |message| match mailbox.upgrade() {
                    Some(mailbox) => mailbox.send(message, None),
                    None => Err(Error::Disconnected),
                };
                Some(Received::Request(request(id, body, Arc::new(answer))))
            }
            Sorted::Reply => None,
        }
    }

    /// Counts a connection that came from the other end, until the guard is dropped.
    pub(super) fn count_in(self: &Arc<Self>, key: &str) -> Counted {
        let key = Arc::from(key);
        lock(&self.held).add(&key);
        Counted::new(key, self)
    }

    pub(super) fn count_out(&self, key: &Arc<str>) {
        let is_awaited = lock(&self.held).remove(key);
        if is_awaited {
            self.bell.ring();
        }
    }

    pub(super) fn count(&self, key: &str) -> usize {
        lock(&self.held).count(key)
    }

    pub(super) fn wish(&self, key: &str) -> Wish {
        lock(&self.held).wish(key)
    }

    pub(super) fn next_empty(&self) -> Option<Arc<str>> {
        lock(&self.held).next_empty()
    }

    /// The user wants nothing more written than what is queued.
    pub(super) fn seal_outgoing(&self) {
        lock(&self.outgoing).seal();
    }

    /// Nobody can be written to any more.
    pub(crate) fn close_outgoing(&self) {
        let unsent = lock(&self.outgoing).close();
        // After the lock: sockets are closed and askers woken.
        drop(unsent);
    }

    /// The channel has ended: nobody answers any more either.
    pub(crate) fn close(&self) {
        self.close_outgoing();
        self.pending.close();
    }
}

/// What travels with a socket is wrapped, and must not become too long by that.
fn check_length(length: usize) -> Result<()> {
    if length > FRAME_BYTES - WRAPPING_BYTES {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "it is too long");
        return Err(Error::Io { doing: "send a message", source });
    }
    Ok(())
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Nothing that is called while one of these is held panics.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
