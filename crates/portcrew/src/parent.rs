//! The parent of a primary: the process that started it by Node's `child_process.fork`.

use std::fmt;
use std::os::fd::OwnedFd;

use portcrew_ipc::inherit::Inherited;

use crate::Result;
use crate::link::{Mailbox, Peer, Received, talking};

/// The channel to the parent of a process that is no worker: `process.send` and friends in Node.
///
/// A task that is started by the first call inside a tokio runtime drives it. Dropping all clones closes the
/// channel, once what was sent is written.
#[derive(Clone)]
pub struct Parent {
    peer: Peer,
}

impl Parent {
    /// Takes what the parent left for this process.
    pub(crate) fn claimed(inherited: Inherited) -> Self {
        Self::from_fd(inherited.channel)
    }

    pub(crate) fn from_fd(channel: OwnedFd) -> Self {
        Self { peer: Peer::from_fd(channel) }
    }

    /// Whether the channel is open: Node's `process.connected`.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.peer.is_connected()
    }

    talking!();

    /// The next message; `None` after the last, once the channel is closed. Each goes to one caller.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn recv(&self) -> Option<Received> {
        self.peer.recv().await
    }

    /// Closes the channel once everything is written, and waits for that.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the wait; the channel is closed all the same.
    pub async fn disconnect(&self) {
        self.peer.disconnect().await;
    }

    /// Starts the task that drives the channel, which any asynchronous call does too. What was sent before is
    /// queued.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io) outside a tokio runtime, or when the channel cannot be registered with
    /// it.
    ///
    /// # Panics
    ///
    /// When the runtime was built without its IO driver.
    pub fn start(&self) -> Result<()> {
        self.peer.start()
    }

    fn outlet(&self) -> &Mailbox {
        self.peer.outlet()
    }

    fn driven(&self) -> Result<&Mailbox> {
        self.peer.driven()
    }
}

impl fmt::Debug for Parent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parent").field("connected", &self.is_connected()).finish()
    }
}
