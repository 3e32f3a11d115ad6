//! The worker as its user sees it: Node's `cluster.worker`.

use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use portcrew_core::WorkerId;
use portcrew_ipc::inherit::Inherited;

use super::life::Life;
use super::orphaned;
use super::shared::{Command, Ends, Shared, User};
use super::{Draining, Listen, ListenUnix, Listener, Opened, UnixListener};
use crate::Result;
use crate::link::{Mailbox, Received, talking};

/// This process as a worker of its primary. Cheap to clone; all clones are the same worker.
///
/// A task that is started by the first call inside a tokio runtime drives the channel; it says `online` to
/// the primary. [`start`](Self::start) does only that.
///
/// # Leaving
///
/// A worker leaves when its primary tells it to, when it calls [`leave`](Self::leave) or
/// [`disconnect`](Self::disconnect), and when its primary dies. Its listeners are closed then, connections
/// that nobody had accepted yet go back to the primary, and [`draining`](Self::draining) resolves. The
/// program finishes the connections that it has. It has finished when it says so
/// ([`finished`](Self::finished)), when the last [`Worker`], [`Listener`] and
/// [`UdpSocket`](crate::UdpSocket) are dropped, or when the process ends, whichever comes first; then the
/// channel is closed.
///
/// Its primary sees to it that it goes: see [`Settings::grace`](crate::Settings::grace). When that has died, this
/// process gets SIGTERM by its own hand after the same grace, and SIGKILL 2 s later; not when its runtime hangs, which
/// then learns of no end.
#[derive(Clone)]
pub struct Worker {
    pub(super) user: Arc<User>,
}

impl Worker {
    /// Takes what the primary left for this process.
    pub(crate) fn claimed(inherited: Inherited) -> Self {
        let Inherited { worker_id, channel, lane, grace, .. } = inherited;
        let ends = Ends { channel, lane, grace: Some(grace.unwrap_or(orphaned::UNTOLD)) };
        Self::from_ends(WorkerId(worker_id.unwrap_or(0)), ends)
    }

    pub(crate) fn from_ends(id: WorkerId, ends: Ends) -> Self {
        Self { user: User::new(Shared::new(id, ends)) }
    }

    /// Node's `cluster.worker.id`: from 1, never given twice by the same primary.
    #[must_use]
    pub fn id(&self) -> WorkerId {
        self.shared().id
    }

