//! One worker, as the primary's user sees it: Node's worker object.

use std::process::ExitStatus;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use portcrew_core::WorkerId;
use portcrew_ipc::message::RawJson;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::unix::pipe;
use tokio::sync::mpsc::UnboundedSender;

use super::command::Command;
use crate::request::Pending;
use crate::{Error, Handle, Message, OUTGOING_LIMIT, Result};

/// A worker of this primary. Cheap to clone; it outlives the worker and then says that it is dead.
#[derive(Debug, Clone)]
pub struct WorkerHandle {
    pub(super) shared: Arc<Shared>,
    pub(super) commands: UnboundedSender<Command>,
}

/// Node's `worker.state`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Started; it has said nothing yet. Node: `none`.
    Started,
    /// It runs and speaks the protocol.
    Online,
    /// It listens.
    Listening,
    /// Its channel is closed.
    Disconnected,
    /// Its process has ended.
    Dead,
}

/// A signal for a worker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Signal {
    /// SIGTERM
    Terminate,
    /// SIGKILL, to the worker's whole process group.
    Kill,
    /// SIGINT
    Interrupt,
    /// SIGHUP
    Hangup,
    /// SIGUSR1
    User1,
    /// SIGUSR2
    User2,
    /// Any other, by its number.
    Other(i32),
}

impl Signal {
    /// The number on this system.
    #[must_use]
    pub fn number(self) -> i32 {
        use rustix::process::Signal as System;
        match self {
            Self::Terminate => System::TERM.as_raw(),
            Self::Kill => System::KILL.as_raw(),
            Self::Interrupt => System::INT.as_raw(),
            Self::Hangup => System::HUP.as_raw(),
            Self::User1 => System::USR1.as_raw(),
            Self::User2 => System::USR2.as_raw(),
            Self::Other(number) => number,
        }
    }
}

/// What driver and handles share about one worker.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) id: WorkerId,
    pub(super) pid: u32,
    pub(super) pending: Pending,
    /// Messages on their way to the driver.
    pub(super) queued: AtomicUsize,
    status: Mutex<Status>,
}

/// The part that changes.
#[derive(Debug)]
pub(super) struct Status {
    pub(super) state: State,
    pub(super) connected: bool,
    pub(super) exit: Option<ExitStatus>,
    /// Known from the first of disconnect and exit on.
    pub(super) planned: Option<bool>,
    pub(super) stdout: Option<pipe::Receiver>,
    pub(super) stderr: Option<pipe::Receiver>,
}

impl Shared {
    pub(super) fn new(
        id: WorkerId,
        pid: u32,
        stdout: Option<pipe::Receiver>,
        stderr: Option<pipe::Receiver>,
    ) -> Self {
        let state = State::Started;
        let status = Status { state, connected: true, exit: None, planned: None, stdout, stderr };
        Self {
            id,
            pid,
            pending: Pending::default(),
            queued: AtomicUsize::new(0),
            status: Mutex::new(status),
        }
    }

    pub(super) fn status(&self) -> MutexGuard<'_, Status> {
        // Nothing panics while it holds this lock.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl WorkerHandle {
    /// Node's `worker.id`.
    #[must_use]
    pub fn id(&self) -> WorkerId {
        self.shared.id
    }

    /// The process id. After the worker's death it may belong to somebody else: signal with
    /// [`kill`](Self::kill), never with this.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.shared.pid
    }

    /// Node's `worker.state`. The last of disconnect and exit wins.
    #[must_use]
    pub fn state(&self) -> State {
        self.shared.status().state
    }

    /// Node's `worker.isConnected()`: its channel is open.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared.status().connected
    }

    /// Node's `worker.isDead()`: its process has ended.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.shared.status().exit.is_some()
    }

    /// How its process ended.
    #[must_use]
    pub fn exit_status(&self) -> Option<ExitStatus> {
        self.shared.status().exit
    }

    /// Node's `worker.exitedAfterDisconnect`: `None` while it lives and nobody asked it to leave.
    #[must_use]
    pub fn exited_after_disconnect(&self) -> Option<bool> {
        self.shared.status().planned
    }

    /// Sends any value as JSON. Returns when it is queued; never waits.
    ///
    /// # Errors
    ///
    /// [`Error::Disconnected`] when the channel is closed, [`Error::Message`] when the value has no JSON
    /// form, [`Error::QueueFull`] beyond [`OUTGOING_LIMIT`].
    pub fn send<T: Serialize + ?Sized>(&self, value: &T) -> Result<()> {
        self.post(Message::new(value)?, None)
    }

    /// Sends a value together with a socket. A connected stream goes over to the worker; a listening
    /// socket and a UDP socket are shared, and closing `handle` is the caller's business: it has been
    /// moved in here, so clone it first to keep it.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_with<T: Serialize + ?Sized>(
        &self,
        value: &T,
        handle: impl Into<Handle>,
    ) -> Result<()> {
        self.post(Message::new(value)?, Some(handle.into()))
    }

    /// Sends a message that is JSON already.
    ///
    /// # Errors
    ///
    /// As [`send`](Self::send).
    pub fn send_message(&self, message: Message) -> Result<()> {
        self.post(message, None)
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
        let send = |message| self.post(message, None);
        let answer: RawJson = self.shared.pending.ask(question, deadline, send).await?;
        Ok(answer.json()?)
    }

    /// Node's `worker.disconnect()`: the worker gets nothing new, closes its listeners, finishes its
    /// connections and closes the channel. Returns at once; nothing here bounds how long it may take.
    pub fn disconnect(&self) {
        // A driver that is gone has no workers left.
        let _ = self.commands.send(Command::Disconnect { worker: self.id() });
    }

    /// Node's `worker.kill(signal)`. A worker that is dead already gets nothing, whoever has its pid now.
    pub fn kill(&self, signal: Signal) {
        let _ = self.commands.send(Command::Kill { worker: self.id(), signal });
    }

    /// The read end of its standard output, once, when it is [`Piped`](crate::Stdio::Piped).
    #[must_use]
    pub fn take_stdout(&self) -> Option<pipe::Receiver> {
        self.shared.status().stdout.take()
    }

    /// The read end of its standard error, once, when it is [`Piped`](crate::Stdio::Piped).
    #[must_use]
    pub fn take_stderr(&self) -> Option<pipe::Receiver> {
        self.shared.status().stderr.take()
    }

    fn post(&self, message: Message, handle: Option<Handle>) -> Result<()> {
        if !self.is_connected() {
            return Err(Error::Disconnected);
        }
        if self.shared.queued.fetch_add(1, Ordering::Relaxed) >= OUTGOING_LIMIT {
            self.shared.queued.fetch_sub(1, Ordering::Relaxed);
            return Err(Error::QueueFull);
        }
        let handle = handle.map(|socket| {
            let handle = portcrew_ipc::handle::Handle::from(socket);
            (handle.kind, handle.fd)
        });
        let command = Command::Send { worker: self.id(), message, handle };
        self.commands.send(command).map_err(|_| Error::Disconnected)
    }
}
