//! The parent of a primary: the process that started it by Node's `child_process.fork`.

use std::fmt;
use std::future::Future;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use portcrew_ipc::channel::{Channel, ChannelSettings};
use portcrew_ipc::inherit::Inherited;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::watch;

use crate::link::{Bell, Heard, Mailbox, Received, Talk};
use crate::{Error, Handle, Message, Result};

/// The channel to the parent of a process that is no worker: `process.send` and friends in Node.
///
/// A task that is started by the first call inside a tokio runtime drives it. Dropping all clones closes the
/// channel, once what was sent is written.
#[derive(Clone)]
pub struct Parent {
    user: Arc<User>,
}

/// Held by the clones; the driver ends with the last of them.
struct User {
    shared: Arc<Shared>,
}

struct Shared {
    mailbox: Arc<Mailbox>,
    bell: Arc<Bell>,
    channel: Mutex<Option<OwnedFd>>,
    stage: watch::Sender<Stage>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Open,
    /// To be closed once everything is written.
    Closing,
    Closed,
}

impl Parent {
    /// Takes what the parent left for this process.
    pub(crate) fn claimed(inherited: Inherited) -> Self {
        Self::from_fd(inherited.channel)
    }

    pub(crate) fn from_fd(channel: OwnedFd) -> Self {
        let bell = Arc::new(Bell::default());
        let shared = Shared {
            mailbox: Arc::new(Mailbox::new(Arc::clone(&bell))),
            bell,
            channel: Mutex::new(Some(channel)),
            stage: watch::Sender::new(Stage::Open),
        };
        Self { user: Arc::new(User { shared: Arc::new(shared) }) }
    }

    /// Whether the channel is open: Node's `process.connected`.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared().stage() == Stage::Open
    }

    /// Sends any value as JSON. Returns when it is queued; never waits.
    ///
    /// # Errors
    ///
    /// [`Error::Disconnected`] when the channel is closed, [`Error::Message`] when the value has no JSON
    /// form, [`Error::QueueFull`] beyond [`OUTGOING_LIMIT`](crate::OUTGOING_LIMIT).
    pub fn send<T: Serialize + ?Sized>(&self, value: &T) -> Result<()> {
        self.send_message(Message::new(value)?, None)
    }

    /// Sends a value together with a socket, which is moved in here: clone a listening socket first to keep
    /// it. One that does not arrive is sent anew up to three times, as in Node.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_with<T: Serialize + ?Sized>(
        &self,
        value: &T,
        handle: impl Into<Handle>,
    ) -> Result<()> {
        self.send_message(Message::new(value)?, Some(handle.into()))
    }

    /// Sends a message that is JSON already.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_message(&self, message: Message, handle: Option<Handle>) -> Result<()> {
        // Where there is no runtime yet, a later call starts the driver.
        let _ = self.start();
        self.shared().mailbox.post(message, handle)
    }

    /// Asks and waits for the answer.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send); [`Error::Deadline`] when no answer came in time.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the wait; the question has been sent all the same.
    pub async fn request<T, R>(&self, question: &T, deadline: Duration) -> Result<R>
    where
        T: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        self.start()?;
        self.shared().mailbox.ask(question, deadline).await
    }

    /// The next message; `None` after the last, once the channel is closed. Each goes to one caller.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn recv(&self) -> Option<Received> {
        self.start().ok()?;
        self.shared().mailbox.next().await
    }

    /// Closes the channel once everything is written, and waits for that.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the wait; the channel is closed all the same.
    pub async fn disconnect(&self) {
        if self.start().is_err() {
            return;
        }
        self.shared().advance(Stage::Closing);
        let mut stage = self.shared().stage.subscribe();
        // A sender that is gone means a channel that is gone.
        let _ = stage.wait_for(|stage| *stage == Stage::Closed).await;
    }

    /// Starts the task that drives the channel, which any asynchronous call does too.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] outside a tokio runtime, or when the channel cannot be registered with it.
    ///
    /// # Panics
    ///
    /// When the runtime was built without its IO driver.
    pub fn start(&self) -> Result<()> {
        let shared = self.shared();
        let mut slot = shared.channel.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            return Ok(());
        }
        let doing = "drive the parent's channel";
        let no_runtime = |error| Error::Io { doing, source: std::io::Error::other(error) };
        let runtime = tokio::runtime::Handle::try_current().map_err(no_runtime)?;
        if let Some(channel) = slot.take() {
            let channel = Channel::from_fd(channel, ChannelSettings::default());
            let channel = channel.map_err(|source| {
                shared.end();
                Error::Io { doing, source }
            })?;
            let talk = Talk::new(channel, Arc::clone(&shared.mailbox));
            runtime.spawn(Driver { talk, shared: Arc::clone(shared), shut: false });
        }
        Ok(())
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.user.shared
    }
}

impl fmt::Debug for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parent").field("stage", &self.shared().stage()).finish()
    }
}

impl Shared {
    fn stage(&self) -> Stage {
        *self.stage.borrow()
    }

    fn advance(&self, to: Stage) {
        self.stage.send_if_modified(|stage| {
            let goes_on = *stage < to;
            *stage = to.max(*stage);
            goes_on
        });
        self.bell.ring();
    }

    fn end(&self) {
        self.advance(Stage::Closed);
        self.mailbox.close();
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.shared.advance(Stage::Closing);
    }
}

/// The task: a channel without a cluster.
struct Driver {
    talk: Talk,
    shared: Arc<Shared>,
    /// The writing side is closed; the parent closes its own next.
    shut: bool,
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.bell.hang(cx.waker());
        loop {
            match self.talk.poll_heard(cx) {
                Poll::Pending => break,
                // A parent that is no primary has nothing to say to a cluster; Node ignores it too.
                Poll::Ready(Heard::Cluster { .. }) => {}
                Poll::Ready(Heard::End) => return Poll::Ready(()),
            }
        }
        self.talk.poll_write(cx);
        if self.shared.stage() == Stage::Closing && !self.shut {
            self.shut = self.talk.poll_close(cx);
        }
        Poll::Pending
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.shared.end();
    }
}
