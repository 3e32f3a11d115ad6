//! A channel without a cluster: either end of a plain fork.

use std::fmt;
use std::future::Future;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use portcrew_ipc::channel::{Channel, ChannelSettings};
use tokio::sync::watch;

use super::again::Again;
use super::{Arrivals, Bell, Heard, Mailbox, Received, Talk};
use crate::{Error, Result};

/// The user's handle of it. Cheap to clone; dropping the last closes the channel, once what was sent is
/// written.
#[derive(Clone)]
pub(crate) struct Peer {
    user: Arc<User>,
}

/// Held by the clones; the driver ends with the last of them.
struct User {
    shared: Arc<Shared>,
}

struct Shared {
    mailbox: Arc<Mailbox>,
    arrivals: Arrivals,
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

impl Peer {
    pub(crate) fn from_fd(channel: OwnedFd) -> Self {
        let bell = Arc::new(Bell::default());
        let shared = Shared {
            mailbox: Mailbox::new(Arc::clone(&bell)),
            arrivals: Arrivals::default(),
            bell,
            channel: Mutex::new(Some(channel)),
            stage: watch::Sender::new(Stage::Open),
        };
        Self { user: Arc::new(User { shared: Arc::new(shared) }) }
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.shared().stage() == Stage::Open
    }

    /// The mailbox, for what is only queued: where there is no runtime yet, a later call starts the driver.
    pub(crate) fn outlet(&self) -> &Mailbox {
        let _ = self.start();
        &self.shared().mailbox
    }

    /// The mailbox, for whoever waits for an answer.
    pub(crate) fn driven(&self) -> Result<&Mailbox> {
        self.start()?;
        Ok(&self.shared().mailbox)
    }

    pub(crate) async fn recv(&self) -> Option<Received> {
        self.start().ok()?;
        self.shared().arrivals.next().await
    }

    /// Closes the channel once everything is written, and waits for that.
    pub(crate) async fn disconnect(&self) {
        if self.start().is_err() {
            return;
        }
        self.shared().begin_to_close();
        self.closed().await;
    }

    /// Resolves once the channel is closed. Does not keep it open.
    pub(crate) fn closed(&self) -> impl Future<Output = ()> + use<> {
        let mut stage = self.shared().stage.subscribe();
        async move {
            // A sender that is gone means a channel that is gone.
            let _ = stage.wait_for(|stage| *stage == Stage::Closed).await;
        }
    }

    /// Starts the task that drives the channel, once.
    pub(crate) fn start(&self) -> Result<()> {
        let shared = self.shared();
        let mut slot = shared.channel.lock().unwrap_or_else(PoisonError::into_inner);
        if slot.is_none() {
            return Ok(());
        }
        let doing = "drive a channel";
        let no_runtime = |error| Error::Io { doing, source: std::io::Error::other(error) };
        let runtime = tokio::runtime::Handle::try_current().map_err(no_runtime)?;
        if let Some(channel) = slot.take() {
            let channel = Channel::from_fd(channel, ChannelSettings::default());
            let channel = channel.map_err(|source| {
                shared.end();
                Error::Io { doing, source }
            })?;
            let talk = Talk::new(channel, Arc::clone(&shared.mailbox));
            let again = Again::default();
            runtime.spawn(Driver { talk, shared: Arc::clone(shared), shut: false, again });
        }
        Ok(())
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.user.shared
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peer").field("stage", &self.shared().stage()).finish()
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

    /// What is sent from now on would come too late: its sender is told so.
    fn begin_to_close(&self) {
        self.mailbox.seal_outgoing();
        self.advance(Stage::Closing);
    }

    fn end(&self) {
        self.advance(Stage::Closed);
        self.mailbox.close();
        self.arrivals.close();
    }
}

impl Drop for User {
    fn drop(&mut self) {
        self.shared.begin_to_close();
        self.shared.arrivals.abandon();
    }
}

/// The task.
struct Driver {
    talk: Talk,
    shared: Arc<Shared>,
    /// The writing side is closed; the other end closes its own next.
    shut: bool,
    again: Again,
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.talk.hang(cx.waker());
        loop {
            match self.talk.poll_heard(cx) {
                Poll::Pending => break,
                Poll::Ready(Heard::News(received)) => self.shared.arrivals.deliver(received),
                // Who is no primary has nothing to say to a cluster; Node ignores it too.
                Poll::Ready(Heard::Cluster { .. }) => {}
                // This end sends no socket of its own accord.
                Poll::Ready(Heard::Answered { .. }) => {}
                // One process that was started by the other, or has started it, and nobody besides who could
                // suffer: mistakes are dropped one by one.
                Poll::Ready(Heard::Offence) => {}
                // What cannot be read any further is as good as its end.
                Poll::Ready(Heard::End | Heard::Broken) => return Poll::Ready(()),
            }
        }
        if self.talk.poll_write(cx).later {
            self.again.soon(cx.waker());
        }
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
