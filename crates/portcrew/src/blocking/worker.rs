//! The worker of a threaded program.

use std::fmt;
use std::net::TcpListener;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::runtime::{Builder, Handle as Runtime};

use super::wait::wait;
use super::{Listener, UdpSocket, UnixListener};
use crate::{BindUdp, Error, Handle, Listen, ListenUnix, Message, Received, Result, WorkerId};

/// This process as a worker of its primary, for threads. Cheap to clone.
///
/// None of its methods may be called inside an asynchronous runtime: use [`crate::Worker`] there.
#[derive(Clone)]
pub struct Worker {
    worker: crate::Worker,
    runtime: Runtime,
}

impl Worker {
    /// Starts a thread that drives the worker until its channel is closed.
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when the thread or what it needs cannot be had.
    pub fn new(worker: crate::Worker) -> Result<Self> {
        let error = Error::io("start the thread that drives a worker");
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(error)?;
        let handle = runtime.handle().clone();
        {
            let _inside = runtime.enter();
            worker.start()?;
        }
        let disconnected = worker.disconnected();
        std::thread::Builder::new()
            .name("portcrew-worker".to_owned())
            .spawn(move || runtime.block_on(disconnected))
            .map_err(Error::io("start the thread that drives a worker"))?;
        Ok(Self { worker, runtime: handle })
    }

    /// Node's `cluster.worker.id`.
    #[must_use]
    pub fn id(&self) -> WorkerId {
        self.worker.id()
    }

    /// Whether the channel is open.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.worker.is_connected()
    }

    /// Whether it was told to leave, or wants to, or has lost its primary.
    #[must_use]
    pub fn is_leaving(&self) -> bool {
        self.worker.is_leaving()
    }

    /// Asks the primary for a TCP listener; see [`crate::Worker::listen`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn listen(&self, address: impl Into<Listen>) -> Result<Listener> {
        let opened = self.runtime.block_on(self.worker.open(address.into()))?;
        Listener::from_opened(opened)
    }

    /// Asks the primary for a listener on a path of the file system.
    ///
    /// # Errors
    ///
    /// As [`listen`](Self::listen).
    pub fn listen_unix(&self, path: impl Into<ListenUnix>) -> Result<UnixListener> {
        let opened = self.runtime.block_on(self.worker.open_unix(path.into()))?;
        UnixListener::from_opened(opened)
    }

    /// Accepts from a listening socket that this process has; see
    /// [`crate::Worker::listen_handle`].
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when nothing can wait for it.
    pub fn listen_handle(&self, socket: TcpListener) -> Result<Listener> {
        Listener::from_opened(self.worker.open_local(socket.into()))
    }

    /// Asks the primary for a UDP socket; see [`crate::Worker::bind_udp`].
    ///
    /// # Errors
    ///
    /// As there.
    pub fn bind_udp(&self, address: impl Into<BindUdp>) -> Result<UdpSocket> {
        self.runtime.block_on(self.worker.bind_udp(address)).map(UdpSocket::new)
    }

    /// Takes a UDP socket that this process has; see [`crate::Worker::udp_handle`].
    ///
    /// # Errors
    ///
    /// [`Error::Io`] when nothing can wait for it.
    pub fn udp_handle(&self, socket: std::net::UdpSocket) -> Result<UdpSocket> {
        let _inside = self.runtime.enter();
        self.worker.udp_handle(socket).map(UdpSocket::new)
    }

    /// Sends any value to the primary as JSON. Returns when it is queued.
    ///
    /// # Errors
    ///
    /// As [`crate::Worker::send`].
    pub fn send<T: Serialize + ?Sized>(&self, value: &T) -> Result<()> {
        self.worker.send(value)
    }

    /// Sends a value together with a socket.
    ///
    /// # Errors
    ///
    /// As [`crate::Worker::send_with`].
    pub fn send_with<T: Serialize + ?Sized>(
        &self,
        value: &T,
        handle: impl Into<Handle>,
    ) -> Result<()> {
        self.worker.send_with(value, handle)
    }

    /// Sends a value together with a connection that the primary counts under `key`.
    ///
    /// # Errors
    ///
    /// As [`crate::Worker::send_counted`].
    pub fn send_counted<T: Serialize + ?Sized>(
        &self,
        value: &T,
        connection: impl Into<Handle>,
        key: &str,
    ) -> Result<()> {
        self.worker.send_counted(value, connection, key)
    }

    /// Sends a message that is JSON already.
    ///
    /// # Errors
    ///
    /// As [`crate::Worker::send`].
    pub fn send_message(&self, message: Message, handle: Option<Handle>) -> Result<()> {
        self.worker.send_message(message, handle)
    }

    /// Asks the primary and waits for its answer.
    ///
    /// # Errors
    ///
    /// As [`crate::Worker::request`].
    pub fn request<T, R>(&self, question: &T, deadline: Duration) -> Result<R>
    where
        T: Serialize + ?Sized,
        R: DeserializeOwned,
    {
        if !self.is_connected() {
            // The runtime has ended, and its clock with it.
            return Err(Error::Disconnected);
        }
        self.runtime.block_on(self.worker.request(question, deadline))
    }

    /// How many connections the primary holds open that were sent to it under `key`.
    ///
    /// # Errors
    ///
    /// As [`crate::Worker::connections`].
    pub fn connections(&self, key: &str, deadline: Duration) -> Result<usize> {
        if !self.is_connected() {
            return Err(Error::Disconnected);
        }
        self.runtime.block_on(self.worker.connections(key, deadline))
    }

    /// Waits until the primary holds no connection open that was sent to it under `key`.
    ///
    /// # Errors
    ///
    /// As [`crate::Worker::all_closed`].
    pub fn all_closed(&self, key: &str) -> Result<()> {
        wait(self.worker.all_closed(key))
    }

    /// Waits for the next message from the primary; `None` after the last, once the channel is closed.
    #[must_use]
    pub fn recv(&self) -> Option<Received> {
        wait(self.worker.recv())
    }

    /// Waits until this worker has to finish.
    pub fn wait_until_draining(&self) {
        wait(self.worker.draining());
    }

    /// Begins to leave: closes the listeners, so that their `accept` returns. Returns at once.
    pub fn leave(&self) {
        self.worker.leave();
    }

    /// Says that this worker needs to wait for no connection any more.
    pub fn finished(&self) {
        self.worker.finished();
    }

    /// Leaves, and waits until the primary has heard it and the channel is closed.
    pub fn disconnect(&self) {
        wait(self.worker.disconnect());
    }

    /// The same worker for asynchronous code.
    #[must_use]
    pub fn asynchronous(&self) -> &crate::Worker {
        &self.worker
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.worker.fmt(f)
    }
}
