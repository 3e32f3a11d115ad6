//! One worker, as the primary's user sees it: Node's worker object.

use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portcrew_core::WorkerId;
use tokio::net::unix::pipe;
use tokio::sync::mpsc::UnboundedSender;

use super::command::Command;
use crate::Result;
use crate::link::{Bell, Mailbox, talking};
use crate::pipes::Pipes;

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
    pub(super) mailbox: Arc<Mailbox>,
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
    pub(super) pipes: Pipes,
}

impl Shared {
    pub(super) fn new(id: WorkerId, pid: u32, pipes: Pipes) -> Self {
        let state = State::Started;
        let status = Status { state, connected: true, exit: None, planned: None, pipes };
        let mailbox = Mailbox::new(Arc::new(Bell::default()));
        Self { id, pid, mailbox, status: Mutex::new(status) }
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

    talking!();

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

    /// The write end of its standard input, once, when it is [`Piped`](crate::Stdio::Piped). Dropping it is the
    /// end of the input.
    #[must_use]
    pub fn take_stdin(&self) -> Option<pipe::Sender> {
        self.shared.status().pipes.stdin.take()
    }

    /// The read end of its standard output, once, when it is [`Piped`](crate::Stdio::Piped).
    #[must_use]
    pub fn take_stdout(&self) -> Option<pipe::Receiver> {
        self.shared.status().pipes.stdout.take()
    }

    /// The read end of its standard error, once, when it is [`Piped`](crate::Stdio::Piped).
    #[must_use]
    pub fn take_stderr(&self) -> Option<pipe::Receiver> {
        self.shared.status().pipes.stderr.take()
    }

    fn outlet(&self) -> &Mailbox {
        &self.shared.mailbox
    }

    /// The primary's task drives every channel from the start.
    fn driven(&self) -> Result<&Mailbox> {
        Ok(self.outlet())
    }
}