    /// Whether the channel is open.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared().life.get() < Life::Disconnected
    }

    /// Whether it was told to leave, or wants to, or has lost its primary.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.shared().life.get() > Life::Serving
    }

    /// Starts the task that drives the channel, which any asynchronous call does too. What was sent before is
    /// queued.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io) outside a tokio runtime, or when the channel cannot be registered
    /// with it.
    ///
    /// # Panics
    ///
    /// When the runtime was built without its IO driver.
    pub fn start(&self) -> Result<()> {
        self.shared().start()
    }

    /// Asks the primary for a TCP listener: `"0.0.0.0:3000"`, `":3000"`, `"localhost:3000"`, `3000`, or a
    /// [`Listen`] with options.
    ///
    /// # Errors
    ///
    /// [`Error::Listen`](crate::Error::Listen) with the reason of the system, such as EADDRINUSE or EACCES;
    /// [`Error::Address`](crate::Error::Address) for what is no address;
    /// [`Error::Disconnected`](crate::Error::Disconnected) without a primary.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the listener, also one that is on its way.
    pub async fn listen(&self, address: impl Into<Listen>) -> Result<Listener> {
        Listener::from_opened(self.open(address.into()).await?)
    }

    /// Asks the primary for a listener on a path of the file system.
    ///
    /// # Errors
    ///
    /// As [`listen`](Self::listen).
    ///
    /// # Cancel safety
    ///
    /// As [`listen`](Self::listen).
    pub async fn listen_unix(&self, path: impl Into<ListenUnix>) -> Result<UnixListener> {
        Listener::from_opened(self.open_unix(path.into()).await?)
    }

    /// Accepts from a listening socket that this process has: received with a message, inherited or its
    /// own. The primary is not asked; the listener closes with the others when the worker leaves.
    ///
    /// # Errors
    ///
    /// [`Error::Io`](crate::Error::Io) outside a tokio runtime, or when the socket cannot be registered.
    pub fn listen_handle(&self, socket: std::net::TcpListener) -> Result<Listener> {
        self.shared().start()?;
        Listener::from_opened(self.open_local(socket.into()))
    }

    /// As [`listen_handle`](Self::listen_handle), for a socket on a path.
    ///
    /// # Errors
    ///
    /// As [`listen_handle`](Self::listen_handle).
    pub fn listen_unix_handle(
        &self,
        socket: std::os::unix::net::UnixListener,
    ) -> Result<UnixListener> {
        self.shared().start()?;
        Listener::from_opened(self.open_local(socket.into()))
    }

    talking!();

    /// The next message from the primary; `None` after the last, once the channel is closed. Each message
    /// goes to one caller.
    ///
    /// `None` too, and at once, when nothing drives the channel yet and nothing can: outside a runtime. The
    /// messages are not lost; a call inside one gets them.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn recv(&self) -> Option<Received> {
        self.start().ok()?;
        self.shared().arrivals.next().await
    }

    /// Resolves when this worker has to finish: it was told to leave or wants to, or its primary has gone.
    /// Owned and cheap to clone: the shutdown signal for any server.
    ///
    /// Its listeners are closed before. A worker that has just accepted a connection is told a tenth of a
    /// second later, because servers such as hyper's close a connection whose request they have not read.
    pub fn draining(&self) -> Draining {
        self.start_if_possible();
        self.shared().life.reached(Life::Draining)
    }

    /// Resolves when it is told to leave, before its listeners are closed.
    #[cfg(feature = "hyper1")]
    pub(crate) fn leaving(&self) -> Draining {
        self.start_if_possible();
        self.shared().life.reached(Life::Leaving)
    }

    /// Resolves when the channel is closed.
    pub fn disconnected(&self) -> Draining {
        self.start_if_possible();
        self.shared().life.reached(Life::Disconnected)
    }

    /// Begins to leave: closes the listeners and resolves [`draining`](Self::draining). Returns at once.
    pub fn leave(&self) {
        self.start_if_possible();
        self.shared().command(Command::Leave);
    }

    /// Says that this worker needs to wait for no connection any more. While it is not leaving this is only
    /// remembered.
    pub fn finished(&self) {
        self.shared().finish();
    }

    /// Leaves: [`leave`](Self::leave) and [`finished`](Self::finished) at once, and waits until the primary
    /// has heard it and the channel is closed. To be called when the program is done with its connections;
    /// those that are still open stay open.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future gives up the wait; the worker leaves all the same.
    pub async fn disconnect(&self) {
        if self.start().is_err() {
            return;
        }
        self.leave();
        self.finished();
        self.disconnected().await;
    }

    pub(crate) async fn open(&self, listen: Listen) -> Result<Opened> {
        self.start()?;
        Opened::ask_tcp(&self.user, listen).await
    }

    pub(crate) async fn open_unix(&self, listen: ListenUnix) -> Result<Opened> {
        self.start()?;
        Opened::ask_unix(&self.user, listen).await
    }

    pub(crate) fn open_local(&self, socket: OwnedFd) -> Opened {
        Opened::local(&self.user, socket)
    }

    fn outlet(&self) -> &Mailbox {
        self.start_if_possible();
        &self.shared().mailbox
    }

    fn driven(&self) -> Result<&Mailbox> {
        self.start()?;
        Ok(&self.shared().mailbox)
    }

    fn start_if_possible(&self) {
        // Where there is no runtime yet, a later call starts it.
        let _ = self.start();
    }

    pub(super) fn shared(&self) -> &Arc<Shared> {
        self.user.shared()
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let life = self.shared().life.get();
        f.debug_struct("Worker").field("id", &self.id()).field("life", &life).finish()
    }
}
